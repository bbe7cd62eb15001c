import { renameSync } from 'node:fs'
import t, { type Test } from 'tap'
import packageJson from '../../package.json' with { type: 'json' }
import {
  forbidden,
  quotaExceeded,
  serverError,
  tokenError,
  tooManyRequests,
} from '../../src/simulator/spotify-errors.ts'
import { allScopes } from '../../src/spotify/scopes.ts'
import { run } from '../database/use-database.ts'
import { ask } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const unasked = {
  name: 'default',
  state: 'unknown',
  account: null,
  scopes: null,
  missing_scopes: null,
  consented_at: null,
  expires_at: null,
  days_left: null,
}

/** What `/health` says when nothing is wrong and nobody has read yet. */
const fresh = {
  status: 'ok',
  mode: 'spotify',
  version: packageJson.version,
  connections: [unasked],
  gate: { until: null, endpoints: {} },
  database: { status: 'ok' },
  last_reads: [],
}

/** What `/health` says of a read of the profile that failed at noon. */
const failedAtNoon = (code: string) => ({
  ...{ table: 'user_profile', connection: 'default', succeeded: null },
  failed: { at: '2026-11-25T12:00:00.000Z', code },
})

/** A service whose clock stands still at noon, and where nobody waits for the gate. */
async function start(t: Test, env: NodeJS.ProcessEnv = {}) {
  const clock = new FakeClock()
  return { clock, ...(await build(t, { clock, env: { READ_WAIT_BUDGET_MS: '0', ...env } })) }
}

for (const path of ['/livez', '/readyz']) {
  t.test(`${path} says that all is well, whatever Spotify does`, async (t) => {
    const { app, get, simulator } = await start(t)
    simulator.faults.add({ on: '/me', times: Infinity, fault: quotaExceeded() })
    t.equal((await get('/tables/user_profile/read')).status, 429)
    const before = simulator.stats.requests.length
    const answer = await ask(app, path)
    t.equal(answer.status, 200)
    t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
    t.equal(answer.text, '{"status":"ok"}', 'and tells nothing of the account')
    t.equal(simulator.stats.requests.length, before)
  })
}

t.test('/health before anybody has read: nothing is known, and all is well', async (t) => {
  const { get, simulator } = await start(t)
  const { status, headers, body } = await get('/health')
  t.equal(status, 200)
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
  t.strictSame(body, fresh)
  t.equal(simulator.stats.requests.length, 0)
})

t.test('/health after a read: the scopes that were granted', async (t) => {
  const { get, simulator } = await start(t)
  await get('/tables/user_profile/read')
  const before = simulator.stats.requests.length
  const { connections } = (await get('/health')).body
  t.match(connections, [{ state: 'ok', missing_scopes: [] }])
  t.strictSame(connections[0].scopes.toSorted(), [...allScopes])
  t.equal(simulator.stats.requests.length, before, 'it asks nobody')
})

t.test('/health names the scopes that are missing', async (t) => {
  const clock = new FakeClock()
  const scopes = ['user-read-private', 'user-top-read']
  const { get } = await build(t, { clock, simulator: { scopes } })
  await get('/tables/user_profile/read')
  const { status, connections } = (await get('/health')).body
  t.equal(status, 'ok', 'the owner may have wanted it so')
  t.strictSame(connections, [
    {
      ...unasked,
      state: 'ok',
      scopes,
      missing_scopes: allScopes.filter((scope) => !scopes.includes(scope)),
    },
  ])
})

t.test('/health counts the days of a consent whose day is known', async (t) => {
  const { get, clock } = await start(t, { SPOTIFY_CONSENTED_AT: '2026-06-01' })
  const consent = {
    ...unasked,
    consented_at: '2026-06-01T00:00:00.000Z',
    expires_at: '2026-12-01T00:00:00.000Z',
    days_left: 5,
  }
  t.strictSame((await get('/health')).body, { ...fresh, connections: [consent] })
  await clock.advance(7 * 24 * 3600_000)
  t.strictSame((await get('/health')).body.connections, [{ ...consent, days_left: -2 }])
})

t.test('a ban makes it degraded until it ends', async (t) => {
  const { get, simulator, clock } = await start(t)
  simulator.faults.add({ on: '/me', fault: tooManyRequests(90) })
  t.equal((await get('/tables/user_profile/read')).status, 429)
  const health = async () => (await get('/health')).body
  t.match(await health(), { status: 'degraded', database: { status: 'ok' } })
  t.strictSame((await health()).gate, { until: '2026-11-25T12:01:30.000Z', endpoints: {} })
  await clock.advance(90_000)
  t.match(await health(), { status: 'ok' })
  t.strictSame((await health()).gate, { until: null, endpoints: {} })
})

t.test(
  'a used-up quota shuts its own endpoint, and /health says which and until when',
  async (t) => {
    const { get, simulator } = await start(t)
    simulator.faults.add({ on: '/me/playlists', fault: quotaExceeded(48_925) })
    t.equal((await get('/tables/playlists/read')).status, 429)
    const { status, gate } = (await get('/health')).body
    t.equal(status, 'degraded')
    t.strictSame(gate, {
      until: null,
      endpoints: { '/me/playlists': { until: '2026-11-26T01:35:25.000Z' } },
    })
  },
)

