import t, { type Test } from 'tap'
import { Compile } from 'typebox/schema'
import type { FailureCode } from '../../src/errors.ts'
import type { Fault } from '../../src/simulator/faults.ts'
import { makeLibrary } from '../../src/simulator/library.ts'
import {
  forbidden,
  quotaExceeded,
  serverError,
  tokenError,
  tooManyRequests,
} from '../../src/simulator/spotify-errors.ts'
import { type Answer, ask } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'

/** A JSON Schema, or an object of the document. */
type Json = Record<string, unknown>

type Content = Record<
  string,
  { schema: Json; example?: unknown; examples?: Record<string, { value: unknown }> }
>
type Responses = Record<string, { content?: Content }>

/** The description that the routes give of themselves, and what answers are held against it. */
async function describe(t: Test) {
  const { app } = await build(t)
  const document = JSON.parse((await ask(app, '/openapi.json')).text)
  const responsesOf = (path: string): Responses => {
    const pattern = path.split('?')[0]?.replace(/^(\/(tables|connections))\/[^/]+/, '$1/{name}')
    const { get, delete: deletes } = document.paths[pattern as string]
    return (get ?? deletes).responses
  }
  /** Why a value is not what a schema says; null when it is. */
  const objectionTo = (schema: Json, value: unknown): string | null => {
    // The references begin at the document's root.
    const validator = Compile(closed({ components: document.components, ...schema }) as Json)
    return validator.Check(value) ? null : JSON.stringify(validator.Errors(value)).slice(0, 500)
  }
  const assertDescribed = (path: string, { status, headers, text }: Answer) => {
    const response = responsesOf(path)[status]
    if (!response) return t.fail(`${path}: ${status} is not described: ${text}`)
    if (!response.content) return t.equal(text, '', `${path}: ${status} has no body`)
    const type = String(headers['content-type']).split(';')[0] as string
    const described = response.content[type]
    if (!described) return t.fail(`${path}: ${status} is not described as ${type}`)
    const value = type === 'text/plain' ? text : JSON.parse(text)
    t.equal(objectionTo(described.schema, value), null, `${path}: ${status}`)
    if (type !== 'application/problem+json') return
    t.ok(described.examples?.[value.code], `${path}: ${value.code} is described`)
  }
  return { document, responsesOf, objectionTo, assertDescribed }
}

t.test('every good answer is as it is described', async (t) => {
  const { assertDescribed } = await describe(t)
  const { app, simulator } = await build(t)
  simulator.library = makeLibrary({ oddities: true })
  const fixed = ['/', '/openapi.json', '/tables', '/health', '/livez', '/readyz']
  const ofConnection = ['', '/default/check', '/default/authorize?moved=true']
  for (const path of [...fixed, ...ofConnection.map((part) => `/connections${part}`)]) {
    assertDescribed(path, await ask(app, path))
  }
  for (const { name } of JSON.parse((await ask(app, '/tables')).text).tables) {
    const forms = ['metadata', 'schema', 'schema?format=ddl', 'schema?format=json-schema']
    for (const form of [...forms, 'read', 'read?limit=1', 'read?limit=50']) {
      const path = `/tables/${name}/${form}`
      const answer = await ask(app, path)
      t.equal(answer.status, 200, path)
      assertDescribed(path, answer)
    }
  }
  assertDescribed('/health', await ask(app, '/health'))
})

t.test('every further member of a read is as it is described', async (t) => {
  const { assertDescribed } = await describe(t)
  const { app, simulator } = await build(t, { env: { READ_WAIT_BUDGET_MS: '0' } })
  simulator.library = makeLibrary({ tracks: 237 })
  simulator.library.tracks[3] = null
  const members = new Set<string>()
  const read = async (path: string) => {
    const answer = await ask(app, path)
    t.equal(answer.status, 200, path)
    assertDescribed(path, answer)
    for (const member of Object.keys(JSON.parse(answer.text))) members.add(member)
  }
  await read('/tables/tracks/read?max_pages=1')
  await read(`/tables/recently_played/read?offset=${encodeURIComponent('{"cursor":"1"}')}`)
  simulator.faults.add({ on: '/me/tracks', skip: 1, fault: tooManyRequests(60) })
  await read('/tables/tracks/read')
  t.strictSame([...members].sort(), [
    'gap',
    'has_more',
    'interrupted',
    'next',
    'offset',
    'records',
    'retry_after_s',
    'skipped',
  ])
})

/** What makes Spotify, or its token endpoint, answer so that a read is each problem. */
const upstream: [code: FailureCode, on: string, fault: Fault][] = [
  ['reauthorisation-required', '/api/token', tokenError('invalid_grant', 'Refresh token revoked')],
  ['credentials-rejected', '/api/token', tokenError('invalid_client', 'Invalid client')],
  ['upstream-error', '/api/token', tokenError('invalid_request', 'no')],
  ['insufficient-scope', '/me/tracks', forbidden('scope')],
  ['account-not-allowed', '/me/tracks', forbidden('premium')],
  ['rate-limited', '/me/tracks', tooManyRequests(60)],
  ['quota-exceeded', '/me/tracks', quotaExceeded()],
  ['upstream-error', '/me/tracks', serverError(503)],
  ['upstream-timeout', '/me/tracks', { kind: 'no-headers' }],
]

