import t from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { quotaExceeded, tooManyRequests } from '../../src/simulator/spotify-errors.ts'
import { build } from '../helpers/build.ts'
import { LeapingClock } from '../helpers/leaping-clock.ts'

const forEver = Number.POSITIVE_INFINITY
const playlists = '/tables/playlists/read'
const plays = '/tables/recently_played/read'
const library = makeLibrary({ tracks: 60, playlists: 60, plays: 20 })

t.test('13 hours of quota shut one endpoint, and plays are read on', async (t) => {
  const clock = new LeapingClock()
  const { get, simulator } = await build(t, { clock, simulator: { clock, library } })
  const { faults, stats } = simulator
  faults.add({ on: '/me/playlists', times: forEver, fault: quotaExceeded(48_925) })

  for (const round of [1, 2, 3]) {
    const { status, headers, body } = await get(playlists)
    t.equal(status, 429, `round ${round}`)
    t.match(body, { code: 'quota-exceeded', retryable: true, retry_after_s: 48_925 })
    t.equal(headers['retry-after'], '48925')
    t.equal(clock.nowMs, Date.UTC(2026, 10, 25, 12), 'at once')
  }
  t.equal(stats.api, 1)

  const read = await get(plays)
  t.equal(read.status, 200)
  t.equal(read.body.records.length, 20)
  t.equal((await get('/tables/tracks/read')).status, 200)

  t.match((await get('/health')).body, {
    status: 'degraded',
    gate: { until: null, endpoints: { '/me/playlists': { until: '2026-11-26T01:35:25.000Z' } } },
  })
  clock.nowMs += 48_925_000
  faults.clear()
  t.equal((await get(playlists)).status, 200)
  t.match((await get('/health')).body, { status: 'ok', gate: { until: null, endpoints: {} } })
})

t.test('a 429 without the reason of the quota shuts everything', async (t) => {
  const clock = new LeapingClock()
  const { get, simulator } = await build(t, { clock, simulator: { clock, library } })
  simulator.faults.add({ on: '/me/playlists', fault: tooManyRequests(120) })
  t.match((await get(playlists)).body, { code: 'rate-limited', retry_after_s: 120 })
  for (const { name } of (await get('/tables')).body.tables) {
    const { status, body } = await get(`/tables/${name}/read`)
    t.equal(status, 429, name)
    t.match(body, { code: 'rate-limited', retry_after_s: 120 })
  }
  t.equal(simulator.stats.api, 1)
  t.match((await get('/health')).body, {
    status: 'degraded',
    gate: { until: '2026-11-25T12:02:00.000Z', endpoints: {} },
  })
})

t.test('a restart does not forget until when nothing may be sent', async (t) => {
  const clock = new LeapingClock()
  const spotify = await startSimulator({ clock, library })
  t.teardown(() => spotify.close())
  const env = { DATABASE_URL: `sqlite:${t.testdir()}/connector.db` }
  const start = () => build(t, { clock, spotify, env })

  const before = await start()
  spotify.faults.add({ on: '/me/playlists', fault: quotaExceeded(48_925) })
  spotify.faults.add({ on: '/me/tracks', fault: tooManyRequests(600) })
  t.equal((await before.get(playlists)).body.code, 'quota-exceeded')
  t.equal((await before.get('/tables/tracks/read')).body.code, 'rate-limited')
  await before.close()

  spotify.stats.reset()
  const { get, close } = await start()
  const gate = {
    until: '2026-11-25T12:10:00.000Z',
    endpoints: { '/me/playlists': { until: '2026-11-26T01:35:25.000Z' } },
  }
  t.match((await get('/health')).body, { status: 'degraded', gate })
  t.match((await get(plays)).body, { code: 'rate-limited', retry_after_s: 600 })
  t.match((await get(playlists)).body, { code: 'quota-exceeded', retry_after_s: 48_925 })
  t.equal(spotify.stats.requests.length, 0, 'nothing is sent, not even for a token')
  await close()

  clock.nowMs += 600_000
  const later = await start()
  t.match((await later.get('/health')).body.gate, { until: null, endpoints: gate.endpoints })
  t.equal((await later.get(plays)).status, 200)
  const shut = await later.get(playlists)
  t.match(shut.body, { code: 'quota-exceeded', retry_after_s: 48_325 })
  await later.close()

  clock.nowMs += 48_325_000
  const atLast = await start()
  t.equal((await atLast.get(playlists)).status, 200)
  t.equal((await atLast.get('/health')).body.status, 'ok')
})
