import type { HTTPMethods } from 'fastify'
import t from 'tap'
import { type Answer, ask, assertProblem } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'
import { exchange } from '../helpers/raw.ts'

const addresses = [
  ...['/', '/tables', '/tables/tracks/schema', '/tables/tracks/metadata', '/tables/tracks/read'],
  ...[
    '/tables/nope/read',
    '/tables//read',
    '/tables/%E2%99%AB/read',
    '/health',
    '/livez',
    '/readyz',
  ],
  ...['/openapi.json', '/docs', '/docs/', '/docs/static/index.html', '/tables/tracks/read?limit=0'],
]
const methods = [
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'QUERY',
  'PROPFIND',
  'SEARCH',
]

/** Bodies that no parser would take, or that never come, each with what is said of it. */
const bodies: [fields: string[], body: string][] = [
  [[], ''],
  [['Content-Type: application/json', 'Content-Length: 5'], '{"a":'],
  [['Content-Type: application/json', 'Content-Length: 500'], '{"a":'],
  [['Content-Type: text/rubbish; =', 'Content-Length: 5'], '<a><b'],
  [['Content-Length: 99999999'], ''],
  [['Transfer-Encoding: chunked'], '5\r\n{"a":\r\n0\r\n\r\n'],
  [['Content-Encoding: gzip', 'Content-Length: 5'], 'plain'],
]

for (const method of methods) {
  t.test(`${method} is no method of any address, whatever the body`, async (t) => {
    const { listen, simulator } = await build(t)
    const port = await listen()
    for (const address of addresses) {
      for (const [fields, body] of address.startsWith('/tables') ? bodies : bodies.slice(0, 2)) {
        const lines = [`${method} ${address} HTTP/1.1`, 'Host: localhost', 'Connection: close']
        const bytes = `${[...lines, ...fields].join('\r\n')}\r\n\r\n${body}`
        const [answer] = await exchange(port, bytes)
        const problem = assertProblem(t, answer as Answer, 'method-not-allowed', 405)
        const [path] = address.split('?')
        t.equal(answer?.headers.allow, 'GET, HEAD')
        t.equal(problem.detail, `${method} is not a method of "${path}"; allowed: GET, HEAD.`)
        t.equal(problem.instance, path)
      }
    }
    t.equal(simulator.stats.requests.length, 0)
  })
}

t.test('there is nothing at another address, in any method', async (t) => {
  const { app, simulator } = await build(t)
  const nothing = [
    ...[
      '/nope',
      '/Tables',
      '/tables/',
      '/tables/tracks',
      '/tables/tracks/',
      '/tables/tracks/read/',
    ],
    ...[
      '/tables/tracks/read/x',
      '/tables/tracks/reads',
      '/tables/a/b/read',
      '/livez/',
      '/health/x',
    ],
    ...['/docs/nope', '/docs/static/nope', '/docs/static/.env', '/connections', '/metrics/x'],
    ...['/__proto__', '/constructor', '/tables/tracks/__proto__', '/.git/config', '/%00', '/♫'],
    ...['/tables%2Ftracks%2Fread', '/tables/tracks/read%2f', '/tables/tracks/read%3Flimit=3'],
  ]
  for (const url of nothing.map(encodeURI).map((path) => path.replaceAll('%25', '%'))) {
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE'] as HTTPMethods[]) {
      if (url.startsWith('/docs/static') && method !== 'GET' && method !== 'HEAD') continue
      const answer = await ask(app, { method, url, payload: method === 'POST' ? '{"a":' : '' })
      t.equal(answer.status, 404, `${method} ${url}`)
      if (method === 'HEAD') {
        t.equal(answer.text, '')
        continue
      }
      const problem = assertProblem(t, answer, 'not-found', 404)
      t.equal(
        problem.detail,
        `There is nothing at "${url}". The tables are at /tables, the description of all there is at /docs.`,
      )
    }
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test('a path of any length is answered', async (t) => {
  const { app } = await build(t)
  assertProblem(t, await ask(app, `/${'x'.repeat(16_000)}`), 'not-found', 404)
  assertProblem(t, await ask(app, `/tables/${'x'.repeat(16_000)}/read`), 'table-not-found', 404)
  assertProblem(t, await ask(app, `/tables/${'x'.repeat(17_000)}/read`), 'bad-request', 414)
})
