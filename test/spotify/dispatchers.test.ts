import t, { type Test } from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import type { Network, Proxies } from '../../src/spotify/dispatchers.ts'
import { createTransport, type Timeouts } from '../../src/spotify/transport.ts'
import { authorized } from '../helpers/access-token.ts'
import { cert } from '../helpers/certificate.ts'
import { startProxy } from '../helpers/proxy.ts'
import { rawServer } from '../helpers/raw-server.ts'
import { startTlsFront } from '../helpers/tls-front.ts'

const timeouts: Timeouts = { connectMs: 500, headersMs: 500, idleMs: 500, totalMs: 10_000 }

/** A proxy that leads to a simulated Spotify over TLS, and a transport that is to use it. */
async function start(t: Test, of: Partial<Proxies> & Pick<Network, 'isDirect'> = {}) {
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const front = await startTlsFront(t, simulator.apiUrl)
  const proxy = await startProxy(t, front.port)
  const { isDirect, ...proxies } = of
  const url = `http://me:hush%40word@127.0.0.1:${proxy.port}/`
  const network: Network = {
    ca: cert,
    proxies: { http: null, https: { variable: 'HTTPS_PROXY', url }, except: '', ...proxies },
    ...(isDirect && { isDirect }),
  }
  const transport = createTransport(timeouts, network)
  t.teardown(() => transport.close())
  const get = (url: string, headers = {}) => transport.send({ method: 'GET', url, headers })
  return { simulator, front, proxy, transport, get }
}

t.test('requests over TLS go through a tunnel, with the user and the password', async (t) => {
  const { proxy, front, get } = await start(t)
  t.match(await get('https://spotify.test/v1/me', { authorization: 'Bearer no' }), { status: 401 })
  t.match(await get('https://localhost/v1/me'), { status: 401 })
  t.strictSame(proxy.seen, ['CONNECT spotify.test:443', 'CONNECT localhost:443'])
  const basic = `Basic ${Buffer.from('me:hush@word').toString('base64')}`
  t.strictSame(proxy.authorizations, [basic, basic])
  t.strictSame(front.versions, ['1.1', '1.1'])
})

t.test('the exceptions are asked without it, and so is what is direct', async (t) => {
  const { proxy, front, get } = await start(t, { except: 'example.org,localhost:1,127.0.0.1' })
  await get(`https://127.0.0.1:${front.port}/v1/me`)
  t.strictSame(proxy.seen, [])
  await get(`https://localhost:${front.port}/v1/me`)
  t.strictSame(proxy.seen, [`CONNECT localhost:${front.port}`])

  const local = await start(t, { isDirect: (hostname) => hostname === 'localhost' })
  await local.get(`https://localhost:${local.front.port}/v1/me`)
  t.strictSame(local.proxy.seen, [])
})

t.test('requests in the clear name their host to the proxy of HTTP_PROXY', async (t) => {
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const proxy = await startProxy(t, Number(new URL(simulator.apiUrl).port))
  const url = `http://127.0.0.1:${proxy.port}/`
  const proxies = { http: { variable: 'HTTP_PROXY', url }, https: null, except: '' }
  const transport = createTransport(timeouts, { proxies })
  t.teardown(() => transport.close())
  const answer = await transport.send({
    method: 'GET',
    url: 'http://spotify.test/v1/me',
    headers: {},
  })
  t.equal(answer.status, 401)
  t.strictSame(proxy.seen, ['spotify.test'])

  simulator.faults.add({ on: '/me', fault: { kind: 'no-headers' } })
  await t.rejects(
    transport.send({ method: 'GET', url: 'http://spotify.test/v1/me', headers: {} }),
    { kind: 'timeout', message: 'no answer within 0.5 s' },
    'the limits are the same',
  )
  proxy.refuseWith(407)
  await t.rejects(
    transport.send({ method: 'GET', url: 'http://spotify.test/v1/me', headers: {} }),
    { kind: 'error', message: /proxy of HTTP_PROXY asks for a user and a password/ },
  )
})

t.test('what the proxy itself refuses is said, and what to do about it', async (t) => {
  const { proxy, get } = await start(t)
  const url = 'https://spotify.test/v1/me?secret=1'
  for (const [status, message, advice] of [
    [407, /^the proxy of HTTPS_PROXY asks for a user and a password.*\(407\)$/, /Put them into/],
    [403, /^the proxy of HTTPS_PROXY opens no tunnel to spotify\.test \(403\)$/, /NO_PROXY/],
    [502, /^the proxy of HTTPS_PROXY opens no tunnel to spotify\.test \(502\)$/, /NO_PROXY/],
  ] as const) {
    proxy.refuseWith(status)
    const error = await get(url).catch((reason) => reason)
    t.match(error, { name: 'UpstreamFault', kind: 'error', message })
    t.match(error.toError('/me', 4), { code: 'upstream-error', retryable: true, message: advice })
  }
  proxy.refuseWith(null)
  t.match(await get(url), { status: 401 }, 'and it is asked again')
  proxy.close()
  const error = await (
    await start(t, { https: { variable: 'https_proxy', url: 'http://127.0.0.1:1/' } })
  )
    .get(url)
    .catch((reason) => reason)
  t.match(error, {
    kind: 'error',
    message: 'no connection to the proxy of https_proxy (ECONNREFUSED)',
  })
  t.match(error.toError('/me', 4).message, /Check the host and the port in https_proxy/)
})

t.test('a host that fails behind the proxy is not taken for it', async (t) => {
  const { simulator, get } = await start(t)
  const headers = await authorized(simulator)
  t.match(await get('https://spotify.test/v1/me', headers), { status: 200 })
  simulator.faults.add({ on: '/me', fault: { kind: 'no-headers' } })
  await t.rejects(get('https://spotify.test/v1/me', headers), {
    kind: 'timeout',
    message: 'no answer within 0.5 s',
  })
  simulator.faults.add({ on: '/me', fault: { kind: 'stalled-body' } })
  await t.rejects(get('https://spotify.test/v1/me', headers), {
    kind: 'timeout',
    message: 'the answer stood still for 0.5 s',
  })
})

t.test('a proxy that says nothing, or breaks off, is a fault in time', async (t) => {
  for (const [serve, fault] of [
    [() => {}, { kind: 'timeout' }],
    [(socket: { destroy(): void }) => socket.destroy(), { kind: 'error' }],
    [(socket: { end(text: string): void }) => socket.end('SSH-2.0-x\r\n'), { kind: 'error' }],
  ] as const) {
    const { port } = await rawServer(t, serve)
    const https = { variable: 'HTTPS_PROXY', url: `http://127.0.0.1:${port}/` }
    const { get } = await start(t, { https })
    const beganMs = performance.now()
    await t.rejects(get('https://spotify.test/v1/me'), { name: 'UpstreamFault', ...fault })
    t.ok(performance.now() - beganMs < 5_000)
  }
})

t.test('a certificate that nobody signed is refused', async (t) => {
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const { port } = await startTlsFront(t, simulator.apiUrl)
  const transport = createTransport(timeouts)
  t.teardown(() => transport.close())
  await t.rejects(
    transport.send({ method: 'GET', url: `https://localhost:${port}/v1/me`, headers: {} }),
    { kind: 'error', message: /^the connection failed \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/ },
  )
})
