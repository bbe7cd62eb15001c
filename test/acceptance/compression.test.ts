import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { build } from '../helpers/build.ts'
import { hold, patient, until } from '../helpers/hold.ts'
import { readStream, recordsOf } from '../helpers/read-stream.ts'
import { behindPage, savedTracks } from '../helpers/saved-tracks.ts'

/** A service with 237 tracks, and requests to it whose bodies are as they came. */
async function start(t: Test) {
  const built = await build(t, { simulator: { library: savedTracks }, timeouts: patient })
  const port = await built.listen()
  const send = async (method: 'GET' | 'HEAD', url: string, encoding?: string) => {
    const headers = { host: 'localhost', ...(encoding && { 'accept-encoding': encoding }) }
    const {
      statusCode,
      headers: its,
      rawPayload,
    } = await built.app.inject({ method, url, headers })
    return { status: statusCode, headers: its, body: rawPayload }
  }
  return { ...built, port, send }
}

t.test('a stream with gzip gives its first rows while the second page is held back', async (t) => {
  const { simulator, port } = await start(t)
  const held = hold(simulator, behindPage(1))
  const stream = await readStream(t, port, '/tables/tracks/read', 'gzip')
  t.equal(stream.headers.get('content-encoding'), 'gzip')
  await held.arrived
  const first = await stream.upTo('checkpoint')
  t.equal(recordsOf(first).length, 49)
  held.release()
  const rest = await stream.rest()
  t.equal(recordsOf([...first, ...rest]).length, 237)
  t.match(rest.at(-1), { end: { has_more: false, records: 237 } })
})

t.test('reads are the same with gzip, and HEAD says the same headers', async (t) => {
  const { send } = await start(t)
  for (const url of ['/tables/tracks/read', '/tables/tracks/read?format=ndjson']) {
    const plain = await send('GET', url)
    t.equal(plain.headers['content-encoding'], undefined)
    t.equal(plain.headers.vary, 'accept, accept-encoding')
    for (const encoding of ['gzip', 'br, gzip', 'identity', 'br']) {
      const get = await send('GET', url, encoding)
      const isGzip = encoding.includes('gzip')
      t.equal(get.headers['content-encoding'], isGzip ? 'gzip' : undefined, `${url} ${encoding}`)
      t.equal(get.headers.vary, 'accept, accept-encoding')
      const body = isGzip ? gunzipSync(get.body) : get.body
      t.ok(body.equals(plain.body), 'the same bytes')
      if (isGzip) t.ok(get.body.length * 4 < body.length, `${get.body.length} of ${body.length}`)
      const head = await send('HEAD', url, encoding)
      t.strictSame(telling(head.headers), telling(get.headers), 'HEAD')
      t.equal(head.body.length, 0)
    }
  }
})

t.test('other answers are compressed where they are long, and say that they may be', async (t) => {
  const { send } = await start(t)
  for (const url of [
    '/tables',
    '/tables/tracks/schema',
    '/openapi.json',
    '/docs/static/swagger-ui.css',
    '/docs/static/swagger-ui-bundle.js',
  ]) {
    const plain = await send('GET', url)
    t.equal(plain.headers.vary, 'accept-encoding', 'caches are told of the other form')
    const answer = await send('GET', url, 'gzip')
    t.equal(answer.headers['content-encoding'], 'gzip', url)
    t.equal(answer.headers.vary, 'accept-encoding')
    t.ok(answer.body.length < plain.body.length)
    t.ok(gunzipSync(answer.body).equals(plain.body))
    const head = await send('HEAD', url, 'gzip')
    t.strictSame(telling(head.headers), telling(answer.headers), 'HEAD')
  }
  for (const url of ['/livez', '/tables/tracks/metadata', '/nope', '/tables/x/read']) {
    const answer = await send('GET', url, 'gzip')
    t.equal(answer.headers['content-encoding'], undefined, `${url} is short`)
    t.equal(Number(answer.headers['content-length']), answer.body.length)
  }
})

const many = makeLibrary({ tracks: 237, artists: 140 })

t.test('a reader of a stream with gzip that goes away ends the read', async (t) => {
  const { simulator, log, listen } = await build(t, {
    simulator: { library: many },
    timeouts: patient,
    env: { SPOTIFY_CONCURRENCY: '1' },
  })
  const port = await listen()
  const held = hold(simulator, behindPage(1))
  const stream = await readStream(t, port, '/tables/tracks/read', 'gzip')
  await stream.upTo('checkpoint')
  await held.arrived
  stream.leave()
  await until(() => simulator.stats.inFlight === 0)
  held.release()
  await until(() => log.some(({ msg }) => msg === 'the reader went away before the answer'))
  t.equal(simulator.stats.api, 2)
  t.notOk(log.some(({ level }) => Number(level) >= 40))
})

/** The headers but for those of this one answer. */
function telling({ date: _, 'x-request-id': __, ...headers }: Record<string, unknown>) {
  const { 'transfer-encoding': ___, connection: ____, ...rest } = headers
  return rest
}
