import t from 'tap'
import { type Answer, ask, assertProblem } from './helpers/answer.ts'
import { build } from './helpers/build.ts'
import { exchange } from './helpers/raw.ts'

/** An address of every kind, and what answers there. */
const addresses: [path: string, status: number][] = [
  ['/', 302],
  ['/docs', 200],
  ['/docs/', 200],
  ['/docs/static/swagger-ui.css', 200],
  ['/docs/static/nope', 404],
  ['/openapi.json', 200],
  ['/tables', 200],
  ['/tables/tracks/schema', 200],
  ['/tables/tracks/schema?format=ddl', 200],
  ['/tables/tracks/schema?format=json-schema', 200],
  ['/tables/tracks/metadata', 200],
  ['/tables/user_profile/read', 200],
  ['/tables/nope/read', 404],
  ['/tables/tracks/read?limit=0', 400],
  ['/tables/tracks/read?offset=x', 400],
  ['/tables/tracks/read?connection=x', 404],
  ['/tables/%zz/read', 400],
  ['/health', 200],
  ['/livez', 200],
  ['/readyz', 200],
  ['/nope', 404],
]

const saneIds = ['a', '7f1c1f0e-3c39-4bd0-8df5-7e2a4d1c9f10', 'a.b:c@d/e+f=g_h-1', 'x'.repeat(128)]
const insaneIds = [
  ...['', ' ', 'a b', 'a,b', '"a"', '<script>', '{"a":1}', 'a;b', "a'b", 'a\\b', '%0a', '$(a)'],
  ...['ä', 'a\tb', 'x'.repeat(129), 'x'.repeat(8_000), '../..?'],
]

t.test('every table is read whole from the start', async (t) => {
  const { get, simulator } = await build(t)
  for (const { name } of (await get('/tables')).body.tables) {
    const { status, body } = await get(`/tables/${name}/read`)
    t.equal(status, 200, name)
    t.equal(body.has_more, false, name)
    t.ok(body.records.length > 0, name)
  }
  t.equal(simulator.stats.token, 1)
})

t.test('every answer carries the id of the caller, where it is a sane one', async (t) => {
  const { app, log } = await build(t)
  for (const [url, status] of addresses) {
    for (const id of saneIds) {
      const answer = await ask(app, { url, headers: { 'x-request-id': id } })
      t.equal(answer.status, status, url)
      t.equal(answer.headers['x-request-id'], id)
      if (status >= 400) t.equal(JSON.parse(answer.text).request_id, id)
    }
  }
  for (const id of saneIds) {
    const lines = log.filter(({ request_id, msg }) => request_id === id && msg === 'request')
    t.equal(lines.length, addresses.length, 'and so does its log line')
  }
})

t.test('an id that is not sane is replaced by a new one', async (t) => {
  const { app, log, listen } = await build(t)
  const seen = new Set<string>()
  for (const id of insaneIds) {
    for (const [url] of addresses) {
      const answer = await ask(app, { url, headers: { 'x-request-id': id } })
      seen.add(answer.headers['x-request-id'] as string)
    }
  }
  const port = await listen()
  const twice = 'X-Request-Id: a\r\nX-Request-Id: b\r\nConnection: close'
  const [answer] = await exchange(port, `GET /nope HTTP/1.1\r\nHost: localhost\r\n${twice}\r\n\r\n`)
  assertProblem(t, answer as Answer, 'not-found')
  seen.add(answer?.headers['x-request-id'] as string)
  t.equal(seen.size, insaneIds.length * addresses.length + 1, 'each of its own')
  for (const id of seen) t.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/)
  t.ok(log.every(({ request_id }) => request_id === undefined || seen.has(String(request_id))))
})

for (const [mode, DEMO] of [
  ['demo', 'true'],
  ['spotify', undefined],
] as const) {
  t.test(`in ${mode} mode: whether every answer says that it is a demo`, async (t) => {
    const { app, listen } = await build(t, { env: { DEMO } })
    const wanted = mode === 'demo' ? 'true' : undefined
    for (const [url, status] of addresses) {
      const answer = await ask(app, url)
      t.equal(answer.status, status, url)
      t.equal(answer.headers['x-demo'], wanted, url)
      t.equal(answer.headers['x-content-type-options'], 'nosniff', url)
    }
    t.match(JSON.parse((await ask(app, '/health')).text), { mode })
    const { description } = JSON.parse((await ask(app, '/openapi.json')).text).info
    t.equal(/this is a demo/i.test(description), mode === 'demo')

    const port = await listen()
    for (const bytes of ['rubbish\r\n\r\n', 'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n']) {
      const [answer] = await exchange(port, bytes)
      t.equal(answer?.headers['x-demo'], wanted, 'what was no request, too')
    }
  })
}

t.test('HEAD answers as GET does at every address, without a body', async (t) => {
  const { listen } = await build(t)
  const port = await listen()
  for (const [path, status] of addresses) {
    const send = async (method: string) => {
      const fields = 'Host: localhost\r\nX-Request-Id: the-same\r\nConnection: close'
      const bytes = `${method} ${path} HTTP/1.1\r\n${fields}\r\n\r\n`
      const [answer] = await exchange(port, bytes, { head: method === 'HEAD' })
      return answer as Answer
    }
    const get = await send('GET')
    const head = await send('HEAD')
    t.equal(get.status, status, path)
    t.equal(head.status, status, path)
    const { date: _, ...wanted } = get.headers
    const { date: __, ...its } = head.headers
    // A read is sent piece by piece, and how long it is, only Spotify knows.
    if (path === '/tables/user_profile/read') delete wanted['transfer-encoding']
    t.strictSame(its, wanted, path)
  }
})

t.test('a fault of ours is a problem that tells nothing, and is in the log', async (t) => {
  const { app, simulator, log } = await build(t)
  const thrown = new Error(`it holds ${simulator.clientSecret}`)
  const faults = {
    error: thrown,
    text: 'text',
    nothing: undefined,
    null: null,
    status: { statusCode: 500 },
  }
  for (const [what, fault] of Object.entries(faults)) {
    app.get(`/${what}`, async () => {
      throw fault
    })
  }
  for (const what of Object.keys(faults)) {
    const answer = await ask(app, `/${what}`)
    const problem = assertProblem(t, answer, 'internal', 500)
    t.notMatch(answer.text, /it holds|simulated-client-secret/)
    const lines = log.filter(({ request_id }) => request_id === problem.request_id)
    t.ok(
      lines.some(({ level }) => level === 50),
      'an error',
    )
    if (what === 'error')
      t.match(lines[0]?.err, { message: 'it holds [redacted]', stack: /app\.test/ })
  }
})
