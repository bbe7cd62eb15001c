import t, { type Test } from 'tap'
import type { Store } from '../../src/database/store.ts'
import { createLinks } from '../../src/links.ts'
import { Secrets } from '../../src/secrets.ts'
import { createConnections } from '../../src/spotify/connections.ts'
import { UpstreamFault } from '../../src/spotify/fault.ts'
import { FakeClock, noonMs } from '../helpers/fake-clock.ts'
import {
  FakeTransport,
  inTurn,
  json,
  text,
  tokenAnswer,
  tokenRefusal,
} from '../helpers/fake-transport.ts'
import { memoryLog } from '../helpers/log.ts'
import { accountsUrl, apiUrl, memoryStore } from '../helpers/spotify.ts'

const { signal } = new AbortController()
const read = { scopes: [], plays: false, signal, waitBudgetMs: 20_000 }
const anna = { account_id: 'acc-anna', id: 'anna', display_name: 'Anna' }
const unsent = new UpstreamFault('error', 'no connection', undefined, undefined, { isUnsent: true })

function start(
  t: Test,
  { refreshToken = null as string | null, store = memoryStore(t) as Store } = {},
) {
  const clock = new FakeClock()
  const wire = new FakeTransport()
  const log = memoryLog()
  wire.api = () => json(200, anna)
  wire.token = () => tokenAnswer({ refresh_token: 'consented-token' })
  const connections = createConnections({
    credentials: { clientId: 'id', clientSecret: 'secret', refreshToken, consentedAtMs: null },
    links: createLinks(() => 'http://127.0.0.1:8080', null),
    requestsPerMinute: 0,
    burst: 1,
    readWaitBudgetMs: 20_000,
    secrets: new Secrets(),
    backoff: () => 0,
    transport: wire,
    apiUrl,
    accountsUrl,
    store,
    clock,
    log,
  })
  const consent = (name = 'anna', more: Record<string, string> = { code: 'the-code' }) => {
    const url = new URL(connections.consents.begin(name, 'browser'))
    const state = url.searchParams.get('state') as string
    return connections.consents.finish({ state, ...more }, 'browser')
  }
  return { clock, wire, log, store, connections, consent }
}

/** What was sent to the token endpoint, as forms. */
function forms({ tokenRequests }: FakeTransport) {
  return tokenRequests.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))
}

t.test(
  'a code is exchanged with its verifier and the app’s secret, and asked whose it is',
  async (t) => {
    const { wire, connections, consent, store } = start(t)
    const { connection, account, alsoAs } = await consent()
    t.match(forms(wire), [
      {
        grant_type: 'authorization_code',
        code: 'the-code',
        redirect_uri: 'http://127.0.0.1:8080/callback',
        code_verifier: /^[\w-]{43}$/,
      },
    ])
    t.match(wire.tokenRequests[0]?.headers, {
      authorization: `Basic ${Buffer.from('id:secret').toString('base64')}`,
    })
    t.strictSame(account, { accountId: 'acc-anna', userId: 'anna', displayName: 'Anna' })
    t.strictSame(alsoAs, [])
    t.equal(connection, connections.get('anna'))
    t.match(connection.status(), { state: 'ok', account: 'acc-anna', consentedAtMs: noonMs })
    t.match(store.connections('id'), [{ refreshToken: 'consented-token', replaced: null }])
    await connection.open(read).spotify.profile()
    t.equal(wire.tokenRequests.length, 1, 'the access token that came with it is used')
  },
)

t.test('a code that surely did not arrive is sent again', async (t) => {
  const { wire, consent, connections } = start(t)
  wire.token = inTurn(unsent, unsent, unsent, tokenAnswer({ refresh_token: 'consented-token' }))
  await consent()
  t.equal(wire.tokenRequests.length, 4)
  t.equal(connections.all().length, 2)
})

