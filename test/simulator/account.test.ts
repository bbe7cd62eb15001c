import t from 'tap'
import type { Account } from '../../src/simulator/account.ts'
import { makeLibrary } from '../../src/simulator/library.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { agree, exchange } from './consent.ts'
import { type Body, bodyOf, refresh, start, stillClock } from './start.ts'

/** Asks as an account. */
async function asAccount(simulator: Simulator, account: Account | undefined) {
  const form = { refresh_token: account?.refreshToken ?? '' }
  const { access_token } = await bodyOf(refresh(simulator, { form }))
  const headers = { authorization: `Bearer ${access_token}` }
  return (path: string): Promise<Body> => bodyOf(fetch(`${simulator.apiUrl}${path}`, { headers }))
}

t.test('without accounts there is one, which the simulator’s own options make', async (t) => {
  const library = makeLibrary({ tracks: 3 })
  const { simulator } = await start(t, { library, refreshToken: 'own' })
  t.equal(simulator.accounts.length, 1)
  t.equal(simulator.accounts[0].library, library)
  t.equal(simulator.accounts[0].refreshToken, 'own')
  const other = makeLibrary({ tracks: 4 })
  simulator.library = other
  t.equal(simulator.accounts[0].library, other)
})

t.test('each account has its own owner, library, plays and links', async (t) => {
  const small = { library: makeLibrary({ tracks: 2, artists: 4, playlists: 20, seed: 1 }) }
  const { simulator } = await start(t, { accounts: [{}, small], livePlays: true })
  const [first, second] = simulator.accounts
  const [one, two] = [await asAccount(simulator, first), await asAccount(simulator, second)]
  t.equal((await one('/me')).id, 'simulated-listener')
  t.equal((await two('/me')).id, 'simulated-listener-2')
  t.not((await one('/me')).account_id, (await two('/me')).account_id)
  t.equal((await one('/me/tracks')).total, 1_200)
  t.equal((await two('/me/tracks')).total, 2)
  t.equal((await two('/me/following?type=artist')).artists.total, 4)
  t.match(await two('/me/playlists'), { href: /\/users\/simulated-listener-2\/playlists/ })
  const owners = (await two('/me/playlists')).items.map(({ owner }) => (owner as Body).id)
  t.ok(owners.includes('simulated-listener-2'))
  t.notOk(owners.includes('simulated-listener'))
  const plays = async (ask: typeof one) =>
    (await ask('/me/player/recently-played?limit=50')).items.map(({ played_at }) => played_at)
  const times = new Set(await plays(one))
  t.notOk((await plays(two)).some((time) => times.has(time)))
})

t.test('plays that go on are the account’s own', async (t) => {
  const clock = stillClock(Date.UTC(2026, 10, 24, 12))
  const accounts = [makeLibrary({ plays: 0 }), makeLibrary({ plays: 0 })]
  const { simulator } = await start(t, {
    clock,
    livePlays: true,
    accounts: accounts.map((library) => ({ library })),
  })
  clock.nowMs += 1_800_000
  const [first, second] = simulator.accounts
  const path = '/me/player/recently-played'
  const one = (await (await asAccount(simulator, first))(path)).items
  const two = (await (await asAccount(simulator, second))(path)).items
  t.ok(one.length > 5 && two.length > 5, `${one.length}, ${two.length}`)
  const times = new Set(one.map(({ played_at }) => played_at))
  t.notOk(two.some(({ played_at }) => times.has(played_at)))
})

t.test('a consent is for the account that was chosen, and touches no other', async (t) => {
  const { simulator } = await start(t, { accounts: [{}, {}, { scopes: ['user-read-private'] }] })
  const [first, , third] = simulator.accounts
  const before = first.refreshToken
  const { code, verifier } = await agree(simulator, { account: 1 })
  const { access_token, refresh_token } = await bodyOf(
    exchange(simulator, { code, code_verifier: verifier }),
  )
  t.equal(simulator.accounts[1]?.refreshToken, refresh_token)
  t.equal(first.refreshToken, before)
  const headers = { authorization: `Bearer ${access_token}` }
  const me = await bodyOf(fetch(`${simulator.apiUrl}/me`, { headers }))
  t.equal(me.id, 'simulated-listener-2')
  const ask = await asAccount(simulator, third)
  t.equal((await ask('/me')).id, 'simulated-listener-3')
  t.match(await ask('/me/tracks'), { error: { status: 403 } })
})

t.test('an account’s tokens end alone', async (t) => {
  const { simulator } = await start(t, { accounts: [{}, {}] })
  const [first, second] = simulator.accounts
  first.revokeRefreshToken()
  t.match(await bodyOf(refresh(simulator)), { error: 'invalid_grant' })
  const form = { refresh_token: second?.refreshToken ?? '' }
  t.equal((await refresh(simulator, { form })).status, 200)
  second?.expireRefreshToken()
  t.match(await bodyOf(refresh(simulator, { form })), {
    error_description: 'Refresh token expired',
  })
  first.consent(['user-top-read'])
  t.equal((await bodyOf(refresh(simulator))).scope, 'user-top-read')
})

t.test('all accounts share the app’s rate limit', async (t) => {
  const { simulator, get } = await start(t, {
    accounts: [{}, {}],
    rateLimit: { requests: 1, windowMs: 30_000 },
  })
  const ask = await asAccount(simulator, simulator.accounts[1])
  t.equal((await get('/me')).status, 200)
  t.match(await ask('/me'), { error: { status: 429 } })
})
