import t from 'tap'
import { allScopes } from '../../src/simulator/grants.ts'
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

t.test('any other path and method of the accounts service is answered', async (t) => {
  const { simulator } = await start(t)
  const page = await fetch(`${simulator.accountsUrl}/nowhere?x=1`)
  t.equal(page.status, 404)
  t.match(page.headers.get('content-type'), /^text\/html/)
  const wrongMethod = await fetch(`${simulator.accountsUrl}/api/token`)
  t.equal(wrongMethod.status, 405)
  t.equal(wrongMethod.headers.get('allow'), 'POST')
})
