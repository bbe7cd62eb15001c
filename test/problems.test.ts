import Fastify from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { ConnectorError, type FailureCode, failures } from '../src/errors.ts'
import { HttpFailure, kinds, problemResponses, sendProblem, toProblem } from '../src/problems.ts'
import { Secrets } from '../src/secrets.ts'

/** The contract with callers: a code never gets another status. */
const statuses: Record<FailureCode, number> = {
  'table-not-found': 404,
  'connection-not-found': 404,
  'not-found': 404,
  'method-not-allowed': 405,
  'bad-request': 400,
  'invalid-option': 400,
  'invalid-offset': 400,
  unauthorized: 401,
  'host-not-allowed': 403,
  'reauthorisation-required': 424,
  'credentials-rejected': 424,
  'consent-failed': 400,
  'insufficient-scope': 403,
  'account-not-allowed': 403,
  'snapshot-changed': 409,
  'rate-limited': 429,
  'quota-exceeded': 429,
  'upstream-error': 502,
  'upstream-timeout': 504,
  overloaded: 503,
  'shutting-down': 503,
  internal: 500,
}

const request = { url: '/tables/tracks/read?limit=1', id: 'request-1' }
const problemOf = (failure: ConnectorError, secrets = new Secrets()) =>
  toProblem(failure, request, secrets)

t.test('every kind of failure has its status and a title, and there are no others', async (t) => {
  t.same(Object.keys(kinds).sort(), Object.keys(failures).sort())
  t.same(
    Object.fromEntries(Object.entries(kinds).map(([code, { status }]) => [code, status])),
    statuses,
  )
  const titles = Object.values(kinds).map(({ title }) => title)
  t.equal(new Set(titles).size, titles.length, 'each has a title of its own')
  t.ok(titles.every((title) => /^[A-Z].*[^.]$/.test(title)))
})

t.test('a problem says what, where, and whether to come back', async (t) => {
  t.strictSame(problemOf(new ConnectorError('upstream-timeout', 'Spotify was asked 4 times.')), {
    type: 'urn:lakeflow-spotify:upstream-timeout',
    title: kinds['upstream-timeout'].title,
    status: 504,
    detail: 'Spotify was asked 4 times.',
    instance: '/tables/tracks/read',
    code: 'upstream-timeout',
    retryable: true,
    request_id: 'request-1',
  })
})

t.test('a problem has the members of its failure, and when to come back', async (t) => {
  const members = { scopes: ['a'], missing_scopes: ['a'] }
  t.match(
    problemOf(
      new ConnectorError('rate-limited', 'no', { retryAfterS: 7, retryable: false, members }),
    ),
    { retry_after_s: 7, retryable: false, ...members },
  )
})

t.test('a failure of HTTP may have another status than its code', async (t) => {
  t.equal(problemOf(new HttpFailure('bad-request', 'no', { status: 431 })).status, 431)
  t.equal(problemOf(new HttpFailure('bad-request', 'no')).status, 400)
})

t.test('secrets are struck out of a whole problem', async (t) => {
  const secrets = new Secrets()
  for (const secret of ['access-token', 'quo"ted\\secret']) secrets.add(secret)
  const members = { links: [{ href: '/callback/access-token' }] }
  const failure = new ConnectorError('internal', 'it said quo"ted\\secret', { members })
  const problem = toProblem(failure, { url: '/access-token', id: 'access-token' }, secrets)
  t.match(problem, {
    detail: 'it said [redacted]',
    instance: '/[redacted]',
    request_id: '[redacted]',
    links: [{ href: '/callback/[redacted]' }],
  })
})

t.test('what stands in the query is not told', async (t) => {
  const problem = toProblem(
    new ConnectorError('not-found', 'no'),
    { ...request, url: '/a?k=v' },
    new Secrets(),
  )
  t.equal(problem.instance, '/a')
})

t.test('a route describes the problems it can give by status, `internal` among them', async (t) => {
  const responses = problemResponses('rate-limited', 'quota-exceeded', 'table-not-found')
  t.same(Object.keys(responses), ['404', '429', '500'])
  t.match(responses[429], { description: /`rate-limited`: .*`quota-exceeded`: / })
})

/** The answer of a route that throws `error`, and what is logged of it. */
async function answerTo(error: unknown) {
  const log: Record<string, unknown>[] = []
  const loggerInstance = pino({}, { write: (line: string) => log.push(JSON.parse(line)) })
  const app = Fastify({ loggerInstance })
  app.setErrorHandler((thrown, asked, reply) => sendProblem(asked, reply, thrown, new Secrets()))
  app.get('/', async () => {
    throw error
  })
  const { statusCode, headers, body } = await app.inject('/')
  await app.close()
  return { statusCode, headers, body, problem: JSON.parse(body), log }
}

t.test('a bug is told to the log alone, and never as a stack', async (t) => {
  for (const error of [new TypeError('x is no y in /app/src/a.ts'), 'x is no y in /app/src/a.ts']) {
    const { statusCode, headers, body, problem, log } = await answerTo(error)
    t.equal(statusCode, 500)
    t.match(headers['content-type'], /^application\/problem\+json/)
    t.match(problem, { code: 'internal', retryable: false, status: 500 })
    t.notMatch(body, /x is no y|\/app\/|\.ts|\n/)
    t.match(JSON.stringify(log), /x is no y/)
  }
})

t.test('a failure of ours is answered as it says', async (t) => {
  const failure = new ConnectorError('rate-limited', 'Wait.', { retryAfterS: 7 })
  const limited = await answerTo(failure)
  t.equal(limited.statusCode, 429)
  t.match(limited.headers, { 'retry-after': '7', 'cache-control': 'no-store' })
  t.match(limited.problem, { code: 'rate-limited', detail: 'Wait.', retry_after_s: 7 })
  t.equal(limited.headers['x-request-id'], limited.problem.request_id)

  const headers = { allow: 'GET, HEAD' }
  const refused = await answerTo(new HttpFailure('method-not-allowed', 'No.', { headers }))
  t.match(refused.headers, headers)
  t.notOk('retry-after' in refused.headers)
})

t.test("Fastify's own refusals are a bad-request", async (t) => {
  const tooLarge = Object.assign(new Error('Request body is too large'), { statusCode: 413 })
  const { statusCode, problem } = await answerTo(tooLarge)
  t.equal(statusCode, 400)
  t.match(problem, { code: 'bad-request', detail: /Request body is too large/ })
  const tooLong = Object.assign(new Error('no'), { statusCode: 414 })
  t.match(await answerTo(tooLong), { statusCode: 414, problem: { code: 'bad-request' } })
  const broken = Object.assign(new Error('no'), { statusCode: 502 })
  t.match(await answerTo(broken), { statusCode: 500, problem: { code: 'internal' } })
})
