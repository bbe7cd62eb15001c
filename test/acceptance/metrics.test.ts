import t from 'tap'
import { makeLibrary, makePlay, makeSavedTrack, makeTrack } from '../../src/simulator/library.ts'
import {
  quotaExceeded,
  serverError,
  tokenError,
  tooManyRequests,
} from '../../src/simulator/spotify-errors.ts'
import { tables } from '../../src/tables/index.ts'
import { type Built, build } from '../helpers/build.ts'
import { FakeClock, noonMs } from '../helpers/fake-clock.ts'
import { scrape } from '../helpers/metrics.ts'

const fieldMetric = 'unknown_field_last_seen_timestamp_seconds'
const columnMetric = 'null_column_last_seen_timestamp_seconds'
const connection = 'default'

/** What is new or missing, as an alert would name it. */
async function alarming({ app }: Pick<Built, 'app'>) {
  const { samples } = await scrape(app)
  return samples
    .filter(({ labels }) => labels.expected === 'false')
    .map(({ labels }) => `${labels.table}: ${labels.field ?? labels.column}`)
}

for (const mode of ['development', 'extended'] as const) {
  t.test(`nothing that an app in ${mode} mode is sent is alarming`, async (t) => {
    const library = makeLibrary({ mode, oddities: true })
    const built = await build(t, { simulator: { library } })
    for (const { name } of tables) {
      t.equal((await built.get(`/tables/${name}/read`)).status, 200, name)
    }
    t.strictSame(await alarming(built), [])
    const { value } = await scrape(built.app)
    t.ok(value(fieldMetric, { field: 'track.type', expected: 'true' }), 'what is dropped is told')
    t.equal(
      value(columnMetric, { column: 'track.popularity', expected: 'true' }) !== null,
      mode === 'development',
      'and what is null',
    )
  })
}

t.test('a field that Spotify renames shows at the next read, as new and as missing', async (t) => {
  const clock = new FakeClock()
  const built = await build(t, { clock })
  built.simulator.faults.add({
    on: '/me/following',
    times: Number.POSITIVE_INFINITY,
    fault: {
      kind: 'edit',
      edit: (body) => JSON.parse(JSON.stringify(body).replaceAll('"name":', '"title":')),
    },
  })
  t.equal((await built.get('/tables/artists/read')).body.records[0].name, null)
  t.strictSame(await alarming(built), ['artists: title', 'artists: name'])
  const { value } = await scrape(built.app)
  t.equal(value(fieldMetric, { table: 'artists', field: 'title' }), noonMs / 1000)
})

t.test('items without a key are counted, as JSON and as a stream', async (t) => {
  const library = makeLibrary({ tracks: 237 })
  const nameless = { id: null, is_local: false, uri: 'spotify:track:null' }
  library.tracks.splice(
    6,
    3,
    makeSavedTrack('2026-11-20T12:00:00Z', null),
    makeSavedTrack('2026-11-20T12:00:00Z', { ...makeTrack(1), ...nameless }),
    makeSavedTrack('2026-11-20T12:00:00Z', { ...makeTrack(2), ...nameless }),
  )
  const { app, get } = await build(t, { simulator: { library } })
  const its = { table: 'tracks', connection }
  t.equal((await get('/tables/tracks/read')).body.skipped, 3)
  t.equal((await scrape(app)).value('skipped_items_total', its), 3)
  await app.inject('/tables/tracks/read?format=ndjson')
  const { value } = await scrape(app)
  t.equal(value('skipped_items_total', its), 6)
  t.equal(value('rows_total', { ...its, outcome: 'whole' }), 2 * 234)
  t.equal(value('pages_total', its), 10)
})

t.test('values of another type are counted', async (t) => {
  const library = makeLibrary({ artists: 3 })
  for (const artist of library.artists) artist.popularity = 'high' as never
  library.mode = 'extended'
  const { app, get } = await build(t, { simulator: { library } })
  await get('/tables/artists/read')
  t.equal((await scrape(app)).value('mistyped_values_total', { table: 'artists', connection }), 3)
})

t.test('a list that moves shows as seams that were found again', async (t) => {
  const { app, get, simulator } = await build(t, { env: { SPOTIFY_CONCURRENCY: '1' } })
  await get('/tables/tracks/read')
  t.equal((await scrape(app)).value('seams_found_again_total', { table: 'tracks' }), 0)
  simulator.faults.beforeAnswer('/me/tracks', (_request, nth) => {
    if (nth === 3) simulator.library.tracks.splice(0, 5)
  })
  t.equal((await get('/tables/tracks/read')).status, 200)
  t.ok((await scrape(app)).value('seams_found_again_total', { table: 'tracks', connection }))
})

