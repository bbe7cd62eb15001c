import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { arrival, refresh, start, stillClock } from './start.ts'

/** Sends text over a bare socket and gives all that comes back. */
async function exchange(url: string, text: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    answer += chunk
  })
  socket.write(text)
  await once(socket, 'close')
  return answer
}

t.test('requests are counted and remembered without their prefix', async (t) => {
  const clock = stillClock(1_000)
  const { simulator, get } = await start(t, { clock })
  clock.nowMs = 2_000
  await refresh(simulator)
  await get('/me/tracks?limit=5&offset=7')
  await get('/nothing', { method: 'DELETE' })
  const { stats } = simulator
  t.match(stats, { api: 2, token: 1, inFlight: 0, maxInFlight: 1 })
  t.same(stats.requests, [
    { method: 'POST', path: '/api/token', query: {}, status: 200, atMs: 2_000 },
    {
      method: 'GET',
      path: '/me/tracks',
      query: { limit: '5', offset: '7' },
      status: 200,
      atMs: 2_000,
    },
    { method: 'DELETE', path: '/nothing', query: {}, status: 404, atMs: 2_000 },
  ])
  stats.reset()
  t.match(stats, { api: 0, token: 0, requests: [], maxInFlight: 0 })
})

t.test('answers of the Web API take the latency, side by side', async (t) => {
  const { simulator, get } = await start(t, { latencyMs: ({ path }) => (path === '/me' ? 50 : 5) })
  const startedMs = performance.now()
  const answers = await Promise.all(Array.from({ length: 6 }, () => get('/me')))
  const tookMs = performance.now() - startedMs
  t.ok(tookMs >= 45, `${tookMs} ms`)
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(simulator.stats.maxInFlight, 6)
  await Promise.all(answers.map((answer) => answer.text()))
  t.equal(simulator.stats.inFlight, 0)
})

t.test('two simulators know nothing of each other', async (t) => {
  const one = await start(t)
  const two = await start(t)
  t.not(one.simulator.apiUrl, two.simulator.apiUrl)
  t.equal((await two.get('/me', { headers: { authorization: `Bearer ${one.token}` } })).status, 401)
})

t.test('whatever is sent is answered, and the simulator goes on', async (t) => {
  const { simulator, get, token } = await start(t)
  const { apiUrl, accountsUrl } = simulator
  const bodies = [
    { body: '{"broken', headers: { 'content-type': 'application/json' } },
    { body: Buffer.alloc(2_000_000), headers: { 'content-type': 'image/png' } },
    { body: Buffer.of(0xff, 0xfe), headers: { 'content-type': 'no type at all' } },
  ]
  for (const init of bodies) {
    t.equal((await fetch(`${apiUrl}/me`, { method: 'PUT', ...init })).status, 401)
    t.equal((await fetch(`${accountsUrl}/api/token`, { method: 'POST', ...init })).status, 400)
  }

  const line = (request: string) => `${request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`
  const authorization = `Authorization: Bearer ${token}\r\n\r\n`
  const cases: [string, RegExp][] = [
    [`${line('GET /v1/%zz')}\r\n`, /^HTTP\/1.1 404 .*Service not found/s],
    [`${line('OPTIONS *')}\r\n`, /^HTTP\/1.1 404 /],
    [`${line('CONNECT example.com:443')}\r\n`, /^HTTP\/1.1 405 /],
    [`${line(`GET ${apiUrl}/me`)}${authorization}`, /^HTTP\/1.1 200 /],
    [`${line('GET /v1/me?limit=1&limit=2&__proto__=x')}${authorization}`, /^HTTP\/1.1 200 /],
    [`${line('GET /v1/me')}Upgrade: websocket\r\n${authorization}`, /^HTTP\/1.1 200 /],
    [`${line('GET /v1/me')}Expect: a miracle\r\n${authorization}`, /^HTTP\/1.1 417 /],
    ['rubbish\r\n\r\n', /^HTTP\/1.1 400 /],
  ]
  for (const [text, expected] of cases) t.match(await exchange(apiUrl, text), expected, text)
  t.equal((await get('/me')).status, 200)
})

t.test('a client that goes away in the middle harms nobody', async (t) => {
  const { simulator, get } = await start(t, { latencyMs: 20 })
  simulator.faults.add({ on: '/me/tracks', fault: { kind: 'slow-body', msPerByte: 1 } })
  const tracks = await get('/me/tracks')
  await tracks.body?.cancel()
  await t.rejects(get('/me', { signal: AbortSignal.timeout(5) }))
  const arrived = arrival(simulator, '/api/token')
  const socket = connect(Number(new URL(simulator.apiUrl).port), '127.0.0.1')
  socket.write(
    'POST /accounts/api/token HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\ngrant',
    () => socket.destroy(),
  )
  await arrived
  t.equal((await get('/me/albums')).status, 200)
  t.equal(simulator.stats.api, 3)
})

t.test('after close nothing listens, and nothing is waited for', async (t) => {
  const { simulator, get } = await start(t, { latencyMs: 60_000 })
  const arrived = arrival(simulator, '/me')
  const waiting = get('/me').then(
    () => 'answered',
    () => 'ended',
  )
  await arrived
  await simulator.close()
  t.equal(await waiting, 'ended')
  await t.rejects(get('/me'))
})

t.test('a process with a closed simulator ends, whatever still hung', async (t) => {
  const script = `
    import { startSimulator } from ${JSON.stringify(new URL('../../src/simulator/simulator.ts', import.meta.url))}
    const simulator = await startSimulator()
    const hang = (fault) => simulator.faults.add({ on: '/me', fault })
    hang({ kind: 'no-headers' })
    hang({ kind: 'slow-headers', ms: 60000 })
    const ask = () => fetch(simulator.apiUrl + '/me').catch(() => undefined)
    const asked = [ask(), ask()]
    while (simulator.stats.inFlight < 2) await new Promise(setImmediate)
    await simulator.close()
    await Promise.all(asked)
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 15_000,
  })
  const [code, signal] = await once(child, 'exit')
  t.same([code, signal], [0, null])
})

t.test('it listens on the loopback alone, on the port that it is given', async (t) => {
  const first = await startSimulator()
  const { hostname, port } = new URL(first.apiUrl)
  t.equal(hostname, '127.0.0.1')
  await first.close()
  const second = await startSimulator({ port: Number(port) })
  t.teardown(() => second.close())
  t.equal(second.apiUrl, first.apiUrl)
})
