import t from 'tap'
import { settle } from '../helpers/fake-clock.ts'
import { inTurn, json, text, tokenAnswer, tokenRefusal } from '../helpers/fake-transport.ts'
import { apiUrl, spotifyParts } from '../helpers/spotify.ts'

const whole = { path: '/me/tracks', query: {}, read: (body: unknown) => body }
const limited = (retryAfter: string, body: unknown = {}) =>
  json(429, body, { 'retry-after': retryAfter })
const quota = { error: { status: 429, reason: 'QUOTA_EXCEEDED' } }

t.test('a request carries the token, and its parameters encoded', async (t) => {
  const { client, wire, call } = spotifyParts(t)
  wire.api = () => json(200, { items: [1] })
  const query = { limit: 50, after: 'a&b=c d/é', market: '' }
  const read = (body: unknown) => ({ read: body })
  t.same(await client.get({ path: '/me/tracks', query, read }, call()), { read: { items: [1] } })
  await client.get(whole, call())
  t.match(wire.apiRequests, [
    {
      method: 'GET',
      url: `${apiUrl}/me/tracks?limit=50&after=a%26b%3Dc+d%2F%C3%A9&market=`,
      headers: { authorization: 'Bearer access-1' },
    },
    { url: `${apiUrl}/me/tracks` },
  ])
  t.equal(wire.tokenRequests.length, 1)
})

t.test('a scope that is missing is told before anything is asked', async (t) => {
  const { client, wire, call } = spotifyParts(t)
  wire.token = () => tokenAnswer({ scope: 'user-library-read' })
  const scopes = ['user-library-read', 'user-top-read']
  await t.rejects(client.get(whole, call({ scopes })), { code: 'insufficient-scope' })
  t.equal(wire.apiRequests.length, 0)
})

t.test('a consent that is known to be over is told, asking nobody', async (t) => {
  const { client, wire, gate, clock, call } = spotifyParts(t)
  wire.token = () => tokenRefusal('invalid_grant', 'Refresh token expired')
  await t.rejects(client.get(whole, call()), { code: 'reauthorisation-required' })
  const about = { endpoint: '/me', quota: false, sentAtMs: clock.now() }
  gate.refused({ ...about, scope: 'everything', retryAfterMs: 3600_000 })
  await t.rejects(client.get(whole, call()), { code: 'reauthorisation-required' })
  t.equal(wire.tokenRequests.length, 1)
  t.equal(wire.apiRequests.length, 0)
})

t.test('a 401 brings one new token, and the request is sent again', async (t) => {
  const { client, wire, log, call } = spotifyParts(t)
  wire.api = ({ headers }) =>
    headers.authorization === 'Bearer access-1' ? text(401, '') : json(200, 'good')
  t.equal(await client.get(whole, call()), 'good')
  t.equal(wire.tokenRequests.length, 2)
  t.equal(wire.apiRequests.length, 2)
  t.same(log.of('warn'), [], 'as a matter of course')
})

t.test('eight requests that get a 401 at once bring one new token', async (t) => {
  const { client, wire, clock, call } = spotifyParts(t)
  wire.api = async ({ headers }, nth) => {
    await clock.sleep(nth * 50)
    return headers.authorization === 'Bearer access-1' ? text(401, '') : json(200, 'good')
  }
  const pages = Array.from({ length: 8 }, () => client.get(whole, call()))
  await clock.advance(2_000)
  t.same(await Promise.all(pages), Array(8).fill('good'))
  t.equal(wire.tokenRequests.length, 2)
})

t.test('a 401 that lasts ends as an upstream-error, after few refreshes', async (t) => {
  const { client, wire, call } = spotifyParts(t)
  wire.api = inTurn(json(401, { error: { status: 401, message: 'No token provided' } }))
  await t.rejects(client.get(whole, call()), {
    code: 'upstream-error',
    retryable: true,
    message: /401 "No token provided"/,
  })
  t.ok(wire.tokenRequests.length <= 2)
  t.ok(wire.apiRequests.length <= 5)
})

