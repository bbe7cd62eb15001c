import t from 'tap'
import { basic, judgeRefresh, sendRefresh } from '../../src/spotify/token-endpoint.ts'
import { noonMs } from '../helpers/fake-clock.ts'
import { FakeTransport, json, text, tokenAnswer, tokenRefusal } from '../helpers/fake-transport.ts'

const judged = (answer: Parameters<typeof judgeRefresh>[0]) => judgeRefresh(answer, noonMs)

t.test('a refresh is a form, with id and secret in the header', async (t) => {
  const wire = new FakeTransport()
  const request = { clientId: 'id', clientSecret: 's e+c/r=et', refreshToken: 'a+b/c=d&e f' }
  const answer = await sendRefresh(wire, 'https://accounts.example', request)
  t.equal(answer.status, 200)
  t.match(wire.tokenRequests, [
    {
      method: 'POST',
      url: 'https://accounts.example/api/token',
      headers: {
        authorization: `Basic ${Buffer.from('id:s e+c/r=et').toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
    },
  ])
  t.same(Object.fromEntries(new URLSearchParams(wire.tokenRequests[0]?.body)), {
    grant_type: 'refresh_token',
    refresh_token: 'a+b/c=d&e f',
  })
  t.equal(basic('id', 'sécret'), `Basic ${Buffer.from('id:sécret').toString('base64')}`)
})

t.test('a good answer gives the token, its life and its scopes', async (t) => {
  t.same(judged(tokenAnswer({ access_token: 'new', expires_in: 120, scope: 'b  a\n' })), {
    accessToken: 'new',
    expiresInS: 120,
    scopes: ['b', 'a'],
    refreshToken: null,
  })
})

t.test('a life that is missing, or makes no sense, is an hour', async (t) => {
  for (const expires_in of [undefined, null, 0, -5, '7200', {}, false]) {
    t.match(judged(tokenAnswer({ expires_in })), { expiresInS: 3600 })
  }
  t.match(judged(tokenAnswer({ expires_in: 0.5 })), { expiresInS: 0.5 })
})

t.test('scopes that are not told are unknown, an empty text is none', async (t) => {
  for (const scope of [undefined, null, 7, ['a']]) {
    t.match(judged(tokenAnswer({ scope })), { scopes: null })
  }
  for (const scope of ['', '  '])
    t.strictSame(judged(tokenAnswer({ scope })), {
      accessToken: 'access',
      expiresInS: 3600,
      scopes: [],
      refreshToken: null,
    })
})

t.test('only a real refresh token takes the place of the old one', async (t) => {
  t.match(judged(tokenAnswer({ refresh_token: 'rotated' })), { refreshToken: 'rotated' })
  for (const refresh_token of [undefined, null, '', 7, {}]) {
    t.match(judged(tokenAnswer({ refresh_token })), { refreshToken: null })
  }
})

t.test('a 200 without an access token may be mended by another attempt', async (t) => {
  const fault = { name: 'UpstreamFault', kind: 'error' }
  for (const access_token of [undefined, null, '', 7]) {
    t.throws(() => judged(tokenAnswer({ access_token })), {
      ...fault,
      message: 'it answered 200 without an access token',
    })
  }
  for (const body of [null, [], 'OK', {}]) t.throws(() => judged(json(200, body)), fault)
  for (const body of ['', '<html></html>', '{"access_token":']) {
    t.throws(() => judged(text(200, body)), { ...fault, message: /not JSON/ })
  }
})

t.test('invalid_grant is told with its reason', async (t) => {
  t.same(judged(tokenRefusal('invalid_grant', 'Refresh token revoked')), {
    refused: 'invalid_grant',
    reason: '"Refresh token revoked"',
  })
  t.match(judged(json(400, { error: 'invalid_grant' })), { reason: '"invalid_grant"' })
  t.match(judged(json(401, { error: 'invalid_grant' })), { refused: 'invalid_grant' })
})

t.test('invalid_client is a matter of the configuration', async (t) => {
  for (const status of [400, 401]) {
    t.throws(() => judged(json(status, { error: 'invalid_client', error_description: 'No' })), {
      name: 'ConnectorError',
      code: 'credentials-rejected',
      retryable: false,
      message: /"No".*SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET/,
    })
  }
})

t.test('every other refusal is final', async (t) => {
  const refusals = [
    tokenRefusal('invalid_request', 'refresh_token must be supplied'),
    tokenRefusal('unsupported_grant_type', 'grant_type is missing'),
    json(400, { error: { status: 400, message: 'invalid_grant' } }),
    json(400, ['invalid_grant']),
    text(400, 'invalid_grant'),
    text(400, ''),
    text(403, '<html>Forbidden</html>'),
    text(405, 'Method Not Allowed'),
  ]
  for (const answer of refusals) {
    t.throws(
      () => judged(answer),
      {
        name: 'ConnectorError',
        code: 'upstream-error',
        retryable: false,
        message: new RegExp(`accounts service refused .*: ${answer.status} `),
      },
      answer.text,
    )
  }
})

t.test('what the accounts service has not managed may pass', async (t) => {
  for (const status of [404, 408, 500, 502, 503, 504]) {
    t.throws(() => judged(text(status, '<html><h1>Oops</h1></html>')), {
      name: 'UpstreamFault',
      message: `it answered ${status} "Oops"`,
    })
  }
})

t.test('an answer that is neither good nor an error may pass, and is not quoted', async (t) => {
  for (const status of [201, 204, 302, 307]) {
    t.throws(() => judged({ ...tokenAnswer({ access_token: 'unknown yet' }), status }), {
      name: 'UpstreamFault',
      message: new RegExp(`^it answered ${status}$`),
    })
  }
})

t.test('a 429 is a limit', async (t) => {
  t.same(judged(text(429, '', { 'retry-after': '7' })), { retryAfterMs: 7_000 })
  t.same(judged(json(429, { error: 'invalid_grant' })), { retryAfterMs: null })
})
