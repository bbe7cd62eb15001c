import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { pathOf } from '../src/request-log.ts'
import { makeLibrary } from '../src/simulator/library.ts'
import { forbidden, serverError, tooManyRequests } from '../src/simulator/spotify-errors.ts'
import { ask } from './helpers/answer.ts'
import { build } from './helpers/build.ts'
import { FakeClock } from './helpers/fake-clock.ts'
import { hold, patient, until } from './helpers/hold.ts'
import { scrape } from './helpers/metrics.ts'

t.test('the path of a URL is without its query, its fragment and its host', async (t) => {
  t.equal(pathOf('/tables/tracks/read?offset=hush'), '/tables/tracks/read')
  t.equal(pathOf('/tables#hush'), '/tables')
  t.equal(pathOf('/?a?b'), '/')
  t.equal(pathOf('http://user:hush@localhost:8080/tables?a'), '/tables')
  t.equal(pathOf('HTTPS://localhost'), '/')
  t.equal(pathOf('http://localhost?hush'), '/')
  t.equal(pathOf('/a/http://b/c'), '/a/http://b/c')
  t.equal(pathOf('*'), '*')
})

t.test('a request is one line, with what became of it', async (t) => {
  const { app, log } = await build(t)
  const linesOf = async (url: string) => {
    log.length = 0
    await ask(app, { url, headers: { 'x-request-id': 'its-id' } })
    return log.filter(({ msg }) => msg === 'request')
  }
  const of = { level: 30, request_id: 'its-id', method: 'GET', ms: Number }
  const read = '/tables/artists/read'
  const about = { path: read, table: 'artists', connection: 'default' }
  t.match(await linesOf(`${read}?limit=50`), [
    { ...of, ...about, status: 200, rows: 140, pages: 3, outcome: 'whole', wait_ms: 0 },
  ])
  t.match(await linesOf(`${read}?limit=9&max_pages=2`), [
    { ...of, ...about, status: 200, rows: 18, pages: 2, outcome: 'more' },
  ])
  t.match(await linesOf('/tables/nope/read'), [
    { ...of, path: '/tables/nope/read', status: 404, code: 'table-not-found', detail: /"nope"/ },
  ])
  t.match(await linesOf(`${read}?limit=0`), [
    { ...of, path: read, status: 400, code: 'invalid-option', detail: /limit is "0"/ },
  ])
  t.match(await linesOf('/tables/%zz/read?hush'), [
    { ...of, path: '/tables/%zz/read', status: 400, code: 'bad-request', detail: /no path/ },
  ])
  for (const path of ['/health', '/tables', '/docs', '/']) {
    const [line, ...more] = await linesOf(path)
    t.match(line, { ...of, path }, path)
    t.strictSame(more, [])
  }
})

t.test('a read is one line whatever becomes of it, as JSON and as a stream', async (t) => {
  const { app, log, simulator } = await build(t)
  const last = ({ path, query }: { path: string; query: Record<string, unknown> }) =>
    path === '/me/tracks' && Number(query.offset) > 90
  for (const format of ['json', 'ndjson']) {
    const lineOf = async (table: string, options = '') => {
      log.length = 0
      await ask(app, `/tables/${table}/read?format=${format}${options}`)
      const [line, ...more] = log.filter(({ msg }) => msg === 'request')
      t.strictSame(more, [])
      return line
    }
    const its = { connection: 'default', wait_ms: Number }
    simulator.library = makeLibrary({ tracks: 237 })
    simulator.library.tracks[3] = null
    const whole = { rows: 236, pages: 5, skipped: 1, outcome: 'whole', code: undefined }
    t.match(await lineOf('tracks'), { ...its, table: 'tracks', status: 200, ...whole })
    const more = { rows: 48, pages: 1, outcome: 'more' }
    t.match(await lineOf('tracks', '&max_pages=1'), { ...its, ...more })
    simulator.faults.add({ on: last, times: Number.POSITIVE_INFINITY, fault: serverError() })
    const interrupted = { rows: 97, pages: 2, outcome: 'interrupted', code: 'upstream-error' }
    t.match(await lineOf('tracks'), { ...its, status: 200, ...interrupted })
    simulator.faults.clear()
    simulator.faults.add({ on: '/me', times: 4, fault: serverError() })
    const failed = { rows: 0, pages: 0, outcome: 'failed', code: 'upstream-error', detail: /503/ }
    t.match(await lineOf('user_profile'), { ...its, table: 'user_profile', status: 502, ...failed })
  }
})

