import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import type { Fault } from '../../src/simulator/faults.ts'
import { makeLibrary } from '../../src/simulator/library.ts'
import { arrival, start } from './start.ts'

/** Asks over a bare socket for a page that meets a fault. */
async function ask(t: Parameters<typeof start>[0], fault: Fault, path = '/me/tracks') {
  const { simulator, token, get } = await start(t, { library: makeLibrary({ tracks: 3 }) })
  simulator.faults.add({ on: path, fault })
  const arrived = arrival(simulator, path)
  const socket = connect(Number(new URL(simulator.apiUrl).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(Buffer.from(chunk)))
  socket.write(
    `GET /v1${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  )
  /** What came so far: headers as text, and how much of the promised body. */
  const came = () => {
    const [head = '', ...rest] = Buffer.concat(chunks).toString('latin1').split('\r\n\r\n')
    const promised = Number(/content-length: (\d+)/i.exec(head)?.[1])
    return { head, promised, body: rest.join('\r\n\r\n').length }
  }
  return { simulator, socket, came, get, arrived }
}

t.test('a reset before the headers: nothing comes', async (t) => {
  const { simulator, socket, came } = await ask(t, { kind: 'reset' })
  const [error] = await once(socket, 'error')
  t.equal(error.code, 'ECONNRESET')
  t.equal(came().head, '')
  t.equal(simulator.stats.requests.at(-1)?.status, null)
})

t.test('a reset in the body: headers and half of it come before', async (t) => {
  const { simulator, socket, came } = await ask(t, { kind: 'reset-body' })
  const [error] = await once(socket, 'error')
  t.equal(error.code, 'ECONNRESET')
  t.match(came().head, /^HTTP\/1.1 200/)
  t.equal(came().body, Math.floor(came().promised / 2))
  t.equal(simulator.stats.requests.at(-1)?.status, 200)
})

t.test('a body that is cut off ends cleanly before its length', async (t) => {
  const { socket, came, get } = await ask(t, { kind: 'cut-off' })
  await once(socket, 'end')
  t.match(came().head, /^HTTP\/1.1 200/)
  t.equal(came().body, Math.floor(came().promised / 2))
  t.equal((await get('/me/tracks')).status, 200)
})

t.test('a stalled body: half of it, and the socket stays open', async (t) => {
  const { simulator, socket, came } = await ask(t, { kind: 'stalled-body' })
  while (!came().body) await once(socket, 'data')
  t.equal(came().body, Math.floor(came().promised / 2))
  t.equal(simulator.stats.inFlight, 1)
  const ended = once(socket, 'close')
  await simulator.close()
  await ended
  t.equal(came().body, Math.floor(came().promised / 2))
})

t.test('no headers: the request is there, and is never answered', async (t) => {
  const { simulator, socket, came, arrived } = await ask(t, { kind: 'no-headers' })
  await arrived
  t.equal(simulator.stats.inFlight, 1)
  const ended = once(socket, 'close')
  await simulator.close()
  await ended
  t.equal(came().head, '')
})

t.test('slow headers take their time, and the answer is whole', async (t) => {
  const startedMs = performance.now()
  const { simulator, socket, came } = await ask(t, { kind: 'slow-headers', ms: 60 })
  await once(socket, 'data')
  t.ok(performance.now() - startedMs > 50)
  while (came().body < came().promised) await once(socket, 'data')
  t.equal(simulator.stats.requests.at(-1)?.status, 200)
})

t.test('a slow body comes byte by byte', async (t) => {
  const { socket, came } = await ask(t, { kind: 'slow-body', msPerByte: 1 }, '/me')
  const sizes = new Set<number>()
  while (!(came().body >= 40)) {
    await once(socket, 'data')
    sizes.add(came().body)
  }
  t.ok(sizes.size > 10, [...sizes].join())
  t.ok(came().body < came().promised)
})

t.test('a slow body ends, whatever answer it is that comes slowly', async (t) => {
  const { simulator, get } = await start(t)
  const on = '/me'
  simulator.faults.add({
    on,
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'slow-body', msPerByte: 1 },
  })
  simulator.faults.add({ on, fault: { kind: 'status', status: 503, body: 'not now' } })
  const answer = await get('/me')
  t.equal(answer.status, 503)
  t.equal(await answer.text(), 'not now')
})
