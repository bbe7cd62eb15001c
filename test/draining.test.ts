import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { type Answer, assertProblem } from './helpers/answer.ts'
import { build } from './helpers/build.ts'
import { hold, patient, until } from './helpers/hold.ts'
import { exchange, receive } from './helpers/raw.ts'
import { behindPage, savedTracks } from './helpers/saved-tracks.ts'

const end = 'Connection: close'
const request = (path: string, ...fields: string[]) =>
  `${[`GET ${path} HTTP/1.1`, 'Host: localhost', ...fields].join('\r\n')}\r\n\r\n`

/** A service that has begun to close while a read runs: its socket, kept, and how to let it end. */
async function startDraining(t: Test) {
  const { simulator, listen, close, log } = await build(t, { timeouts: patient })
  const port = await listen()
  const idle = connect(port, '127.0.0.1')
  t.teardown(() => idle.destroy())
  idle.write(request('/livez'))
  await once(idle, 'data')

  const profile = hold(simulator, '/me')
  const reader = connect(port, '127.0.0.1')
  reader.write(request('/tables/user_profile/read'))
  await profile.arrived
  const closed = close()
  const isReady = async () => (await exchange(port, request('/readyz', end)))[0]?.status === 200
  while (await isReady());
  return { port, idle, reader, release: profile.release, closed, log }
}

t.test(
  'a running read ends normally, and then the service, though connections are kept',
  async (t) => {
    const { reader, release, closed, log } = await startDraining(t)
    release()
    const [answer] = await receive(reader, 1)
    t.equal(answer?.status, 200)
    t.equal(JSON.parse(answer?.text ?? '').records.length, 1)
    t.equal(answer?.headers.connection, 'close')
    await closed
    t.ok(log.every(({ level }) => Number(level) < 40))
  },
)

t.test('a connection that waits for another request is closed at once', async (t) => {
  const { idle, reader, release, closed } = await startDraining(t)
  await until(() => idle.closed)
  release()
  t.equal((await receive(reader, 1))[0]?.status, 200)
  await closed
})

t.test('a new request is told that the service is shutting down', async (t) => {
  const { port, reader, release, closed } = await startDraining(t)
  const [answer, ...more] = await exchange(port, request('/tables', 'X-Request-Id: late'))
  t.strictSame(more, [])
  const problem = assertProblem(t, answer as Answer, 'shutting-down', 503)
  t.equal(problem.request_id, 'late')
  t.equal(answer?.headers.connection, 'close')
  t.match(answer?.headers['retry-after'], /^[1-9]\d*$/)
  release()
  t.equal((await receive(reader, 1))[0]?.status, 200)
  await closed
})

t.test('a stream that began before ends, and its connection with it', async (t) => {
  const { simulator, listen, close } = await build(t, { timeouts: patient })
  simulator.library = savedTracks
  const port = await listen()
  const [third, other] = [hold(simulator, behindPage(2)), hold(simulator, '/me')]
  const running = connect(port, '127.0.0.1')
  running.write(request('/tables/user_profile/read'))
  const reader = connect(port, '127.0.0.1')
  reader.write(request('/tables/tracks/read?format=ndjson'))
  await Promise.all([third.arrived, other.arrived])
  const closed = close()
  third.release()
  // Another read runs on, and still the connection ends.
  const [answer] = await receive(reader, Number.POSITIVE_INFINITY)
  t.equal(answer?.headers.connection, 'keep-alive')
  t.match(JSON.parse(answer?.text.trim().split('\n').at(-1) ?? ''), {
    end: { has_more: false, records: 237 },
  })
  other.release()
  t.equal((await receive(running, 1))[0]?.status, 200)
  await closed
})

t.test('as long as a read runs it listens, so that probes see what happens', async (t) => {
  const { port, reader, release, closed } = await startDraining(t)
  const answers = async (path: string) => (await exchange(port, request(path, end)))[0] as Answer
  t.equal((await answers('/livez')).status, 200)
  for (const path of ['/readyz', '/health', '/tables/tracks/read', '/docs', '/nope', '/livez/']) {
    assertProblem(t, await answers(path), 'shutting-down', 503)
  }
  release()
  await receive(reader, 1)
  await closed
  await t.rejects(exchange(port, request('/livez')), { code: 'ECONNREFUSED' })
})

t.test('requests that were sent ahead on one connection are all answered', async (t) => {
  const { simulator, listen, close } = await build(t, { timeouts: patient })
  const port = await listen()
  const [first, second] = [hold(simulator, '/me'), hold(simulator, '/me/tracks')]
  const reader = connect(port, '127.0.0.1')
  reader.write(request('/tables/user_profile/read') + request('/tables/tracks/read'))
  await Promise.all([first.arrived, second.arrived])
  const answers = receive(reader, 2)
  const closed = close()
  first.release()
  await until(() => reader.bytesRead > 0)
  second.release()
  t.match(await answers, [{ status: 200 }])
  await closed
})

t.test('a reader that goes away meanwhile does not hold it up', async (t) => {
  const { reader, closed } = await startDraining(t)
  reader.destroy()
  await closed
})

t.test('what runs nothing is closed at once', async (t) => {
  const { listen, close } = await build(t)
  const port = await listen()
  const idle = connect(port, '127.0.0.1')
  idle.write(request('/livez'))
  await once(idle, 'data')
  await close()
  await once(idle, 'close')
})