for (const [code, on, fault] of upstream) {
  t.test(`a read that ends as ${code} (${on}) is as it is described`, async (t) => {
    const { assertDescribed } = await describe(t)
    const env = { READ_WAIT_BUDGET_MS: '0' }
    const totalMs = code === 'upstream-timeout' ? 100 : 2_000
    const { app, simulator } = await build(t, { env, timeouts: { totalMs } })
    simulator.faults.add({ on, times: Infinity, fault })
    const answer = await ask(app, '/tables/tracks/read')
    t.equal(JSON.parse(answer.text).code, code)
    assertDescribed('/tables/tracks/read', answer)
  })
}

t.test('every refusal of a request is as it is described', async (t) => {
  const { assertDescribed } = await describe(t)
  const { app } = await build(t)
  const { app: locked } = await build(t, { env: { API_KEYS: 'a-key-of-16-chars' } })
  const foreign = { host: 'evil.com' }
  const fixed = ['/', '/openapi.json', '/tables', '/health', '/livez', '/readyz']
  const ofTable = ['metadata', 'schema', 'read']
  const connections = ['', '/default/check', '/default/authorize'].map((at) => `/connections${at}`)
  for (const path of [
    ...fixed,
    ...connections,
    ...ofTable.map((part) => `/tables/tracks/${part}`),
  ]) {
    assertDescribed(path, await ask(app, `${path}?rubbish=1`))
    assertDescribed(path, await ask(app, { url: path, headers: foreign }))
    assertDescribed(path, await ask(locked, path))
  }
  for (const path of ['/connections/nope/check', '/connections/Nope/authorize', '/callback']) {
    assertDescribed(path, await ask(app, path))
  }
  for (const url of ['/connections/default', '/connections/nope', '/connections/nope?x=1']) {
    assertDescribed(url, await ask(app, { method: 'DELETE', url }))
  }
  for (const part of ofTable) {
    assertDescribed(`/tables/nope/${part}`, await ask(app, `/tables/nope/${part}`))
  }
  for (const query of ['offset=x', 'limit=0', 'connection=x', 'time_range=short_term']) {
    const path = `/tables/tracks/read?${query}`
    assertDescribed(path, await ask(app, path))
  }
})

t.test('what any route may answer is described at each of them', async (t) => {
  const { document, responsesOf } = await describe(t)
  for (const path of Object.keys(document.paths)) {
    const codes = Object.values(responsesOf(path)).flatMap(({ content = {} }) =>
      Object.keys(content['application/problem+json']?.examples ?? {}),
    )
    for (const code of ['invalid-option', 'bad-request', 'host-not-allowed', 'internal']) {
      // Whatever comes back from Spotify is looked at.
      if (path === '/callback' && code === 'invalid-option') continue
      t.ok(codes.includes(code), `${path}: ${code}`)
    }
    // The process can serve until the end, and says so.
    t.equal(codes.includes('shutting-down'), path !== '/livez', path)
  }
})

t.test('every example is as the schema beside it says', async (t) => {
  const { document, responsesOf, objectionTo } = await describe(t)
  for (const path of Object.keys(document.paths)) {
    for (const [status, { content = {} }] of Object.entries(responsesOf(path))) {
      for (const [type, { schema, example, examples = {} }] of Object.entries(content)) {
        const values = Object.values(examples).map(({ value }) => value)
        if (example !== undefined) values.push(example)
        for (const value of values) {
          // Records are shortened in examples: not every column is shown.
          if (path.endsWith('/read') && status === '200') continue
          t.equal(objectionTo(schema, value), null, `${path}: ${status} ${type}`)
        }
      }
    }
  }
})

t.test('what is not as described would be seen', async (t) => {
  const { responsesOf, objectionTo } = await describe(t)
  const { get } = await build(t)
  const { schema } = responsesOf('/tables/tracks/read')['200']?.content?.['application/json'] ?? {}
  const { body } = await get('/tables/tracks/read?limit=1&max_pages=1')
  const [record] = body.records
  const wrong = [
    { ...body, has_more: 'yes' },
    { ...body, offset: 'x' },
    { ...body, more: 1 },
    { ...body, records: [{ ...record, added_at: 7 }] },
    { ...body, records: [{ ...record, more: 7 }] },
    { records: body.records, offset: null },
  ]
  t.equal(objectionTo(schema as Json, body), null)
  for (const value of wrong) t.ok(objectionTo(schema as Json, value))
})

/**
 * The schema with every object that lists its members taking no others: a description leaves room
 * for members to come, but what answers hold today it should name.
 */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const its = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  const lists = 'properties' in schema && [(schema as Json).type].flat().includes('object')
  return lists && !('additionalProperties' in schema)
    ? { ...its, additionalProperties: false }
    : its
}
