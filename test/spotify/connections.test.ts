import t, { type Test } from 'tap'
import { createLinks } from '../../src/links.ts'
import { Secrets } from '../../src/secrets.ts'
import { type ConnectionParts, createConnections } from '../../src/spotify/connections.ts'
import { allScopes } from '../../src/spotify/scopes.ts'
import { FakeClock, noonMs } from '../helpers/fake-clock.ts'
import { FakeTransport, json, text, tokenAnswer, tokenRefusal } from '../helpers/fake-transport.ts'
import { memoryLog } from '../helpers/log.ts'
import { accountsUrl, apiUrl, memoryStore } from '../helpers/spotify.ts'

const dayMs = 24 * 3600_000
const { signal } = new AbortController()
const links = createLinks(() => 'http://127.0.0.1:8080', null)

function connect(t: Test, credentials: Partial<ConnectionParts['credentials']> = {}) {
  const clock = new FakeClock()
  const wire = new FakeTransport()
  const connections = createConnections({
    credentials: {
      clientId: 'client-id',
      clientSecret: 'client-secret',
      refreshToken: 'configured-token',
      consentedAtMs: null,
      ...credentials,
    },
    apiUrl,
    accountsUrl,
    requestsPerMinute: 0,
    burst: 1,
    readWaitBudgetMs: 20_000,
    transport: wire,
    store: memoryStore(t),
    links,
    secrets: new Secrets(),
    clock,
    log: memoryLog(),
    backoff: () => 0,
  })
  const connection = connections.get('default')
  return {
    connections,
    connection,
    wire,
    clock,
    read: { scopes: [], plays: false, signal, waitBudgetMs: 20_000 },
  }
}

t.test('there is the connection of the configuration, and no other', async (t) => {
  const { connections, connection } = connect(t)
  t.same(connections.all(), [connection])
  for (const name of ['anna', '', 'constructor', '__proto__']) {
    t.throws(() => connections.get(name), {
      code: 'connection-not-found',
      message: new RegExp(`no connection "${name}".*: default\\.$`),
      members: { connections: ['default'] },
    })
  }
})

t.test('before anybody is asked nothing is known of it', async (t) => {
  const { connection, wire } = connect(t)
  t.same(connection.status(), {
    name: 'default',
    state: 'unknown',
    account: null,
    scopes: null,
    missingScopes: null,
    consentedAtMs: null,
    firstSeenAtMs: noonMs,
    expiresAtMs: null,
    daysLeft: null,
    unstored: false,
  })
  t.equal(wire.tokenRequests.length, 0)
})

t.test('a read tells its state, its scopes and what is missing of them', async (t) => {
  const { connection, wire, read } = connect(t)
  const scopes = allScopes.filter((scope) => scope !== 'user-top-read')
  wire.token = () => tokenAnswer({ scope: scopes.join(' ') })
  t.same(await connection.open(read).spotify.profile(), { id: 'anna' })
  t.match(connection.status(), { state: 'ok', scopes, missingScopes: ['user-top-read'] })
})

t.test('scopes that were not told are not called missing', async (t) => {
  const { connection, wire, read } = connect(t)
  wire.token = () => tokenAnswer({ scope: undefined })
  await connection.open(read).spotify.profile()
  t.match(connection.status(), { state: 'ok', scopes: null, missingScopes: null })
})

t.test('a known day of consent gives its end, and the days left', async (t) => {
  const { connection, clock } = connect(t, { consentedAtMs: Date.UTC(2026, 5, 1) })
  const expiresAtMs = Date.UTC(2026, 11, 1)
  t.match(connection.status(), { consentedAtMs: Date.UTC(2026, 5, 1), expiresAtMs, daysLeft: 5 })
  await clock.advance(10 * dayMs)
  t.match(connection.status(), { daysLeft: -5 })
})

t.test('a consent that is over shows in its state', async (t) => {
  const { connection, wire, read } = connect(t)
  wire.token = () => tokenRefusal('invalid_grant', 'Refresh token expired')
  await t.rejects(connection.open(read).spotify.profile(), { code: 'reauthorisation-required' })
  t.match(connection.status(), { state: 'needs-consent' })
  t.match(connect(t, { refreshToken: null }).connection.status(), { state: 'needs-consent' })
})

t.test('each read has a budget of its own, and all share the gate of the app', async (t) => {
  const { connections, connection, wire, clock, read } = connect(t)
  wire.api = (_request, nth) =>
    nth === 1 ? text(429, '', { 'retry-after': '15' }) : json(200, { id: 'anna' })
  const first = connection.open(read)
  const profile = first.spotify.profile()
  await clock.advance(5_000)
  t.same(connections.gate(), { untilMs: noonMs + 15_000, endpoints: [] })
  const second = connection.open(read)
  const later = second.spotify.profile()
  await clock.advance(10_000)
  await Promise.all([profile, later])
  t.equal(first.budget.spentMs, 15_000)
  t.equal(second.budget.spentMs, 10_000)
})

t.test('plays go first through the gate', async (t) => {
  const { connection, wire, clock, read } = connect(t)
  const urls: string[] = []
  wire.api = ({ url }, nth) => {
    if (nth === 1) return text(429, '', { 'retry-after': '5' })
    urls.push(url.replace(apiUrl, ''))
    return json(200, { id: 'anna', items: [] })
  }
  const profile = connection.open(read).spotify.profile()
  await clock.advance(1_000)
  const others = [
    connection.open(read).spotify.profile(),
    connection.open({ ...read, plays: true }).spotify.plays(50, null),
  ]
  await clock.advance(10_000)
  await Promise.all([profile, ...others])
  t.same(urls, ['/me/player/recently-played?limit=50', '/me', '/me'])
})