for (const [what, answer, code] of [
  ['a 503', text(503, '<html>busy</html>'), 'upstream-error'],
  ['a lost answer', new UpstreamFault('error', 'the connection failed'), 'upstream-error'],
  ['a timeout', new UpstreamFault('timeout', 'no answer'), 'upstream-timeout'],
  ['no JSON', text(200, 'oops'), 'upstream-error'],
  ['a used code', tokenRefusal('invalid_grant', 'Invalid authorization code'), 'consent-failed'],
  [
    'rejected credentials',
    tokenRefusal('invalid_client', 'Invalid client'),
    'credentials-rejected',
  ],
  ['no refresh token', tokenAnswer({ refresh_token: '' }), 'consent-failed'],
] as const) {
  t.test(`after ${what} the code is not sent again, and nothing is changed`, async (t) => {
    const { wire, consent, connections, store } = start(t)
    wire.token = () => {
      if (answer instanceof Error) throw answer
      return answer
    }
    await t.rejects(consent(), { code, retryable: false })
    t.equal(wire.tokenRequests.length, 1)
    t.equal(connections.all().length, 1)
    t.strictSame(store.connections('id'), [])
  })
}

t.test('a 429 holds the code back as long as it says, since it was not looked at', async (t) => {
  const { wire, clock, consent } = start(t)
  wire.token = inTurn(
    text(429, '', { 'retry-after': '7' }),
    tokenAnswer({ refresh_token: 'consented-token' }),
  )
  const finished = consent()
  await clock.advance(6_999)
  t.equal(wire.tokenRequests.length, 1)
  await clock.advance(1)
  t.match(await finished, { account: { accountId: 'acc-anna' } })
})

t.test('a profile that says nobody is malformed', async (t) => {
  const { wire, consent, store } = start(t)
  wire.api = () => json(200, { display_name: 'Anna', id: '', account_id: null })
  await t.rejects(consent(), { code: 'upstream-error', message: /neither account_id nor id/ })
  t.strictSame(store.connections('id'), [])
})

t.test(
  'an account is the same by account_id, and by id where one of them has no other',
  async (t) => {
    for (const [before, after, isSame] of [
      [{ id: 'a' }, { id: 'a', account_id: 'x' }, true],
      [{ id: 'a', account_id: 'x' }, { id: 'b', account_id: 'x' }, true],
      [{ id: 'a', account_id: 'x' }, { id: 'a', account_id: 'y' }, false],
      [{ id: 'a' }, { id: 'b' }, false],
      [{ account_id: 'x' }, { id: 'x' }, false],
    ] as const) {
      const { wire, consent } = start(t)
      wire.api = inTurn(json(200, before), json(200, after))
      await consent()
      if (isSame) await t.resolves(consent())
      else
        await t.rejects(consent(), {
          code: 'consent-failed',
          message: /rows would all be replaced/,
        })
    }
  },
)

t.test(
  'what the environment’s token reads is asked before a consent takes its place',
  async (t) => {
    const { wire, consent, connections } = start(t, { refreshToken: 'configured' })
    const bearer: Record<string, string> = {}
    wire.token = ({ body = '' }) => {
      const access_token = body.includes('configured') ? 'of-bea' : 'of-anna'
      return tokenAnswer({ access_token, refresh_token: body.includes('code=') ? 'new' : '' })
    }
    wire.api = ({ headers }) => {
      Object.assign(bearer, { [headers.authorization as string]: 'sent' })
      return json(200, headers.authorization?.endsWith('of-bea') ? { id: 'bea' } : anna)
    }
    await t.rejects(consent('default'), {
      code: 'consent-failed',
      message: /given by Anna \(acc-anna\).*connection default is of bea.*SPOTIFY_REFRESH_TOKEN/,
    })
    t.strictSame(Object.keys(bearer), ['Bearer of-anna', 'Bearer of-bea'])
    t.equal(connections.get('default').isConsent, false)
  },
)

