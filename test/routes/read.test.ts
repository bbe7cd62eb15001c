import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { serverError, tooManyRequests } from '../../src/simulator/spotify-errors.ts'
import { type Answer, ask, assertProblem } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { hold, holdTogether, patient, until } from '../helpers/hold.ts'
import { exchange, receive } from '../helpers/raw.ts'
import { behindPage } from '../helpers/saved-tracks.ts'

const tables = ['tracks', 'albums', 'playlists', 'artists', 'top_tracks', 'top_artists']
const all = [...tables, 'recently_played', 'user_profile']

const request = (method: string, path: string, ...fields: string[]) =>
  `${[`${method} ${path} HTTP/1.1`, 'Host: localhost', ...fields].join('\r\n')}\r\n\r\n`

/** A service that listens, with 237 tracks, and patient with the simulator. */
async function start(t: Test, options: Parameters<typeof build>[1] = {}) {
  const built = await build(t, { timeouts: patient, ...options })
  built.simulator.library = makeLibrary({ tracks: 237 })
  const port = await built.listen()
  const send = async (method: string, path: string, ...fields: string[]) => {
    const bytes = request(method, path, ...fields, 'Connection: close')
    const [answer] = await exchange(port, bytes, { head: method === 'HEAD' })
    return answer as Answer
  }
  return { ...built, port, send }
}

for (const table of all) {
  t.test(`${table}: an answer has its three members and its headers`, async (t) => {
    const { send } = await start(t)
    const { status, headers, text } = await send('GET', `/tables/${table}/read`)
    t.equal(status, 200)
    t.equal(headers['content-type'], 'application/json; charset=utf-8')
    t.equal(headers['cache-control'], 'no-store')
    t.equal(headers['accept-ranges'], 'none')
    t.equal(headers.vary, 'accept, accept-encoding')
    t.equal(headers['content-length'], undefined, 'it is sent piece by piece')
    t.equal(headers.link, undefined)
    const { records, offset, has_more, skipped, ...more } = JSON.parse(text)
    t.ok(records.length > 0)
    t.equal(has_more, false)
    if (table === 'recently_played') t.match(offset, { cursor: /^\d{13}$/, recent: /^[\w-]+$/ })
    else t.equal(offset, null)
    t.strictSame(more, {}, 'nothing but what applies')
  })

  t.test(`${table}: HEAD has the headers of GET, and costs nothing`, async (t) => {
    const { send, simulator } = await start(t)
    const path = `/tables/${table}/read?limit=50`
    const head = await send('HEAD', path, 'X-Request-Id: the-same')
    t.equal(simulator.stats.requests.length, 0)
    t.equal(head.status, 200)
    t.equal(head.text, '')
    t.equal(head.headers['content-length'], undefined, 'none that is made up')
    t.equal(head.headers['transfer-encoding'], undefined)
    const get = await send('GET', path, 'X-Request-Id: the-same')
    const { 'transfer-encoding': _, date: __, ...headers } = get.headers
    const { date: ___, ...its } = head.headers
    t.strictSame(its, headers)
  })
}

