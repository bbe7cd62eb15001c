import t from 'tap'
import { explain, judge, limited, parseJson } from '../../src/spotify/answer.ts'
import { noonMs } from '../helpers/fake-clock.ts'
import { json, text } from '../helpers/fake-transport.ts'

const judged = (answer: Parameters<typeof judge>[0]) =>
  judge(answer, '/me/tracks', ['user-library-read'], noonMs)
const apiError = (status: number, message: string) => json(status, { error: { status, message } })

t.test('a 200 gives its body, whatever JSON it is', async (t) => {
  for (const body of [{ items: [] }, [], null, 'OK', 0]) {
    t.same(judged(json(200, body)), { kind: 'ok', body })
  }
})

t.test('a 200 whose body is no JSON may be mended by another attempt', async (t) => {
  for (const body of ['', '{"items":[', '<html>Please wait…</html>', '\ufeff{}x']) {
    t.throws(() => judged(text(200, body)), {
      name: 'UpstreamFault',
      kind: 'error',
      message: 'it answered 200 with a body that is not JSON',
    })
  }
})

t.test('a 429 is a limit, and of the quota only where it says so', async (t) => {
  const quota = { error: { status: 429, message: 'Too many requests', reason: 'QUOTA_EXCEEDED' } }
  t.same(judged(json(429, quota, { 'retry-after': '48925' })), {
    kind: 'limited',
    quota: true,
    retryAfterMs: 48_925_000,
  })
  const others = [
    apiError(429, 'API rate limit exceeded'),
    json(429, { error: { reason: 'quota_exceeded' } }),
    json(429, { reason: 'QUOTA_EXCEEDED' }),
    text(429, 'Too many requests'),
    text(429, 'QUOTA_EXCEEDED'),
    text(429, ''),
    text(429, '<html>Too many requests</html>'),
    json(429, [null]),
  ]
  for (const answer of others) {
    t.same(judged(answer), { kind: 'limited', quota: false, retryAfterMs: null }, answer.text)
  }
})

t.test('a limit waits for as long as its header says', async (t) => {
  const waitOf = (header: string | string[]) =>
    limited(text(429, '', { 'retry-after': header }), noonMs).retryAfterMs
  t.equal(waitOf('7'), 7_000)
  t.equal(waitOf(['3', '120']), 120_000)
  t.equal(waitOf('0'), null)
  t.equal(waitOf('Wed, 25 Nov 2026 12:01:30 GMT'), 90_000)
})

t.test('a 401 is handed back, with its wording', async (t) => {
  for (const message of ['The access token expired', 'Access token missing', 'No token provided']) {
    const verdict = judged(apiError(401, message))
    t.match(verdict, { kind: 'unauthorised', fault: { kind: 'error' } })
    t.match(verdict, { fault: { message: `it answered 401 "${message}" to a fresh access token` } })
  }
  t.match(judged(text(401, '')), { kind: 'unauthorised' })
})

t.test('a 403 about the scope says which are needed', async (t) => {
  for (const answer of [
    apiError(403, 'Insufficient client scope'),
    text(403, 'insufficient client scope'),
  ]) {
    t.throws(() => judged(answer), {
      name: 'ConnectorError',
      code: 'insufficient-scope',
      retryable: false,
      message: /\/me\/tracks.*user-library-read/,
      members: { scopes: ['user-library-read'] },
    })
  }
})

t.test('every other 403 is about the account or the app, and its text is passed on', async (t) => {
  const premium = 'Active premium subscription required for the owner of the app.'
  const cases = [
    [text(403, 'User not registered in the Developer Dashboard'), /Developer Dashboard/],
    [text(403, premium), /Active premium subscription required/],
    [apiError(403, 'Spotify is unavailable in this country'), /unavailable in this country/],
    [apiError(403, 'Forbidden'), /"Forbidden"/],
    [text(403, ''), /403, without a reason/],
    [json(403, { error: { status: 403 } }), /403, without a reason/],
  ] as const
  for (const [answer, message] of cases) {
    t.throws(() => judged(answer), { code: 'account-not-allowed', retryable: false, message })
  }
})

t.test('a 404, a 408 and whatever the server has not managed may pass', async (t) => {
  for (const status of [404, 408, 500, 502, 503, 504, 599]) {
    t.throws(() => judged(apiError(status, 'Server error.')), {
      name: 'UpstreamFault',
      kind: 'error',
      message: `it answered ${status} "Server error."`,
    })
  }
})

t.test('an answer that is no answer to ours may pass, a redirect too', async (t) => {
  for (const status of [201, 202, 204, 206, 301, 302, 304, 307]) {
    const headers = { location: 'https://elsewhere.example' }
    t.throws(() => judged(json(status, { items: [] }, headers)), {
      name: 'UpstreamFault',
      message: `it answered ${status} "{"items":[]}"`,
    })
  }
})

t.test('any other 4xx is final', async (t) => {
  for (const status of [400, 402, 405, 406, 410, 414, 418, 451, 499]) {
    t.throws(() => judged(apiError(status, 'Invalid limit')), {
      name: 'ConnectorError',
      code: 'upstream-error',
      retryable: false,
      message: new RegExp(`/me/tracks: ${status} "Invalid limit"\\. Trying again will not help`),
    })
  }
})

t.test('what an error says is told, in whatever form it comes', async (t) => {
  const said = (answer: Parameters<typeof explain>[0]) => explain(answer)
  t.equal(said(apiError(500, 'Server error.')), ' "Server error."')
  t.equal(said(json(400, { error: 'invalid_grant' })), ' "invalid_grant"')
  t.equal(
    said(json(400, { error: 'invalid_grant', error_description: 'Refresh token revoked' })),
    ' "Refresh token revoked"',
  )
  t.equal(said(text(503, 'upstream connect error\r\n')), ' "upstream connect error"')
  t.equal(said(json(500, { message: 'x' })), ' "{"message":"x"}"')
  t.equal(said(text(500, ' \n ')), '')
})

t.test('of a page for browsers only its text is told', async (t) => {
  const page =
    '<!DOCTYPE html><html><head><style>p > a {}</style><script>if (1<2) x()</script>' +
    '<title>503</title></head>\n<body><h1>Service\u0000 error</h1></body></html>'
  t.equal(explain(text(503, page)), ' "503 Service error"')
})

t.test('a long text is cut, and half an emoji is not told', async (t) => {
  t.equal(explain(text(500, 'x'.repeat(300))), ` "${'x'.repeat(200)}…"`)
  t.equal(explain(text(500, 'x'.repeat(200))), ` "${'x'.repeat(200)}"`)
  t.ok(explain(text(500, `${'x'.repeat(199)}\u{1f3b5}!`)).isWellFormed())
})

t.test('megabytes of opened tags do not keep the process busy', async (t) => {
  const beganMs = performance.now()
  explain(text(500, '<'.repeat(2_000_000)))
  t.ok(performance.now() - beganMs < 2_000)
})

t.test('a fault of the JSON carries what the parser said', async (t) => {
  t.same(parseJson(text(200, '{"a":1}')), { a: 1 })
  t.throws(() => parseJson(text(200, '{')), { cause: { name: 'SyntaxError' } })
})