t.test('a stream that fails behind its rows tells so in its line', async (t) => {
  const { app, log, simulator } = await build(t)
  const second = ({ path, query }: { path: string; query: Record<string, unknown> }) =>
    path === '/me/tracks' && Number(query.offset) > 40
  simulator.faults.add({ on: second, fault: forbidden('premium') })
  const { text } = await ask(app, '/tables/tracks/read?format=ndjson')
  t.match(JSON.parse(text.trim().split('\n').at(-1) as string), { error: { status: 403 } })
  const failed = { status: 200, rows: 48, outcome: 'failed', code: 'account-not-allowed' }
  t.match(
    log.find(({ msg }) => msg === 'request'),
    failed,
  )
})

t.test('what stands in a query is in no line', async (t) => {
  const { app, log } = await build(t)
  const urls = [
    '/tables?access_token=hush',
    '/tables/tracks/read?access_token=hush',
    '/nope?t=hush',
  ]
  for (const url of [...urls, '/tables/%zz/read?t=hush', '/docs?t=hush', '/livez?t=hush']) {
    await ask(app, url)
    await ask(app, { method: 'POST', url })
  }
  t.ok(log.length >= 12)
  t.notMatch(JSON.stringify(log), 'hush')
})

t.test('probes are told of at debug', async (t) => {
  const { app, log } = await build(t)
  for (const url of ['/livez', '/readyz', '/livez?x', '/readyz?x=1']) {
    log.length = 0
    await ask(app, url)
    t.match(log, [{ level: 20, path: url.split('?')[0], status: url.includes('?') ? 400 : 200 }])
    t.equal(log.length, 1)
  }
})

for (const format of ['json', 'ndjson']) {
  t.test(
    `${format}: a reader that goes away is told of, with what was read until then`,
    async (t) => {
      const clock = new FakeClock()
      const library = makeLibrary({ tracks: 237 })
      const { app, listen, log, simulator } = await build(t, { clock, simulator: { library } })
      const last = ({ path, query }: { path: string; query: Record<string, unknown> }) =>
        path === '/me/tracks' && Number(query.offset) > 90
      simulator.faults.add({ on: last, fault: tooManyRequests(10) })
      const reader = connect(await listen(), '127.0.0.1')
      const fields = 'Host: localhost\r\nX-Request-Id: its-id'
      const path = '/tables/tracks/read'
      reader.write(`GET ${path}?format=${format} HTTP/1.1\r\n${fields}\r\n\r\n`)
      await until(() => clock.sleeping > 0)
      clock.setTo(clock.now() + 4_000)
      reader.destroy()
      await until(() => log.some(({ msg }) => /went away/.test(String(msg))))
      const read = {
        table: 'tracks',
        connection: 'default',
        outcome: 'reader-gone',
        wait_ms: 4_000,
      }
      const [line, ...more] = log.filter(({ msg }) => /went away|^request$/.test(String(msg)))
      t.match(line, { level: 30, request_id: 'its-id', method: 'GET', path, ...read })
      t.equal(line?.rows, Number(line?.pages) * 49)
      t.ok(Number(line?.pages) >= 1)
      t.strictSame(more, [])
      const { value } = await scrape(app)
      t.equal(value('reads_total', { table: 'tracks', outcome: 'reader-gone', code: '' }), 1)
      t.equal(value('reads_running', { table: 'tracks' }), 0)
      t.equal(value('last_successful_read_timestamp_seconds'), null)
    },
  )
}

t.test('a reader that goes away is told of, at info', async (t) => {
  const { listen, log, simulator } = await build(t, { timeouts: patient })
  const profile = hold(simulator, '/me')
  const reader = connect(await listen(), '127.0.0.1')
  const fields = 'Host: localhost\r\nX-Request-Id: its-id'
  reader.write(`GET /tables/user_profile/read?hush HTTP/1.1\r\n${fields}\r\n\r\n`)
  await once(reader, 'data')
  reader.write(`GET /tables/user_profile/read HTTP/1.1\r\n${fields}\r\n\r\n`)
  await profile.arrived
  reader.destroy()
  await until(() => log.some(({ msg }) => /went away/.test(String(msg))))
  const line = log.find(({ msg }) => /went away/.test(String(msg)))
  t.match(line, { level: 30, request_id: 'its-id', path: '/tables/user_profile/read' })
  profile.release()
})