t.test('a consent that can not be stored changes nothing, and says so', async (t) => {
  const { store, consent, connections, log } = start(t)
  store.close()
  await t.rejects(consent(), { code: 'consent-failed', message: /could not be stored/ })
  t.strictSame(
    connections.all().map(({ name }) => name),
    ['default'],
  )
  t.notMatch(JSON.stringify(log.lines), 'consented-token')
})

t.test('a read under way goes on with the new tokens when a consent replaces them', async (t) => {
  const { wire, consent, connections } = start(t)
  const { connection } = await consent()
  const { spotify } = connection.open(read)
  const { promise: held, resolve: let_go } = Promise.withResolvers<void>()
  let refreshes = 0
  wire.token = async ({ body = '' }) => {
    if (body.includes('code=')) {
      return tokenAnswer({ access_token: 'new-access', refresh_token: 'new-token' })
    }
    refreshes++
    await held
    return tokenRefusal('invalid_grant', 'Refresh token revoked')
  }
  // Its access token ends while it reads, and the refresh of the old one is on its way.
  wire.api = ({ headers }) =>
    headers.authorization === 'Bearer new-access' ? json(200, anna) : json(401, {})
  const profile = spotify.profile()
  while (refreshes === 0) await new Promise(setImmediate)
  await consent()
  let_go()
  t.strictSame(await profile, anna)
  t.match(connections.get('anna').status(), { state: 'ok' }, 'the old refusal marks nothing')
})

t.test(
  'a deleted connection ends its reads, and a late rotated token does not bring it back',
  async (t) => {
    const { wire, consent, connections, store } = start(t)
    const { connection } = await consent()
    const { promise: held, resolve: let_go } = Promise.withResolvers<void>()
    let refreshes = 0
    wire.token = async () => {
      refreshes++
      await held
      return tokenAnswer({ refresh_token: 'rotated' })
    }
    wire.api = () => json(401, {})
    const profile = connection.open(read).spotify.profile()
    while (refreshes === 0) await new Promise(setImmediate)
    t.equal(connections.remove('anna'), true)
    let_go()
    await t.rejects(profile, { code: 'connection-not-found', message: /was deleted while/ })
    t.strictSame(store.connections('id'), [])
    t.strictSame(
      connections.all().map(({ name }) => name),
      ['default'],
    )
    t.throws(() => connections.get('anna'), { code: 'connection-not-found' })
    t.throws(() => connections.remove('anna'), { code: 'connection-not-found' })
  },
)

t.test('the same token given again by a consent is free of its old mark', async (t) => {
  const { wire, consent, connections } = start(t, { refreshToken: 'configured' })
  const dead = connections.get('default').open(read).spotify
  wire.token = () => tokenRefusal('invalid_grant', 'Refresh token revoked')
  await t.rejects(dead.profile(), { code: 'reauthorisation-required' })
  wire.token = () => tokenAnswer({ refresh_token: 'configured' })
  await consent('default')
  t.match(connections.get('default').status(), { state: 'ok' })
  await t.resolves(connections.get('default').check(signal))
})

t.test(
  'a check asks for a new token, and tells when the present one only lasts a while',
  async (t) => {
    const { wire, consent } = start(t)
    const { connection } = await consent()
    await connection.check(signal)
    t.match(forms(wire), [{}, { grant_type: 'refresh_token', refresh_token: 'consented-token' }])
    wire.token = () => text(503, 'busy')
    await t.rejects(connection.check(signal), { code: 'upstream-error', message: /503/ })
    await t.resolves(connection.open(read).spotify.profile(), 'reads go on with it')
  },
)

t.test('at the start the operator is told who has to consent, and where', async (t) => {
  const { connections, log } = start(t)
  connections.announce()
  t.match(log.of('warn'), [
    /default has no refresh token yet.*http:\/\/127\.0\.0\.1:8080\/connections\/default\/authorize.*npm run authorize -- default/,
  ])
  const known = start(t, { refreshToken: 'configured' })
  known.connections.announce()
  t.match(known.log.lines, [
    { level: 'info', facts: { first_seen_at: new Date(noonMs).toISOString() } },
  ])
})