t.test('a 403 is final', async (t) => {
  const { client, wire, call } = spotifyParts(t)
  wire.api = inTurn(
    json(403, { error: { status: 403, message: 'Insufficient client scope' } }),
    text(403, 'User not registered in the Developer Dashboard'),
  )
  const scopes = ['user-top-read']
  await t.rejects(client.get(whole, call({ scopes })), {
    code: 'insufficient-scope',
    members: { scopes },
  })
  await t.rejects(client.get(whole, call()), {
    code: 'account-not-allowed',
    retryable: false,
    message: /User not registered in the Developer Dashboard/,
  })
  t.equal(wire.apiRequests.length, 2)
})

t.test('a 400 is final, and no retry mends it', async (t) => {
  const { client, wire, call } = spotifyParts(t)
  wire.api = inTurn(json(400, { error: { status: 400, message: 'Invalid limit' } }))
  await t.rejects(client.get(whole, call()), {
    code: 'upstream-error',
    retryable: false,
    message: /400 "Invalid limit"/,
  })
  t.equal(wire.apiRequests.length, 1)
})

t.test('a 429 shuts the gate, and the request goes out again after it', async (t) => {
  const { client, wire, gate, clock, call } = spotifyParts(t)
  wire.api = inTurn(limited('7'), json(200, 'good'))
  const got = client.get(whole, call())
  await clock.advance(6_999)
  t.equal(gate.isShut('/me/playlists'), true)
  t.equal(wire.apiRequests.length, 1)
  await clock.advance(1)
  t.equal(await got, 'good')
})

t.test('429s are waited for as often as the budget allows', async (t) => {
  const { client, wire, clock, call } = spotifyParts(t)
  wire.api = inTurn(limited('2'))
  const refused = t.rejects(client.get(whole, call()), { code: 'rate-limited', retryable: true })
  await clock.advance(60_000)
  await refused
  t.equal(wire.apiRequests.length, 7, 'at 0, 2, 4, 6, 8, 12 and 20 s: who is refused is patient')
})

t.test('a Retry-After of 0 for ever brings few requests', async (t) => {
  const { client, wire, clock, call } = spotifyParts(t)
  wire.api = inTurn(limited('0'))
  const refused = t.rejects(client.get(whole, call()), { code: 'rate-limited' })
  await clock.advance(60_000)
  await refused
  t.equal(wire.apiRequests.length, 3)
})

t.test('a quota shuts its endpoint only, and is not asked again', async (t) => {
  const { client, wire, call } = spotifyParts(t)
  wire.api = ({ url }) => (url.endsWith('/me/tracks') ? limited('48925', quota) : json(200, 'good'))
  for (const _ of [1, 2]) {
    await t.rejects(client.get(whole, call()), { code: 'quota-exceeded', retryAfterS: 48_925 })
  }
  t.equal(await client.get({ ...whole, path: '/me' }, call()), 'good')
  t.equal(wire.apiRequests.length, 2)
})

t.test('a gate that shut while the token was fetched keeps the request back', async (t) => {
  const { client, wire, gate, clock, call } = spotifyParts(t)
  wire.token = () => {
    const about = { endpoint: '/me', quota: false, sentAtMs: clock.now() }
    gate.refused({ ...about, scope: 'everything', retryAfterMs: 7_000 })
    return tokenAnswer()
  }
  wire.api = () => json(200, clock.now())
  const beganMs = clock.now()
  const sent = client.get(whole, call())
  await clock.advance(7_000)
  t.equal(await sent, beganMs + 7_000)
})

t.test('a good answer ends the series of refusals', async (t) => {
  const { client, wire, gate, clock, call } = spotifyParts(t)
  wire.api = inTurn(limited('0'), json(200, 'good'), limited('0'), json(200, 'good'))
  for (const _ of [1, 2]) {
    const got = client.get(whole, call())
    await settle()
    t.equal(gate.state().untilMs, clock.now() + 5_000)
    await clock.advance(5_000)
    t.equal(await got, 'good')
  }
})

t.test('an abort while it waits at the gate sends nothing', async (t) => {
  const { client, wire, clock, call } = spotifyParts(t)
  wire.api = inTurn(limited('7'))
  const controller = new AbortController()
  const reason = new Error('the reader went away')
  const aborted = t.rejects(client.get(whole, call({ signal: controller.signal })), reason)
  await clock.advance(3_000)
  controller.abort(reason)
  await aborted
  await clock.advance(30_000)
  t.equal(wire.apiRequests.length, 1)
  t.equal(clock.sleeping, 0)
})
