import { once } from 'node:events'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import type { Fault } from '../../src/simulator/faults.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { createTransport, type Timeouts } from '../../src/spotify/transport.ts'
import { authorized } from '../helpers/access-token.ts'
import { rawServer } from '../helpers/raw-server.ts'

const timeouts: Timeouts = { connectMs: 200, headersMs: 200, idleMs: 200, totalMs: 10_000 }

/** A transport with short limits, and a simulated Spotify whose every answer has the fault. */
async function start(t: Test, fault: Fault, limits: Partial<Timeouts> = {}) {
  const simulator = await startSimulator()
  const transport = createTransport({ ...timeouts, ...limits })
  t.teardown(() => transport.close())
  t.teardown(() => simulator.close())
  const headers = await authorized(simulator)
  simulator.faults.add({ on: () => true, times: Number.POSITIVE_INFINITY, fault })
  const get = (signal?: AbortSignal) =>
    transport.send({ method: 'GET', url: `${simulator.apiUrl}/me`, headers }, signal)
  return { simulator, get }
}

t.test('a host that refuses the connection is a fault', async (t) => {
  const transport = createTransport(timeouts)
  t.teardown(() => transport.close())
  const { port, close } = await rawServer(t, () => {})
  await close()
  const url = `http://127.0.0.1:${port}/v1/me?secret=1`
  await t.rejects(transport.send({ method: 'GET', url, headers: {} }), {
    name: 'UpstreamFault',
    kind: 'error',
    message: 'the connection failed (ECONNREFUSED)',
  })
})

t.test('a connection that does not come about is a timeout', async (t) => {
  const transport = createTransport({ ...timeouts, headersMs: 10_000 })
  t.teardown(() => transport.close())
  // It takes the socket and never answers the TLS handshake, which is a part of connecting.
  const { port } = await rawServer(t, () => {})
  const url = `https://127.0.0.1:${port}/v1/me`
  await soon(t, () =>
    t.rejects(transport.send({ method: 'GET', url, headers: {} }), {
      name: 'UpstreamFault',
      kind: 'timeout',
      message: 'no connection within 0.2 s',
    }),
  )
})

t.test('an answer that does not begin is a timeout', async (t) => {
  const { get } = await start(t, { kind: 'no-headers' })
  await soon(t, () =>
    t.rejects(get(), { name: 'UpstreamFault', kind: 'timeout', message: 'no answer within 0.2 s' }),
  )
})

t.test('an answer that stands still is a timeout', async (t) => {
  const { get } = await start(t, { kind: 'stalled-body' })
  await soon(t, () =>
    t.rejects(get(), {
      name: 'UpstreamFault',
      kind: 'timeout',
      message: 'the answer stood still for 0.2 s',
    }),
  )
})

t.test('an answer that trickles for ever is ended by the limit of the whole', async (t) => {
  const { simulator, get } = await start(t, { kind: 'slow-body', msPerByte: 50 }, { totalMs: 600 })
  await t.rejects(get(), {
    name: 'UpstreamFault',
    kind: 'timeout',
    message: 'no whole answer within 0.6 s',
  })
  await closed(simulator)
})

t.test('an answer that trickles and comes to its end is good', async (t) => {
  const { get } = await start(t, { kind: 'slow-body', msPerByte: 2 })
  t.match(await get(), { status: 200, text: /^\{.*\}$/ })
})

for (const fault of [{ kind: 'reset' }, { kind: 'reset-body' }, { kind: 'cut-off' }] as const) {
  t.test(`an answer with the fault ${fault.kind} is none`, async (t) => {
    const { get } = await start(t, fault)
    await t.rejects(get(), {
      name: 'UpstreamFault',
      kind: 'error',
      message: /^the connection failed \((ECONNRESET|UND_ERR_SOCKET)\)$/,
    })
  })
}

t.test('what is not HTTP is a fault, and names nothing of what came', async (t) => {
  const transport = createTransport(timeouts)
  t.teardown(() => transport.close())
  const { port } = await rawServer(t, (socket) => socket.end('SSH-2.0-secret\r\n'))
  const url = `http://127.0.0.1:${port}/`
  await t.rejects(transport.send({ method: 'GET', url, headers: {} }), {
    name: 'UpstreamFault',
    kind: 'error',
    message: 'the connection failed (HTTPParserError)',
  })
})

t.test('an answer of over 64 MiB is not read to its end', async (t) => {
  const transport = createTransport(timeouts)
  t.teardown(() => transport.close())
  const piece = Buffer.alloc(1024 * 1024, 'x')
  const { port } = await rawServer(t, async (socket) => {
    await once(socket, 'data')
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${200 * piece.length}\r\n\r\n`)
    Readable.from(Array(200).fill(piece)).pipe(socket)
  })
  const url = `http://127.0.0.1:${port}/`
  await t.rejects(transport.send({ method: 'GET', url, headers: {} }), {
    name: 'UpstreamFault',
    message: 'an answer of over 64 MiB',
  })
})

for (const [when, fault] of [
  ['before the headers', { kind: 'no-headers' }],
  ['in the middle of the body', { kind: 'stalled-body' }],
] as const) {
  t.test(`an abort ${when} rejects with its reason and closes the socket`, async (t) => {
    const { simulator, get } = await start(t, fault, { headersMs: 10_000, idleMs: 10_000 })
    const controller = new AbortController()
    const reason = new Error('the reader went away')
    const refused = t.rejects(get(controller.signal), reason)
    while (simulator.stats.inFlight === 0) await new Promise(setImmediate)
    // Long enough for the first half of a body to arrive.
    await new Promise((resolve) => setTimeout(resolve, 50))
    controller.abort(reason)
    await refused
    await closed(simulator)
  })
}

t.test('who is aborted already sends nothing', async (t) => {
  const { simulator, get } = await start(t, { kind: 'no-headers' })
  const reason = new Error('the reader went away')
  await t.rejects(get(AbortSignal.abort(reason)), reason)
  t.equal(simulator.stats.api, 0)
})

t.test('one lost connection does not lose the next request', async (t) => {
  const { simulator, get } = await start(t, { kind: 'reset' })
  await t.rejects(get(), { name: 'UpstreamFault' })
  simulator.faults.clear()
  t.match(await get(), { status: 200 })
})

/** Asserts that a limit of 200 ms was kept to; undici's timers may take a second more. */
async function soon(t: Test, work: () => Promise<unknown>): Promise<void> {
  const beganMs = performance.now()
  await work()
  t.ok(performance.now() - beganMs < 5_000)
}

/** Resolves when the simulated Spotify has no request open any more. */
async function closed({ stats }: Awaited<ReturnType<typeof startSimulator>>): Promise<void> {
  while (stats.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

t.test('a refusal is one whatever becomes of its body', async (t) => {
  for (const sent of [
    'HTTP/1.1 429 Too Many Requests\r\nretry-after: 48925\r\ncontent-length: 100\r\n\r\n{"er',
    'HTTP/1.1 429 Too Many Requests\r\nretry-after: 48925\r\ncontent-encoding: gzip\r\ncontent-length: 7\r\n\r\nno gzip',
  ]) {
    const transport = createTransport(timeouts)
    t.teardown(() => transport.close())
    const { port } = await rawServer(t, (socket) => {
      socket.once('data', () => socket.end(sent))
    })
    const url = `http://127.0.0.1:${port}/v1/me`
    t.match(await transport.send({ method: 'GET', url, headers: {} }), {
      status: 429,
      text: '',
      headers: { 'retry-after': '48925' },
    })
  }
})
