import t from 'tap'
import { type Answer, ask, assertProblem } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'
import { exchange } from '../helpers/raw.ts'

const own = [
  ...['localhost', 'LocalHost', 'localhost:8080', '127.0.0.1', '127.0.0.1:1', '127.255.255.254:80'],
  ...['[::1]', '[::1]:8080', 'localhost:'],
]
const foreign = [
  ...['evil.com', 'evil.com:8080', '127.0.0.1.evil.com', 'localhost.evil.com', '127.evil.com'],
  ...['evil.com:localhost', 'localhost:80:80', 'localhost@evil.com', 'evil.com#localhost'],
  ...['127.1', '2130706433', '0x7f.0.0.1', '0.0.0.0', '[::]', '[::ffff:127.0.0.1]', '128.0.0.1'],
  ...[':8080', 'localhost, evil.com', 'localhost.', '192.168.0.1', 'xn--localhost'],
]
const paths = [
  '/tables',
  '/tables/user_profile/read',
  '/health',
  '/livez',
  '/docs',
  '/openapi.json',
  '/',
  '/nope',
]

t.test('a Host that can only mean this machine is let in', async (t) => {
  const { app } = await build(t)
  for (const host of own) {
    const answer = await ask(app, { url: '/tables/user_profile/read', headers: { host } })
    t.equal(answer.status, 200, host)
  }
})

t.test('another Host is refused at every address, and nobody is asked', async (t) => {
  const { app, simulator } = await build(t)
  for (const host of foreign) {
    for (const url of paths) {
      const answer = await ask(app, { url, headers: { host } })
      const problem = assertProblem(t, answer, 'host-not-allowed', 403)
      t.ok(problem.detail.includes(JSON.stringify(host)), problem.detail)
      t.match(problem.detail, /localhost, 127\.0\.0\.1, \[::1\]/)
      t.match(problem.detail, /ALLOW_ANONYMOUS=true/)
    }
  }
  for (const method of ['HEAD', 'POST', 'OPTIONS'] as const) {
    const { status } = await ask(app, { method, url: '/tables', headers: { host: 'evil.com' } })
    t.equal(status, 403, method)
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test('with ALLOW_ANONYMOUS=true any Host is let in', async (t) => {
  const { app } = await build(t, { env: { ALLOW_ANONYMOUS: 'true' } })
  for (const host of [...own, ...foreign]) {
    t.equal((await ask(app, { url: '/tables', headers: { host } })).status, 200, host)
  }
})

for (const ALLOW_ANONYMOUS of ['false', 'true']) {
  t.test(`over a socket, with ALLOW_ANONYMOUS=${ALLOW_ANONYMOUS}`, async (t) => {
    const { listen, simulator } = await build(t, { env: { ALLOW_ANONYMOUS } })
    const port = await listen()
    const send = async (line: string, ...hosts: string[]) => {
      const fields = [...hosts.map((host) => `Host: ${host}`), 'Connection: close']
      const [answer] = await exchange(port, `${[line, ...fields].join('\r\n')}\r\n\r\n`)
      return answer as Answer
    }
    const elsewhere = ALLOW_ANONYMOUS === 'true' ? 200 : 403
    t.equal((await send('GET /tables HTTP/1.1', `localhost:${port}`)).status, 200)
    t.equal((await send('GET /tables HTTP/1.1', 'evil.com')).status, elsewhere)
    t.equal((await send('GET /tables HTTP/1.1', '')).status, elsewhere, 'an empty one')
    t.equal((await send('GET /tables HTTP/1.0')).status, 200, 'HTTP/1.0 has none')
    t.equal((await send('GET /tables HTTP/1.0', 'evil.com')).status, elsewhere)
    // The host of a whole URL counts, whatever the header says.
    t.equal((await send('GET http://localhost/tables HTTP/1.1', 'evil.com')).status, 200)
    t.equal((await send('GET http://evil.com/tables HTTP/1.1', 'localhost')).status, elsewhere)
    t.equal(
      (await send('GET http://localhost@evil.com/tables HTTP/1.1', 'localhost')).status,
      elsewhere,
    )

    const missing = assertProblem(t, await send('GET /tables HTTP/1.1'), 'bad-request', 400)
    t.match(missing.detail, /no Host/)
    for (const hosts of [
      ['localhost', 'evil.com'],
      ['evil.com', 'localhost'],
      ['localhost', 'localhost'],
    ]) {
      const answer = await send('GET /tables HTTP/1.1', ...hosts)
      t.match(assertProblem(t, answer, 'bad-request', 400).detail, /more than one Host/)
    }
    t.equal(simulator.stats.requests.length, 0)
  })
}