t.test('HEAD refuses what GET refuses, and asks nobody', async (t) => {
  const { send, simulator } = await start(t)
  const paths = ['/tables/nope/read', '/tables/tracks/read?limit=0', '/tables/tracks/read?offset=x']
  for (const path of [...paths, '/tables/tracks/read?connection=x']) {
    const head = await send('HEAD', path, 'X-Request-Id: the-same')
    const get = await send('GET', path, 'X-Request-Id: the-same')
    t.ok(head.status >= 400 && head.text === '', path)
    t.strictSame({ ...head.headers, date: '' }, { ...get.headers, date: '' }, path)
    t.equal(head.status, get.status, path)
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test('HEAD says nothing of what only Spotify knows', async (t) => {
  const { send, simulator } = await start(t)
  simulator.revokeRefreshToken()
  t.equal((await send('GET', '/tables/tracks/read')).status, 424)
  t.equal((await send('HEAD', '/tables/tracks/read')).status, 200)
})

t.test('a Range and a condition are passed over: the answer is whole', async (t) => {
  const { send } = await start(t)
  const whole = (await send('GET', '/tables/tracks/read')).text
  const fields = ['Range: bytes=0-1', 'Range: bytes=999999999-', 'Range: rubbish', 'If-Range: "x"']
  for (const field of [
    ...fields,
    'If-None-Match: *',
    'If-Modified-Since: Wed, 25 Nov 2026 10:00:00 GMT',
  ]) {
    const { status, headers, text } = await send('GET', '/tables/tracks/read', field)
    t.equal(status, 200, field)
    t.equal(headers['accept-ranges'], 'none')
    t.equal(headers['content-range'], undefined)
    t.ok(text === whole, field)
  }
})

t.test('it is JSON unless a reader prefers lines, and never a 406', async (t) => {
  const { send } = await start(t)
  const lines = 'application/x-ndjson'
  const json = [
    '*/*',
    'text/html',
    'application/json;q=0',
    'rubbish',
    '',
    `application/json, ${lines}`,
  ]
  for (const accept of [...json, lines, `application/json;q=0.5, ${lines}`]) {
    const wanted = json.includes(accept) ? 'application/json' : lines
    for (const method of ['GET', 'HEAD']) {
      const answer = await send(method, '/tables/user_profile/read', `Accept: ${accept}`)
      t.equal(answer.status, 200)
      t.equal(answer.headers['content-type'], `${wanted}; charset=utf-8`, accept)
      t.equal(answer.headers.vary, 'accept, accept-encoding')
    }
  }
})

t.test('as long as there is more, the answer says how to go on', async (t) => {
  const { get, simulator } = await start(t)
  const rows: unknown[] = []
  let next = '/tables/tracks/read?limit=50&max_pages=2'
  const counts: number[] = []
  while (next) {
    const { status, headers, body } = await get(next)
    t.equal(status, 200)
    t.equal(headers.link, body.next && `<${body.next}>; rel="next"`)
    t.equal(body.has_more, body.next !== undefined)
    rows.push(...body.records)
    counts.push(body.records.length)
    next = body.next
  }
  t.strictSame(counts, [98, 98, 41])
  t.strictSame(
    rows.map((row) => (row as { track: { id: string } }).track.id),
    simulator.library.tracks.map((item) => item?.track?.id),
  )
})

t.test('a failure behind the first page keeps what was read, and is told of', async (t) => {
  const { get, simulator } = await start(t)
  simulator.faults.add({
    on: behindPage(2),
    times: Number.POSITIVE_INFINITY,
    fault: serverError(502),
  })
  const { status, body } = await get('/tables/tracks/read')
  t.equal(status, 200)
  t.equal(body.records.length, 98)
  t.equal(body.has_more, true)
  t.match(body.interrupted, {
    type: 'urn:lakeflow-spotify:upstream-error',
    status: 502,
    code: 'upstream-error',
    retryable: true,
    instance: '/tables/tracks/read',
    detail: /502/,
  })
  const lasting = await get(body.next)
  t.equal(lasting.status, 502, 'if it lasts, the next call is the problem itself')
  t.equal(lasting.body.code, 'upstream-error')
  simulator.faults.clear()
  const rest = await get(body.next)
  t.equal(rest.body.records.length, 139)
  t.equal(rest.body.has_more, false)
})

t.test('a 429 behind the first page says when to come back', async (t) => {
  const { get, simulator } = await start(t, { env: { READ_WAIT_BUDGET_MS: '0' } })
  simulator.faults.add({ on: '/me/tracks', skip: 1, fault: tooManyRequests(120) })
  const { status, body } = await get('/tables/tracks/read')
  t.equal(status, 200)
  t.match(body, { has_more: true, retry_after_s: 120, interrupted: { code: 'rate-limited' } })
  const { headers, ...next } = await get(body.next)
  t.equal(next.status, 429)
  t.match(Number(headers['retry-after']), 120)
  t.equal(next.body.retry_after_s, Number(headers['retry-after']))
})

t.test('half an emoji becomes U+FFFD, and whole ones stay: Python can read it', async (t) => {
  const { send, simulator } = await start(t)
  const [first, second, third] = simulator.library.tracks
  if (!first?.track || !second?.track || !third?.track) throw new Error('there are tracks')
  const names = ['Song \ud83d', '\udc00x \ud83c\udfb5 שלום 👩‍🎤']
  first.track.name = names[0] as string
  second.track.name = names[1] as string
  third.track.id = 'half-\udfff'
  const { status, text } = await send('GET', '/tables/tracks/read?max_pages=1')
  t.equal(status, 200)
  t.ok(isReadable(text))
  t.notOk(isReadable(JSON.stringify(names)), 'the check can fail')
  t.match(JSON.parse(text).records, [
    { track: { name: 'Song \ufffd' } },
    { track: { name: '\ufffdx 🎵 שלום 👩‍🎤' } },
    { track: { id: 'half-\ufffd' } },
  ])

  const body = { error: { status: 403, message: 'half \ud83d of it' } }
  simulator.faults.add({ on: '/me/tracks', fault: { kind: 'status', status: 403, body } })
  const refused = await send('GET', '/tables/tracks/read')
  t.ok(isReadable(refused.text))
  const problem = assertProblem(t, refused, 'account-not-allowed', 403)
  t.match(problem.detail, 'half \ufffd of it')
})

t.test('a reader that goes away ends its read, and nobody else is disturbed', async (t) => {
  const { port, simulator, log, get } = await start(t)
  const inFlight = holdTogether(simulator, '/me/tracks', { count: 8, skip: 1 })
  const reader = connect(port, '127.0.0.1')
  reader.write(request('GET', '/tables/tracks/read?limit=10', 'X-Request-Id: impatient'))
  await inFlight.arrived
  reader.destroy()
  const its = () => log.filter(({ request_id }) => request_id === 'impatient')
  await until(() => its().some(({ msg }) => /went away/.test(String(msg))))
  await until(() => simulator.stats.inFlight === 0)
  inFlight.release()

  const pagesOf = () => simulator.stats.requests.filter(({ path }) => path === '/me/tracks').length
  // Were it still read, its pages would come between those of another read.
  t.equal((await get('/tables/artists/read?limit=5')).status, 200)
  t.equal(pagesOf(), 1 + 8)
  t.strictSame(
    its().filter(({ level }) => Number(level) > 30),
    [],
    'it is no fault of the service',
  )
  t.equal((await get('/tables/tracks/read')).body.records.length, 237)
})

t.test('a reader that goes away ends all the reads that it sent ahead', async (t) => {
  const { port, simulator, log, get, close } = await start(t)
  const first = holdTogether(simulator, '/me/tracks', { count: 8, skip: 1 })
  const second = hold(simulator, '/me/following', 2)
  const reader = connect(port, '127.0.0.1')
  const ahead = ['/tables/tracks/read?limit=10', '/tables/artists/read?limit=10']
  reader.write(ahead.map((path) => request('GET', path)).join(''))
  await Promise.all([first.arrived, second.arrived])
  reader.destroy()
  await until(() => log.filter(({ msg }) => /went away/.test(String(msg))).length === 2)
  first.release()
  second.release()
  const pages = () =>
    simulator.stats.requests.filter(({ path }) => /me.tracks|following/.test(path)).length
  t.equal((await get('/tables/top_artists/read?limit=5&max_pages=9')).status, 200)
  t.equal(pages(), 1 + 8 + 2)
  t.ok(log.every(({ level }) => Number(level) < 50))
  await close()
})

t.test('a reader that goes away while its read waits at the gate ends the wait', async (t) => {
  const clock = new FakeClock()
  const { port, simulator, log, get } = await start(t, { clock })
  simulator.faults.add({ on: '/me/tracks', fault: tooManyRequests(10) })
  const reader = connect(port, '127.0.0.1')
  reader.write(request('GET', '/tables/tracks/read'))
  await until(() => clock.sleeping === 1)
  reader.destroy()
  await until(() => clock.sleeping === 0)
  const asked = simulator.stats.api
  await clock.advance(10_000)
  t.equal((await get('/tables/user_profile/read')).status, 200)
  t.equal(simulator.stats.api, asked + 1)
  t.ok(log.every(({ level }) => Number(level) < 50))
})

t.test('a slow reader gets every byte', async (t) => {
  const { port, app } = await start(t)
  const whole = (await ask(app, '/tables/tracks/read')).text
  const reader = connect(port, '127.0.0.1')
  reader.pause()
  reader.write(request('GET', '/tables/tracks/read', 'Connection: close'))
  await once(app.server, 'request')
  const [answer] = await receive(reader, 1)
  t.ok(answer?.text === whole)
})

/** Whether Python's `json.loads` and `encode("utf-8")` take it: no half of a pair stands alone. */
function isReadable(text: string): boolean {
  return text.isWellFormed() && !/\\u[dD][89a-fA-F][0-9a-fA-F]{2}/.test(text)
}