t.test('plays that may be lost are counted', async (t) => {
  const ago = (minutes: number) => makePlay(noonMs - minutes * 60_000, makeTrack(minutes))
  const plays = Array.from({ length: 60 }, (_, n) => ago(n + 1))
  const { app, get } = await build(t, {
    simulator: { library: { ...makeLibrary({ tracks: 0 }), plays } },
  })
  const gaps = async () => (await scrape(app)).value('gaps_total', { connection })
  await get('/tables/recently_played/read')
  t.equal(await gaps(), 0, 'never on a first read')
  const offset = encodeURIComponent(JSON.stringify({ cursor: String(noonMs - 3600_000 * 5) }))
  t.ok((await get(`/tables/recently_played/read?offset=${offset}`)).body.gap)
  t.equal(await gaps(), 1)
})

t.test(
  'a list that will not be read whole, and a failure in its middle, are told by code',
  async (t) => {
    const { app, get, simulator } = await build(t)
    simulator.library = makeLibrary({ playlists: 300, tracks: 237 })
    simulator.faults.beforeAnswer('/me/playlists', () => {
      simulator.library.playlists.unshift(...simulator.library.playlists.splice(150, 1))
    })
    t.equal((await get('/tables/playlists/read')).status, 409)
    const last = ({ path, query }: { path: string; query: Record<string, unknown> }) =>
      path === '/me/tracks' && Number(query.offset) > 90
    simulator.faults.add({ on: last, times: Number.POSITIVE_INFINITY, fault: serverError(500) })
    t.equal((await get('/tables/tracks/read')).body.interrupted.code, 'upstream-error')
    const { value } = await scrape(app)
    const failed = { table: 'playlists', connection, outcome: 'failed', code: 'snapshot-changed' }
    t.equal(value('reads_total', failed), 1)
    const cut = { table: 'tracks', connection, outcome: 'interrupted', code: 'upstream-error' }
    t.equal(value('reads_total', cut), 1)
    t.equal(value('rows_total', { table: 'tracks', outcome: 'interrupted' }), 98)
  },
)

t.test('requests, retries and refreshes are counted as they went over the wire', async (t) => {
  const { app, get, simulator } = await build(t)
  simulator.faults.add({ on: '/me', times: 2, fault: serverError(503) })
  t.equal((await get('/tables/user_profile/read')).status, 200)
  simulator.expireAccessTokens()
  t.equal((await get('/tables/user_profile/read')).status, 200)
  const { value } = await scrape(app)
  const requests = (status: string) => value('upstream_requests_total', { endpoint: '/me', status })
  t.strictSame(['200', '503', '401'].map(requests), [2, 2, 1])
  const retries = (code: string) => value('upstream_retries_total', { endpoint: '/me', code })
  t.strictSame(['upstream-error', 'unauthorised'].map(retries), [2, 1])
  t.equal(value('token_refreshes_total', { connection, outcome: 'refreshed' }), 2)
  t.equal(value('upstream_requests_total', { endpoint: '/api/token', status: '200' }), 2)
  t.equal(value('upstream_request_duration_seconds_count'), 7)
})

t.test('a refresh that is refused is counted by why', async (t) => {
  const { app, get, simulator } = await build(t)
  simulator.faults.add({ on: '/api/token', fault: tokenError('invalid_client', 'Invalid client') })
  await get('/tables/user_profile/read')
  simulator.faults.add({ on: '/api/token', times: 4, fault: serverError(503) })
  await get('/tables/user_profile/read')
  simulator.revokeRefreshToken()
  await get('/tables/user_profile/read')
  const { value } = await scrape(app)
  const codes = ['credentials-rejected', 'upstream-error', 'reauthorisation-required']
  for (const outcome of codes) t.equal(value('token_refreshes_total', { outcome }), 1, outcome)
  t.equal(value('upstream_retries_total', { endpoint: '/api/token' }), 3)
  t.equal(value('reads_total', { outcome: 'failed' }), 3)
})

t.test('a token that could not be refreshed in time, and serves on, is put off', async (t) => {
  const clock = new FakeClock()
  const { app, get, simulator } = await build(t, { clock, simulator: { clock } })
  await get('/tables/user_profile/read')
  await clock.advance(3_545_000)
  simulator.faults.add({ on: '/api/token', times: 4, fault: serverError(503) })
  t.equal((await get('/tables/user_profile/read')).status, 200)
  const { value } = await scrape(app)
  t.equal(value('token_refreshes_total', { outcome: 'put-off' }), 1)
})

