import t from 'tap'
import { inTurn, tokenAnswer, tokenRefusal } from '../helpers/fake-transport.ts'
import { memoryStore, spotifyParts } from '../helpers/spotify.ts'

const revoked = tokenRefusal('invalid_grant', 'Refresh token revoked')
const needed = { code: 'reauthorisation-required', retryable: false }

t.test('after invalid_grant the next call fails at once and asks nobody', async (t) => {
  const { tokens, wire, log, call } = spotifyParts(t)
  wire.token = inTurn(revoked, tokenAnswer())
  for (let calls = 0; calls < 3; calls++) {
    await t.rejects(tokens.get(call()), {
      ...needed,
      message: /"Refresh token revoked".*SPOTIFY_REFRESH_TOKEN.*clear-mark -- default/,
      members: { connection: 'default' },
    })
  }
  t.throws(() => tokens.requireConsent(), needed)
  t.equal(wire.tokenRequests.length, 1)
  t.match(tokens.state(), { state: 'needs-consent', scopes: null })
  t.match(log.of('error'), [/has to consent again/])
})

t.test('all who wait are told of it by one request', async (t) => {
  const { tokens, wire, call } = spotifyParts(t)
  wire.token = () => revoked
  for (const caller of Array.from({ length: 8 }, () => tokens.get(call()))) {
    await t.rejects(caller, needed)
  }
  t.equal(wire.tokenRequests.length, 1)
})

t.test('the mark holds after a restart, for the token it came from', async (t) => {
  const store = memoryStore(t)
  const before = spotifyParts(t, { store })
  before.wire.token = () => revoked
  await t.rejects(before.tokens.get(before.call()), needed)

  const same = spotifyParts(t, { store })
  t.match(same.tokens.state(), { state: 'needs-consent' })
  await t.rejects(same.tokens.get(same.call()), { ...needed, message: /Refresh token revoked/ })
  t.equal(same.wire.tokenRequests.length, 0)

  for (const credentials of [{ refreshToken: 'new-consent' }, { clientId: 'other-app' }]) {
    const other = spotifyParts(t, { store, credentials })
    t.match(other.tokens.state(), { state: 'unknown' })
    t.equal((await other.tokens.get(other.call())).value, 'access-1')
  }
})

t.test('the refused token is kept, and tried again once the mark is cleared', async (t) => {
  const store = memoryStore(t)
  const before = spotifyParts(t, { store })
  before.wire.token = inTurn(tokenAnswer({ refresh_token: 'rotated' }), revoked)
  before.tokens.drop(await before.tokens.get(before.call()))
  await t.rejects(before.tokens.get(before.call()), needed)

  t.equal(store.clearMarks('default'), 1)
  const after = spotifyParts(t, { store })
  t.equal((await after.tokens.get(after.call())).value, 'access-1')
  t.match(after.wire.tokenRequests, [{ body: /refresh_token=rotated$/ }])
})

t.test('a mark that can not be stored holds until the restart', async (t) => {
  const store = memoryStore(t)
  const { tokens, wire, log, call } = spotifyParts(t, { store })
  wire.token = () => revoked
  store.close()
  for (let calls = 0; calls < 2; calls++) await t.rejects(tokens.get(call()), needed)
  t.equal(wire.tokenRequests.length, 1)
  t.match(log.of('warn'), [/mark could not be stored/])
})

t.test('without a refresh token nobody is asked', async (t) => {
  const { tokens, wire, call } = spotifyParts(t, { credentials: { refreshToken: null } })
  t.match(tokens.state(), { state: 'needs-consent' })
  await t.rejects(tokens.get(call()), {
    ...needed,
    message: /has no refresh token yet.*SPOTIFY_REFRESH_TOKEN/,
  })
  t.equal(wire.tokenRequests.length, 0)
})

t.test('credentials that are rejected are told, and tried again', async (t) => {
  const { tokens, wire, log, call } = spotifyParts(t)
  const rejected = tokenRefusal('invalid_client', 'Invalid client')
  wire.token = inTurn(rejected, rejected, tokenAnswer())
  for (let calls = 0; calls < 2; calls++) {
    await t.rejects(tokens.get(call()), { code: 'credentials-rejected', retryable: false })
    t.match(tokens.state(), { state: 'credentials-rejected' })
  }
  t.match(log.of('error'), [/client id and secret/, /client id and secret/])
  await tokens.get(call())
  t.match(tokens.state(), { state: 'ok' })
  t.equal(wire.tokenRequests.length, 3, 'and no attempt was repeated')
})
