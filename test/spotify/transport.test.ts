import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import zlib from 'node:zlib'
import t, { type Test } from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { createTransport } from '../../src/spotify/transport.ts'
import { authorized } from '../helpers/access-token.ts'
import { rawServer } from '../helpers/raw-server.ts'

const body = JSON.stringify({ name: 'Motörhead 🎵' })

/** A transport, and a simulated Spotify that answers `/me` as told. */
async function start(t: Test) {
  const simulator = await startSimulator()
  const transport = createTransport()
  t.teardown(() => transport.close())
  t.teardown(() => simulator.close())
  const bearer = await authorized(simulator)
  const get = (headers = {}) =>
    transport.send({
      method: 'GET',
      url: `${simulator.apiUrl}/me`,
      headers: { ...bearer, ...headers },
    })
  const answer = (status: number, sent: string | Buffer, headers = {}) =>
    simulator.faults.add({ on: '/me', fault: { kind: 'status', status, body: sent, headers } })
  return { simulator, transport, get, answer }
}

t.test('an answer is its status, its headers and its body as text', async (t) => {
  const { get, answer } = await start(t)
  answer(200, body)
  t.match(await get(), { status: 200, text: body })
  answer(429, Buffer.from('Too many requests'), { 'retry-after': ['3', '120'] })
  t.match(await get(), {
    status: 429,
    text: 'Too many requests',
    headers: { 'retry-after': ['3', '120'] },
  })
  answer(503, '')
  t.match(await get(), { status: 503, text: '' })
})

t.test('method, path, query, headers and body go out as they are', async (t) => {
  const { simulator, transport } = await start(t)
  const seen: unknown[] = []
  simulator.faults.beforeAnswer(
    () => true,
    ({ method, path, query, headers, body: sent }) => {
      seen.push({ method, path, query, headers, sent: sent.toString() })
    },
  )
  const headers = { authorization: 'Bearer secret' }
  await transport.send({ method: 'GET', url: `${simulator.apiUrl}/me?a=b%26c`, headers })
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const url = `${simulator.accountsUrl}/api/token`
  await transport.send({ method: 'POST', url, headers: form, body: 'grant_type=x' })
  t.match(seen, [
    { method: 'GET', path: '/me', query: { a: 'b&c' }, headers, sent: '' },
    { method: 'POST', path: '/api/token', query: {}, headers: form, sent: 'grant_type=x' },
  ])
})

const encodings = {
  gzip: zlib.gzipSync,
  'x-gzip': zlib.gzipSync,
  GZIP: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
  identity: (text: string) => Buffer.from(text),
  'deflate, gzip': (text: string) => zlib.gzipSync(zlib.deflateSync(text)),
}

t.test('what is compressed, asked for or not, is decompressed, of errors too', async (t) => {
  const { get, answer } = await start(t)
  for (const [encoding, compress] of Object.entries(encodings)) {
    for (const status of [200, 429]) {
      answer(status, compress(body), { 'content-encoding': encoding })
      t.match(await get(), { status, text: body }, `${encoding} ${status}`)
    }
  }
})

t.test('a compression that breaks off, or is none, is a fault', async (t) => {
  const { simulator, get, answer } = await start(t)
  simulator.faults.add({ on: '/me', fault: { kind: 'gzip', broken: true } })
  await t.rejects(get(), {
    name: 'UpstreamFault',
    kind: 'error',
    message: /gzip encoding is broken/,
  })
  for (const encoding of ['gzip', 'deflate', 'br', 'zstd']) {
    answer(200, body, { 'content-encoding': encoding })
    await t.rejects(get(), { name: 'UpstreamFault', message: new RegExp(`${encoding} encoding`) })
  }
})

t.test('an encoding that nobody knows is a fault', async (t) => {
  const { get, answer } = await start(t)
  for (const encoding of ['rot13', 'constructor', 'rot13, gzip']) {
    answer(200, zlib.gzipSync(body), { 'content-encoding': encoding })
    await t.rejects(get(), { name: 'UpstreamFault', kind: 'error', message: /unknown encoding/ })
  }
})

t.test('no body is no body, whatever its encoding is said to be', async (t) => {
  const { get, answer } = await start(t)
  for (const encoding of ['gzip', 'br', 'rot13']) {
    answer(429, '', { 'content-encoding': encoding })
    t.match(await get(), { status: 429, text: '' })
  }
})

t.test('a redirect is an answer like any other: nobody else is asked', async (t) => {
  const { simulator, get } = await start(t)
  let connections = 0
  const { port } = await rawServer(t, () => {
    connections += 1
  })
  for (const status of [301, 302, 303, 307, 308]) {
    const location = `http://127.0.0.1:${port}/v1/me`
    simulator.faults.add({ on: '/me', fault: { kind: 'redirect', location, status } })
    t.match(await get({ authorization: 'Bearer secret' }), { status, headers: { location } })
  }
  t.equal(connections, 0)
})

t.test('it speaks HTTP/1.1', async (t) => {
  const { transport } = await start(t)
  let requestLine = ''
  const { port } = await rawServer(t, (socket) => {
    socket.once('data', (data) => {
      requestLine = data.toString('latin1').split('\r\n', 1)[0] ?? ''
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK')
    })
  })
  const url = `http://127.0.0.1:${port}/v1/me?limit=1`
  t.match(await transport.send({ method: 'GET', url, headers: {} }), { status: 200, text: 'OK' })
  t.equal(requestLine, 'GET /v1/me?limit=1 HTTP/1.1')
})

t.test('over TLS it offers HTTP/1.1 alone', async (t) => {
  const { transport } = await start(t)
  const hello = Promise.withResolvers<string>()
  const { port } = await rawServer(t, (socket) => {
    socket.once('data', (data) => {
      hello.resolve(data.toString('latin1'))
      socket.destroy()
    })
  })
  const url = `https://127.0.0.1:${port}/v1/me`
  await t.rejects(transport.send({ method: 'GET', url, headers: {} }), { name: 'UpstreamFault' })
  // In a ClientHello each protocol's name follows its length.
  const offered = await hello.promise
  t.match(offered, '\x08http/1.1')
  t.notMatch(offered, '\x02h2')
})

t.test('a closed transport holds no socket', async (t) => {
  const { transport } = await start(t)
  const closed = Promise.withResolvers<string>()
  const { port } = await rawServer(t, (socket) => {
    once(socket, 'close').then(() => closed.resolve('closed'))
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK'))
  })
  await transport.send({ method: 'GET', url: `http://127.0.0.1:${port}/`, headers: {} })
  await transport.close()
  // By itself it would let go of an idle one after 4 s.
  t.equal(await Promise.race([closed.promise, delay(2_000, 'still open')]), 'closed')
})