t.test('a refused refresh token makes it degraded: the owner has to consent again', async (t) => {
  const { get, simulator } = await start(t)
  simulator.revokeRefreshToken()
  t.equal((await get('/tables/user_profile/read')).status, 424)
  t.strictSame((await get('/health')).body, {
    ...fresh,
    status: 'degraded',
    connections: [{ ...unasked, state: 'needs-consent' }],
    last_reads: [failedAtNoon('reauthorisation-required')],
  })
})

t.test('an app without a refresh token is degraded: it waits for consent', async (t) => {
  const { get } = await build(t, { env: { SPOTIFY_REFRESH_TOKEN: undefined } })
  t.strictSame((await get('/health')).body, {
    ...fresh,
    status: 'degraded',
    connections: [{ ...unasked, state: 'needs-consent' }],
  })
})

t.test('rejected credentials of the app make it degraded', async (t) => {
  const { get, simulator } = await start(t)
  simulator.faults.add({ on: '/api/token', fault: tokenError('invalid_client', 'Invalid client') })
  t.equal((await get('/tables/user_profile/read')).status, 424)
  t.strictSame((await get('/health')).body, {
    ...fresh,
    status: 'degraded',
    connections: [{ ...unasked, state: 'credentials-rejected' }],
    last_reads: [failedAtNoon('credentials-rejected')],
  })
})

t.test('one table that is refused is no matter of health', async (t) => {
  const { get, simulator } = await start(t)
  simulator.faults.add({ on: '/me', fault: forbidden('premium') })
  t.equal((await get('/tables/user_profile/read')).status, 403)
  t.match((await get('/health')).body, { status: 'ok', connections: [{ state: 'ok' }] })
})

t.test('a rotated token that cannot be stored makes it degraded, and reads go on', async (t) => {
  const path = `${t.testdir()}/connector.db`
  const env = { DATABASE_URL: `sqlite:${path}` }
  const before = await build(t, { env })
  await before.close()
  // As a disk that is full would do it, for this table alone.
  run(path, `CREATE TRIGGER full BEFORE UPDATE ON consents BEGIN SELECT RAISE(FAIL, 'full'); END`)

  const { get, log } = await build(t, { env, simulator: { rotate: true } })
  t.equal((await get('/tables/user_profile/read')).status, 200)
  const { status, connections, database } = (await get('/health')).body
  t.equal(status, 'degraded')
  t.match(connections, [{ state: 'ok' }])
  t.strictSame(Object.keys(database), ['status', 'detail'])
  t.equal(database.status, 'failing')
  t.match(database.detail, /could not be stored/)
  t.match(database.detail, /Do not stop the service/)
  t.ok(log.some(({ level, msg }) => level === 50 && /could not be stored/.test(String(msg))))
  t.equal((await get('/tables/user_profile/read')).status, 200)
})

t.test('/health tells when each table was read last, well and not', async (t) => {
  const { get, simulator, clock } = await start(t)
  await get('/tables/artists/read?max_pages=1')
  await get('/tables/user_profile/read')
  await clock.advance(60_000)
  simulator.faults.add({ on: '/me', times: 4, fault: serverError(503) })
  t.equal((await get('/tables/user_profile/read')).status, 502)
  // Of what was refused before it was a read nothing is remembered.
  await get('/tables/tracks/read?limit=0')
  await get('/tables/tracks/read?connection=nobody')
  const noon = '2026-11-25T12:00:00.000Z'
  const artists = {
    ...{ table: 'artists', connection: 'default' },
    ...{ succeeded: { at: noon, rows: 50, outcome: 'more' }, failed: null },
  }
  const profile = {
    ...{ table: 'user_profile', connection: 'default' },
    succeeded: { at: noon, rows: 1, outcome: 'whole' },
    failed: { at: '2026-11-25T12:01:00.000Z', code: 'upstream-error' },
  }
  const failing = (await get('/health')).body
  t.strictSame(failing.last_reads, [artists, profile])
  t.equal(failing.status, 'degraded', 'as long as the last read of a table has failed at Spotify')
  await clock.advance(60_000)
  await get('/tables/user_profile/read')
  const well = (await get('/health')).body
  t.equal(well.status, 'ok')
  const succeeded = { ...profile.succeeded, at: '2026-11-25T12:02:00.000Z' }
  t.strictSame(well.last_reads, [artists, { ...profile, succeeded }])
})

t.test('a ban that cannot be stored makes the database failing until one can', async (t) => {
  const path = `${t.testdir()}/connector.db`
  const { get, simulator, clock } = await start(t, { DATABASE_URL: `sqlite:${path}` })
  renameSync(path, `${path}.away`)
  simulator.faults.add({ on: '/me', times: 2, fault: tooManyRequests(10) })
  t.equal((await get('/tables/user_profile/read')).status, 429)
  await clock.advance(10_000)
  const { status, database } = (await get('/health')).body
  t.equal(status, 'degraded')
  t.match(database, { status: 'failing', detail: /can't store a ban: its file was removed/ })
  renameSync(`${path}.away`, path)
  t.equal((await get('/tables/user_profile/read')).status, 429)
  await clock.advance(10_000)
  t.match((await get('/health')).body, { status: 'ok', database: { status: 'ok' } })
})