t.test('waits at the gate are told by endpoint and reason', async (t) => {
  const clock = new FakeClock()
  const env = { SPOTIFY_REQUESTS_PER_MINUTE: '60', SPOTIFY_BURST: '2' }
  const { app, get, simulator } = await build(t, { clock, env })
  simulator.faults.add({ on: '/me', fault: tooManyRequests(10) })
  const read = get('/tables/user_profile/read')
  while (clock.sleeping === 0) await new Promise(setImmediate)
  const meanwhile = await scrape(app)
  t.equal(
    meanwhile.value('gate_shut_until_timestamp_seconds', { endpoint: 'all' }),
    noonMs / 1000 + 10,
  )
  t.equal(meanwhile.value('gate_queue_requests'), 1)
  t.equal(meanwhile.value('reads_running', { table: 'user_profile' }), 1)
  await clock.advance(20_000)
  t.equal((await read).status, 200)
  const { value } = await scrape(app)
  t.equal(value('gate_shut_until_timestamp_seconds'), null)
  t.equal(value('gate_queue_requests'), 0)
  t.equal(value('gate_wait_seconds_sum', { endpoint: '/me', reason: 'limited' }), 10)
  t.equal(value('gate_wait_seconds_count', { reason: 'limited' }), 1)
  t.equal(value('read_wait_seconds_sum', { table: 'user_profile' }), 10)
  t.equal(value('upstream_retries_total', { endpoint: '/me', code: 'rate-limited' }), 1)
  // Our own bucket: empty after a 429, and never more than the burst.
  const level = value('gate_bucket_requests') as number
  t.ok(level > 0 && level <= 2)
  await Promise.all([get('/tables/user_profile/read'), clock.advance(1)])
})

t.test('an empty bucket of our own is another reason to wait', async (t) => {
  const clock = new FakeClock()
  const env = { SPOTIFY_REQUESTS_PER_MINUTE: '60', SPOTIFY_BURST: '1' }
  const { app, get } = await build(t, { clock, env })
  t.equal((await get('/tables/user_profile/read')).status, 200)
  t.equal((await scrape(app)).value('gate_bucket_requests'), 0)
  const read = get('/tables/user_profile/read')
  while (clock.sleeping === 0) await new Promise(setImmediate)
  await clock.advance(1_000)
  t.equal((await read).status, 200)
  const { value } = await scrape(app)
  t.equal(value('gate_wait_seconds_sum', { endpoint: '/me', reason: 'bucket' }), 1)
  t.equal(value('gate_wait_seconds_count', { reason: 'limited' }), null)
})

t.test('a quota shuts its own endpoint, and the metrics say which and until when', async (t) => {
  const clock = new FakeClock()
  const { app, get, simulator } = await build(t, { clock })
  simulator.faults.add({ on: '/me/playlists', fault: quotaExceeded(48_925) })
  t.equal((await get('/tables/playlists/read')).status, 429)
  const { value } = await scrape(app)
  const until = value('gate_shut_until_timestamp_seconds', { endpoint: '/me/playlists' })
  t.equal(until, noonMs / 1000 + 48_925)
  t.equal(value('gate_shut_until_timestamp_seconds', { endpoint: 'all' }), null)
  t.equal(value('upstream_retries_total'), null, 'what is not asked again is no retry')
  t.equal(value('reads_total', { code: 'quota-exceeded' }), 1)
  t.equal(value('gate_bucket_requests'), null, 'without a bucket')
})

t.test('connections, consent and version are told as they stand', async (t) => {
  const clock = new FakeClock()
  const env = { SPOTIFY_CONSENTED_AT: '2026-06-01' }
  const { app, get, simulator } = await build(t, { clock, env })
  const states = async () =>
    (await scrape(app)).samples
      .filter(({ name, value }) => name.endsWith('connection_state') && value === 1)
      .map(({ labels }) => `${labels.connection} ${labels.state}`)
  t.strictSame(await states(), ['default unknown'])
  t.equal((await scrape(app)).value('consent_days_left', { connection }), 5)
  await get('/tables/user_profile/read')
  t.strictSame(await states(), ['default ok'])
  const last = { table: 'user_profile', connection }
  const { value } = await scrape(app)
  t.equal(value('last_successful_read_timestamp_seconds', last), noonMs / 1000)
  t.equal(value('build_info', { version: '0.1.0', mode: 'spotify' }), 1)
  t.equal(value('database_ok'), 1)
  await clock.advance(7 * 24 * 3600_000)
  simulator.revokeRefreshToken()
  await get('/tables/user_profile/read')
  t.strictSame(await states(), ['default needs-consent'])
  t.equal((await scrape(app)).value('consent_days_left', { connection }), -2)
})
