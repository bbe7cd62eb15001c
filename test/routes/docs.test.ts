import t from 'tap'
import { ask } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'

t.test('/ leads to /docs', async (t) => {
  const { app } = await build(t)
  const { status, headers, text } = await ask(app, '/')
  t.equal(status, 302)
  t.equal(headers.location, '/docs')
  t.equal(text, '')
})

t.test('/docs is a page that is whole by itself, and that nobody may frame', async (t) => {
  const { app, simulator } = await build(t)
  const page = await ask(app, '/docs')
  t.equal(page.status, 200)
  t.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  const policy = page.headers['content-security-policy']
  t.match(policy, /default-src 'self'/)
  t.match(policy, /frame-ancestors 'none'/)
  t.match(policy, /form-action 'none'/)
  t.equal(page.headers['x-content-type-options'], 'nosniff')
  t.equal(page.headers['referrer-policy'], 'no-referrer')
  t.notMatch(policy, /https?:|unsafe-eval/)

  const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => String(link))
  t.ok(links.length >= 4)
  const scripts = [...page.text.matchAll(/<script[^>]*>([^<]*)/g)].map(([, script]) => script)
  t.ok(
    scripts.every((script) => script?.trim() === ''),
    'none that the policy would stop',
  )
  for (const link of links) {
    const { pathname, host } = new URL(link, 'http://localhost/docs')
    t.equal(host, 'localhost', link)
    t.equal((await ask(app, pathname)).status, 200, link)
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test(
  'the page shows long answers without colours, which would make it stand still',
  async (t) => {
    const { app } = await build(t)
    const { status, text } = await ask(app, '/docs/static/swagger-initializer.js')
    t.equal(status, 200)
    t.match(text, /"syntaxHighlight":false/)
  },
)

t.test('the page reads the document that /openapi.json gives', async (t) => {
  const { app } = await build(t)
  const served = await ask(app, '/openapi.json')
  t.equal(served.status, 200)
  t.equal(served.headers['content-type'], 'application/json; charset=utf-8')
  const document = JSON.parse(served.text)
  t.equal(document.openapi, '3.1.0')
  t.strictSame(JSON.parse((await ask(app, '/docs/json')).text), document)
})

t.test('every route of the contract is described, with an operationId and examples', async (t) => {
  const { app } = await build(t)
  const { paths } = JSON.parse((await ask(app, '/openapi.json')).text)
  const wanted = [
    ...['/', '/callback', '/connections', '/connections/{name}'],
    ...['/connections/{name}/authorize', '/connections/{name}/check'],
    ...['/health', '/livez', '/metrics', '/openapi.json', '/readyz', '/tables'],
  ]
  const table = ['metadata', 'read', 'schema'].map((part) => `/tables/{name}/${part}`)
  t.strictSame(Object.keys(paths).sort(), [...wanted, ...table])
  const ids = new Set<string>()
  for (const [path, item] of Object.entries<Record<string, Operation>>(paths)) {
    const method = path === '/connections/{name}' ? 'delete' : 'get'
    t.strictSame(Object.keys(item), [method], path)
    const { operationId, summary, responses } = item[method] as Operation
    ids.add(operationId)
    t.ok(summary, path)
    for (const [status, { description, content = {} }] of Object.entries(responses)) {
      t.ok(description, `${path} ${status}`)
      for (const [type, { example, examples }] of Object.entries(content)) {
        if (type === 'application/schema+json') continue
        t.ok(example ?? examples, `${path} ${status} ${type}: an example`)
      }
    }
  }
  t.equal(ids.size, Object.keys(paths).length)
})

t.test(
  'the parameters of a read are described so that a form sends them as they are',
  async (t) => {
    const { app } = await build(t)
    const { paths } = JSON.parse((await ask(app, '/openapi.json')).text)
    const { parameters } = paths['/tables/{name}/read'].get
    const byName = Object.fromEntries(parameters.map((one: { name: string }) => [one.name, one]))
    t.strictSame(Object.keys(byName).sort(), [
      'connection',
      'format',
      'limit',
      'max_pages',
      'name',
      'offset',
      'time_range',
    ])
    t.equal(byName.offset.schema.type, 'string', 'an object would be taken apart')
    t.match(byName.limit.schema, { type: 'integer', minimum: 1, maximum: 50, default: 50 })
    t.match(byName.max_pages.schema, { type: 'integer', minimum: 1 })
    t.strictSame(byName.time_range.schema.enum, ['short_term', 'medium_term', 'long_term'])
    for (const { name, required = false, in: where } of parameters) {
      t.equal(required, name === 'name')
      t.equal(where, name === 'name' ? 'path' : 'query')
    }
  },
)

t.test('the document says where an access key is needed, by the rule of the README', async (t) => {
  const open = ['/', '/livez', '/openapi.json', '/readyz', '/callback']
  for (const [env, needed] of [
    [{}, [{}, { bearer: [] }]],
    [{ API_KEYS: 'a-key-of-16-chars' }, [{ bearer: [] }]],
  ] as const) {
    const { app } = await build(t, { env })
    const { paths, components } = JSON.parse((await ask(app, '/openapi.json')).text)
    t.match(components.securitySchemes, { bearer: { type: 'http', scheme: 'bearer' } })
    const operations = Object.entries<Record<string, Operation>>(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, its]) => ({ path, of: `${method} ${path}`, ...its })),
    )
    for (const { path, of, security, responses } of operations) {
      t.strictSame(security, open.includes(path) ? [] : needed, of)
      const refusal = responses['401']?.content?.['application/problem+json']?.examples
      t.equal(refusal !== undefined, !open.includes(path), `${of}: unauthorized`)
    }
  }
})

type Operation = {
  security: unknown
  operationId: string
  summary: string
  responses: Record<
    string,
    { description: string; content?: Record<string, { example?: unknown; examples?: unknown }> }
  >
}
