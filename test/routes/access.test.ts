import { readFileSync } from 'node:fs'
import fastify from 'fastify'
import t from 'tap'
import { sendProblem } from '../../src/problems.ts'
import { accessOf, openAddresses, registerAccess } from '../../src/routes/access.ts'
import { Secrets } from '../../src/secrets.ts'
import { type Answer, ask, assertProblem } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'
import { exchange } from '../helpers/raw.ts'

const keys = ['first-key-of-32-characters-or-so', 'second-key+of/32~characters.or=='] as const
const open = ['/livez', '/readyz', '/', '/docs', '/docs/', '/openapi.json']
const closed = [
  ...['/tables', '/tables/tracks/read', '/tables/tracks/schema', '/tables/nope/metadata'],
  ...['/health', '/metrics', '/connections', '/nope', '/livez/', '/docs2', '/callback2', '//livez'],
]

const withKeys = { env: { API_KEYS: keys.join(',') } }
const bearer = (key: string) => ({ host: 'connector.example', authorization: `Bearer ${key}` })

t.test('README and Dockerfile tell the rule as it is', async (t) => {
  const textOf = (name: string) =>
    readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8').replace(/\n(# )? */g, ' ')
  const sentences = {
    'README.md': /\*\*Open to all\*\* are (.+?):.+?\*\*All else needs a key\*\*/,
    Dockerfile: /With keys, open are (.+?); all else needs one/,
  }
  for (const [name, sentence] of Object.entries(sentences)) {
    const told = sentence.exec(textOf(name))?.[1]?.match(/\/[\w.]*/g)
    t.strictSame(told?.sort(), openAddresses.toSorted(), name)
  }
})

t.test('with keys, what is open answers without one and tells nothing of an account', async (t) => {
  const { app, simulator } = await build(t, withKeys)
  for (const url of open) {
    for (const method of ['GET', 'HEAD'] as const) {
      const { status, text } = await ask(app, { method, url, headers: { host: '10.0.0.7:8080' } })
      t.equal(status, url === '/' ? 302 : 200, `${method} ${url}`)
      t.notMatch(text, simulator.clientId)
    }
  }
  for (const url of ['/livez', '/readyz']) {
    t.equal((await ask(app, url)).text, '{"status":"ok"}')
    t.equal((await ask(app, { url, headers: bearer('wrong') })).status, 200, 'no key is looked at')
  }
})

