import t from 'tap'
import { allScopes } from '../../src/simulator/grants.ts'
import { agree, exchange, noChallenge, redirectUri } from './consent.ts'
import { bodyOf, refresh, start, stillClock } from './start.ts'

t.test('a refresh answers a token for an hour, its scopes, and no refresh token', async (t) => {
  const { simulator } = await start(t)
  const answer = await refresh(simulator)
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^application\/json/)
  const body = await bodyOf(answer)
  t.same(Object.keys(body).sort(), ['access_token', 'expires_in', 'scope', 'token_type'])
  t.match(body, { expires_in: 3600, scope: allScopes.join(' '), token_type: 'Bearer' })
})

t.test('the scopes are those that were granted, or are not told', async (t) => {
  const some = await start(t, { scopes: ['user-top-read', 'user-read-private'] })
  t.equal((await bodyOf(refresh(some.simulator))).scope, 'user-top-read user-read-private')
  const untold = await start(t, { scopes: null })
  t.notOk('scope' in (await bodyOf(refresh(untold.simulator))))
  t.equal((await untold.get('/me/top/tracks')).status, 200)
})

t.test('what is wrong with a token request is said in the words of OAuth', async (t) => {
  const { simulator } = await start(t)
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`
  const wrongSecret = basic(`${simulator.clientId}:wrong`)
  const cases: [Parameters<typeof refresh>[1], object][] = [
    [
      { headers: { authorization: wrongSecret } },
      { error: 'invalid_client', error_description: 'Invalid client' },
    ],
    [{ headers: { authorization: '' } }, { error: 'invalid_client' }],
    [{ headers: { authorization: 'Basic %%%' } }, { error: 'invalid_client' }],
    [{ form: { refresh_token: 'unknown' } }, { error: 'invalid_grant' }],
    [{ form: { refresh_token: '' } }, { error: 'invalid_request' }],
    [{ form: { grant_type: 'password' } }, { error: 'unsupported_grant_type' }],
    [{ form: { grant_type: 'constructor' } }, { error: 'unsupported_grant_type' }],
    [{ form: { grant_type: '' } }, { error: 'unsupported_grant_type' }],
    [
      { headers: { 'content-type': 'application/json' } },
      { error: 'unsupported_grant_type', error_description: 'grant_type parameter is missing' },
    ],
    [{ headers: { 'content-type': ';;;' } }, { error: 'unsupported_grant_type' }],
  ]
  for (const [request, expected] of cases) {
    const answer = await refresh(simulator, request)
    t.equal(answer.status, 400)
    t.match(await answer.json(), expected)
  }
  t.equal(simulator.stats.token, cases.length)
})

t.test(
  'a revoked or expired refresh token is refused, that of a new consent is good',
  async (t) => {
    const { simulator } = await start(t)
    const old = simulator.refreshToken
    simulator.revokeRefreshToken()
    const revoked = { error: 'invalid_grant', error_description: 'Refresh token revoked' }
    t.same(await bodyOf(refresh(simulator)), revoked)

    const fresh = simulator.consent()
    t.equal(simulator.refreshToken, fresh)
    t.equal((await refresh(simulator)).status, 200)
    t.same(await bodyOf(refresh(simulator, { form: { refresh_token: old } })), revoked)
    simulator.expireRefreshToken()
    t.match(await bodyOf(refresh(simulator)), { error_description: 'Refresh token expired' })
  },
)

t.test('rotation gives a new refresh token each time and ends the old one', async (t) => {
  const { simulator } = await start(t, { rotate: true, refreshToken: 'first' })
  const second = simulator.refreshToken
  t.not(second, 'first')
  t.equal((await refresh(simulator, { form: { refresh_token: 'first' } })).status, 400)
  const { refresh_token } = await bodyOf(refresh(simulator))
  t.equal(refresh_token, simulator.refreshToken)
  t.not(refresh_token, second)
})

t.test('an access token ends after its lifetime, or when all are ended', async (t) => {
  const clock = stillClock(0)
  const { simulator, get } = await start(t, { clock, tokenLifetimeS: 60 })
  const expired = { error: { status: 401, message: 'The access token expired' } }
  clock.nowMs = 59_999
  t.equal((await get('/me')).status, 200)
  clock.nowMs = 60_000
  const answer = await get('/me')
  t.equal(answer.status, 401)
  t.same(await answer.json(), expired)

  const { access_token } = await bodyOf(refresh(simulator))
  const headers = { authorization: `Bearer ${access_token}` }
  t.equal((await get('/me', { headers })).status, 200)
  simulator.expireAccessTokens()
  t.same(await (await get('/me', { headers })).json(), expired)
})

t.test('a consent is good for six months, whatever is refreshed meanwhile', async (t) => {
  const clock = stillClock(Date.UTC(2026, 10, 24, 12))
  const { simulator } = await start(t, { clock, rotate: true })
  simulator.consent()
  clock.nowMs = Date.UTC(2027, 4, 24, 11, 59)
  const before = await refresh(simulator)
  t.equal(before.status, 200)
  clock.nowMs = Date.UTC(2027, 4, 24, 12)
  t.same(await bodyOf(refresh(simulator)), {
    error: 'invalid_grant',
    error_description: 'Refresh token expired',
  })
})

t.test('a code is exchanged for tokens of the scopes agreed to', async (t) => {
  const { simulator } = await start(t)
  const { code, verifier } = await agree(simulator, { scopes: ['user-top-read'] })
  const answer = await exchange(simulator, { code, code_verifier: verifier })
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  const body = await bodyOf(answer)
  t.same(Object.keys(body).sort(), [
    'access_token',
    'expires_in',
    'refresh_token',
    'scope',
    'token_type',
  ])
  t.match(body, { scope: 'user-top-read', expires_in: 3600, token_type: 'Bearer' })
  t.equal(body.refresh_token, simulator.refreshToken)
  t.equal((await bodyOf(refresh(simulator))).scope, 'user-top-read')

  const headers = { authorization: `Bearer ${body.access_token}` }
  const ask = (path: string) => fetch(`${simulator.apiUrl}${path}`, { headers })
  t.equal((await ask('/me/top/tracks')).status, 200)
  t.equal((await ask('/me/tracks')).status, 403)
})

t.test('a code without PKCE is exchanged without it', async (t) => {
  const { simulator } = await start(t)
  const { code } = await agree(simulator, { query: noChallenge })
  t.equal((await exchange(simulator, { code })).status, 200)
})

t.test('what is wrong with an exchange is said in Spotify’s words', async (t) => {
  const clock = stillClock(0)
  const { simulator } = await start(t, { clock })
  const invalid = (error_description: string) => ({ error: 'invalid_grant', error_description })
  const incorrect = invalid('code_verifier was incorrect')
  const unauthorised = { error: 'invalid_client', error_description: 'Invalid client' }
  const cases: [string, Record<string, string>, object][] = [
    ['unknown code', { code: 'AQrubbish' }, invalid('Invalid authorization code')],
    ['no code', { code: '' }, { error: 'invalid_request' }],
    ['no redirect URI', { redirect_uri: '' }, { error: 'invalid_request' }],
    ['other redirect URI', { redirect_uri: `${redirectUri}/` }, invalid('Invalid redirect URI')],
    ['wrong verifier', { code_verifier: 'v'.repeat(50) }, incorrect],
    ['no verifier', { code_verifier: '' }, incorrect],
    ['another client', { authorization: '', client_id: 'other' }, unauthorised],
    ['no client', { authorization: '' }, unauthorised],
  ]
  for (const [name, change, expected] of cases) {
    const { code, verifier } = await agree(simulator)
    const answer = await exchange(simulator, { code, code_verifier: verifier, ...change })
    t.equal(answer.status, 400, name)
    t.match(await answer.json(), expected, name)
  }

  const plain = await agree(simulator, { query: noChallenge })
  t.same(
    await bodyOf(exchange(simulator, { code: plain.code, code_verifier: plain.verifier })),
    incorrect,
    'a verifier that no challenge waits for',
  )
  const short = await agree(simulator, { verifier: 'too-short' })
  t.same(
    await bodyOf(exchange(simulator, { code: short.code, code_verifier: 'too-short' })),
    incorrect,
    'a verifier that could be guessed',
  )
})

t.test('a code is good once, and for ten minutes', async (t) => {
  const clock = stillClock(0)
  const { simulator } = await start(t, { clock })
  const used = await agree(simulator)
  t.equal(
    (await exchange(simulator, { code: used.code, code_verifier: used.verifier })).status,
    200,
  )
  t.match(await bodyOf(exchange(simulator, { code: used.code, code_verifier: used.verifier })), {
    error_description: 'Invalid authorization code',
  })

  const [inTime, late] = [await agree(simulator), await agree(simulator)]
  clock.nowMs = 599_999
  const answer = await exchange(simulator, { code: inTime.code, code_verifier: inTime.verifier })
  t.equal(answer.status, 200)
  clock.nowMs = 600_000
  t.match(await bodyOf(exchange(simulator, { code: late.code, code_verifier: late.verifier })), {
    error_description: 'Authorization code expired',
  })
})

t.test('PKCE alone takes the place of the secret, and each refresh rotates', async (t) => {
  const { simulator } = await start(t)
  const { clientId: client_id, refreshToken: secret } = simulator
  const nameless = { authorization: '', client_id }
  const { code, verifier } = await agree(simulator)
  const body = await bodyOf(exchange(simulator, { code, code_verifier: verifier, ...nameless }))
  const first = String(body.refresh_token)
  const again = (refresh_token: string) =>
    bodyOf(
      refresh(simulator, { form: { client_id, refresh_token }, headers: { authorization: '' } }),
    )
  t.equal((await again(first)).refresh_token, simulator.refreshToken)
  t.not(simulator.refreshToken, first)
  t.match(await again(first), { error_description: 'Refresh token revoked' })
  t.match(await again(secret), { error: 'invalid_client' }, 'a token that was given to the secret')
  const plain = await agree(simulator, { query: noChallenge })
  t.match(await bodyOf(exchange(simulator, { code: plain.code, ...nameless })), {
    error: 'invalid_client',
  })
})

t.test('the token endpoint takes POST alone', async (t) => {
  const { simulator } = await start(t)
  const wrongMethod = await fetch(`${simulator.accountsUrl}/api/token`)
  t.equal(wrongMethod.status, 405)
  t.equal(wrongMethod.headers.get('allow'), 'POST')
})