t.test('with keys, all else needs one, unknown addresses and methods too', async (t) => {
  const { app, simulator } = await build(t, withKeys)
  for (const url of closed) {
    const problem = assertProblem(t, await ask(app, url), 'unauthorized')
    t.match(problem.detail, /no access key.*"Authorization: Bearer KEY"/)
  }
  for (const method of ['HEAD', 'POST', 'DELETE', 'OPTIONS'] as const) {
    t.equal((await ask(app, { method, url: '/tables/tracks/read' })).status, 401, method)
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test('each of several keys reads, whatever the case of the scheme', async (t) => {
  const { app, log } = await build(t, withKeys)
  for (const [at, key] of keys.entries()) {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR ']) {
      const headers = { authorization: `${scheme} ${key}` }
      const answer = await ask(app, { url: '/tables/user_profile/read', headers })
      t.equal(answer.status, 200, scheme)
      t.equal(log.at(-1)?.key, at + 1, 'the log tells which key it was')
    }
  }
  t.equal((await ask(app, { url: '/nope', headers: bearer(keys[0]) })).status, 404)
  t.equal(
    (await ask(app, { url: '/tables', method: 'POST', headers: bearer(keys[0]) })).status,
    405,
  )
})

t.test('WWW-Authenticate says that a key is missing, or that the one sent is wrong', async (t) => {
  const { app } = await build(t, withKeys)
  const challenge = async (authorization?: string) => {
    const answer = await ask(app, {
      url: '/tables',
      headers: authorization ? { authorization } : {},
    })
    assertProblem(t, answer, 'unauthorized')
    return answer.headers['www-authenticate']
  }
  const missing = 'Bearer realm="lakeflow-spotify"'
  for (const none of [undefined, 'Bearer', `Basic ${keys[0]}`, keys[0], `Bearer${keys[0]}`]) {
    t.equal(await challenge(none), missing, String(none))
  }
  for (const wrong of ['x', `${keys[0]}x`, keys[0].slice(1), keys.join(','), `"${keys[0]}"`, 'ü']) {
    t.equal(await challenge(`Bearer ${wrong}`), `${missing}, error="invalid_token"`, wrong)
  }
})

t.test('without keys nobody needs one, and one that is sent does no harm', async (t) => {
  const { app } = await build(t)
  for (const authorization of [undefined, 'Bearer x', 'Basic x']) {
    const headers = { host: 'localhost', ...(authorization && { authorization }) }
    t.equal((await ask(app, { url: '/tables', headers })).status, 200)
  }
})

t.test('with keys any Host is let in, but not two', async (t) => {
  const { listen } = await build(t, withKeys)
  const port = await listen()
  const send = async (...fields: string[]) => {
    const lines = ['GET /tables HTTP/1.1', ...fields, 'Connection: close', '', '']
    const [answer] = await exchange(port, lines.join('\r\n'))
    return answer as Answer
  }
  const authorization = `Authorization: Bearer ${keys[1]}`
  t.equal((await send('Host: connector.example', authorization)).status, 200)
  assertProblem(t, await send('Host: connector.example'), 'unauthorized')
  t.equal((await send('Host: a', 'Host: b', authorization)).status, 400)
  const two = await send('Host: a', 'Authorization: Bearer x', authorization)
  assertProblem(t, two, 'unauthorized')
})

t.test('a key in the address is no key, and nobody is told of it', async (t) => {
  const { app, log } = await build(t, withKeys)
  const [key] = keys
  let told = ''
  for (const query of [`key=${key}`, `access_token=${key}`, `${key}=1`, `api_key=${key}&limit=1`]) {
    const url = `/tables/tracks/read?${query}`
    const without = await ask(app, url)
    assertProblem(t, without, 'unauthorized')
    const withKey = await ask(app, { url, headers: bearer(key) })
    assertProblem(t, withKey, 'invalid-option')
    told += without.text + withKey.text
  }
  for (const url of [`/tables/${key}/read`, `/${key}`, `/tables/tracks/read?connection=${key}`]) {
    told += (await ask(app, { url, headers: bearer(key) })).text
  }
  t.notOk(told.includes(key))
  t.notOk(JSON.stringify(log).includes(key))
})

t.test('a bound key reads its own connections and is told of no other', async (t) => {
  const [plain, own, other] = ['plain-key-plain-key', 'own-key-own-key-own', 'other-key-other-key']
  const { app } = await build(t, { env: { API_KEYS: `${plain},${own}@default,${other}@one+two` } })
  const get = (url: string, key: string) => ask(app, { url, headers: bearer(key) })
  const read = '/tables/user_profile/read'
  t.equal((await get(read, own)).status, 200)
  t.equal((await get(`${read}?connection=default`, own)).status, 200)
  t.strictSame(JSON.parse((await get('/health', own)).text).connections.length, 1)

  for (const url of [read, `${read}?connection=default`, `${read}?connection=one`]) {
    const problem = assertProblem(t, await get(url, other), 'connection-not-found')
    t.strictSame(problem.connections, [])
  }
  const health = JSON.parse((await get('/health', other)).text)
  t.strictSame(health.connections, [])
  const head = { method: 'HEAD', url: read, headers: bearer(other) } as const
  t.equal((await ask(app, head)).status, 404)
  t.equal((await get(read, plain)).status, 200)
})

/** An app with the addresses that are judged in a way of their own. */
async function small(t: { teardown(fn: () => unknown): void }) {
  const app = fastify()
  t.teardown(() => app.close())
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error, new Secrets()))
  const spent: string[] = []
  registerAccess(
    app,
    [
      { key: 'plain', connections: null },
      { key: 'bound', connections: ['one'] },
    ],
    {
      spend(ticket, connection) {
        spent.push(`${ticket} ${connection}`)
        return ticket === 'good' && connection === 'one'
      },
    },
  )
  for (const url of [
    '/metrics',
    '/callback',
    '/connections/:name/authorize',
    '/connections/:name',
  ]) {
    app.get(url, (request) => ['one', 'two'].filter(accessOf(request).may))
  }
  return { app, spent }
}

t.test('what tells of all connections needs a key that is bound to none', async (t) => {
  const { app } = await small(t)
  const get = (authorization: string) => ask(app, { url: '/metrics', headers: { authorization } })
  t.equal((await get('Bearer plain')).text, '["one","two"]')
  t.match(await get('Bearer bound'), { status: 401, text: /bound to some of the connections/ })
})

t.test('a ticket does in place of a key, for its connection and that address alone', async (t) => {
  const { app, spent } = await small(t)
  const good = await ask(app, '/connections/one/authorize?ticket=good')
  t.match(good, { status: 200, text: '["one"]' })
  t.strictSame(spent, ['good one'])
  for (const url of [
    '/connections/two/authorize?ticket=good',
    '/connections/one/authorize?ticket=x',
  ]) {
    t.match(await ask(app, url), { status: 401, text: /ticket of this link/ })
  }
  t.equal(spent.length, 3)
  for (const url of [
    '/connections/one/authorize',
    '/connections/one/authorize?ticket=good&ticket=good',
    '/connections/one?ticket=good',
    '/metrics?ticket=good',
  ]) {
    t.equal((await ask(app, url)).status, 401, url)
  }
  const url = '/connections/one/authorize?ticket=good'
  const withKey = (key: string) => ask(app, { url, headers: { authorization: `Bearer ${key}` } })
  t.equal((await withKey('plain')).text, '["one","two"]')
  t.equal((await withKey('wrong')).status, 401)
  t.equal(spent.length, 3, 'a key that is sent spends no ticket')
})

t.test('where all may come in nothing of an account is seen', async (t) => {
  const { app } = await small(t)
  t.equal((await ask(app, '/callback')).text, '[]')
})
