import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { tooManyRequests } from '../../src/simulator/spotify-errors.ts'
import { build } from '../helpers/build.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { LeapingClock } from '../helpers/leaping-clock.ts'
import { askedByPlace, endsWhole, idsOf, savedTracks } from '../helpers/saved-tracks.ts'

const tracks = '/tables/tracks/read'

// Five short pages, for many reads at once.
const few = makeLibrary({ tracks: 23 })
const fewIds = few.tracks.map((item) => item?.track?.id)
const short = `${tracks}?limit=5`

// On a busy machine many requests at once take their time.
const timeouts = { headersMs: 10_000, idleMs: 10_000, totalMs: 10_000 }

const times = <T>(count: number, make: () => T) => Array.from({ length: count }, make)

t.test('200 reads at once on an access token that has ended cause one refresh', async (t) => {
  const clock = new LeapingClock()
  // Half of the refusals come late, when a new token is there: they must not throw it away.
  let asked = 0
  const latencyMs = () => (asked++ % 2 === 0 ? 5 : 50)
  const { get, simulator } = await build(t, {
    clock,
    simulator: { clock, library: few, latencyMs },
    timeouts,
  })
  await get(short)

  for (const [how, end, refused] of [
    ['by its time', () => (clock.nowMs += 3600_000), 0],
    ['before its time', () => simulator.expireAccessTokens(), 200],
  ] as const) {
    simulator.stats.reset()
    end()
    const answers = await Promise.all(times(200, () => get(`${tracks}?limit=12`)))
    t.ok(
      answers.every(({ status, body }) => status === 200 && !body.has_more),
      how,
    )
    t.ok(answers.every(({ body }) => idsOf(body).join() === fewIds.join()))
    t.equal(simulator.stats.token, 1)
    t.equal(simulator.stats.api, 200 * 2 + refused)
  }
})

t.test('an access token that dies in the middle of a read costs one refresh', async (t) => {
  const { get, simulator } = await build(t, { simulator: { library: savedTracks } })
  simulator.faults.beforeAnswer('/me/tracks', (_request, nth) => {
    if (nth === 3) simulator.expireAccessTokens()
  })
  endsWhole(t, await get(tracks))
  t.equal(simulator.stats.token, 1 + 1)
  const asked = Object.values(askedByPlace(simulator.stats))
  t.ok(Math.max(...asked) === 2, 'what was in flight is asked once more')
})

t.test('a read whose access token comes after a 429 of another read is not sent', async (t) => {
  const clock = new FakeClock()
  const { get, simulator } = await build(t, { clock, timeouts, simulator: { clock, library: few } })
  const { faults, stats } = simulator
  await get(short)
  stats.reset()

  const limit = heldBack(simulator, '/me/tracks')
  faults.add({ on: '/me/tracks', fault: tooManyRequests(120) })
  const limited = get(short)
  await limit.hasCome
  const token = heldBack(simulator, '/api/token')
  await clock.advance(3600_000)
  const later = get('/tables/user_profile/read')
  await token.hasCome
  limit.release()
  t.equal((await limited).body.code, 'rate-limited')
  token.release()
  t.equal((await later).body.code, 'rate-limited')
  t.strictSame(
    stats.requests.map(({ path }) => path),
    ['/me/tracks', '/api/token'],
  )
})

t.test('all tables at once give what they give one by one', async (t) => {
  const { get, simulator } = await build(t, { timeouts })
  const urls = (await get('/tables')).body.tables.map(
    ({ name }: { name: string }) => `/tables/${name}/read`,
  )
  const together = await Promise.all(urls.map(get))
  t.equal(simulator.stats.token, 1)
  for (const [index, url] of urls.entries()) {
    const { status, text } = await get(url)
    t.equal(status, 200)
    t.ok(together[index]?.text === text, url)
  }
})

t.test('a short 429 in 50 reads at once is one ban, and all come back whole', async (t) => {
  const clock = new FakeClock()
  const startMs = clock.now()
  const { get, simulator, log } = await build(t, {
    clock,
    timeouts,
    simulator: { clock, library: few },
  })
  simulator.faults.add({ on: '/me/tracks', skip: 60, times: 10, fault: tooManyRequests(7) })
  let done = 0
  const reads = times(50, () => get(short).finally(() => done++))
  while (clock.sleeping + done < 50) await turn()
  const { stats } = simulator
  t.ok(stats.api <= 60 + 50, `after the 61st only those go out that are under way: ${stats.api}`)

  await clock.advance(6_999)
  t.ok(stats.requests.every(({ atMs }) => atMs === startMs))
  while (done < 50) await clock.advance(1)
  for (const { status, body } of await Promise.all(reads)) {
    t.equal(status, 200)
    t.strictSame(idsOf(body), fewIds)
    t.equal(body.has_more, false)
  }
  t.equal(stats.api, 50 * 5 + 10, 'each that was refused was asked once more')
  const bans = log.flatMap(({ until }) => until ?? [])
  t.strictSame([...new Set(bans)], [new Date(startMs + 7_000).toISOString()])
})

t.test('a long 429 in 50 reads at once: each keeps its rows and says when to come', async (t) => {
  const clock = new FakeClock()
  const { get, simulator } = await build(t, { clock, timeouts, simulator: { clock, library: few } })
  const { stats } = simulator
  simulator.faults.add({ on: '/me/tracks', skip: 120, fault: tooManyRequests(120) })
  const answers = await Promise.all(times(50, () => get(short)))
  t.equal(clock.sleeping, 0, 'none waits')
  const sent = stats.api
  t.ok(sent <= 120 + 50, `${sent} requests`)

  const cutShort = answers.filter(({ body }) => body.has_more !== false)
  t.ok(cutShort.length > 0)
  for (const { status, headers, body } of cutShort) {
    t.equal(status === 429 ? Number(headers['retry-after']) : body.retry_after_s, 120)
    t.match(await get(body.next ?? short), { status: 429, body: { code: 'rate-limited' } })
  }
  t.equal(stats.api, sent, 'nothing is sent until then')

  await clock.advance(120_000)
  for (const { body } of answers) {
    const goesOn = body.has_more !== false
    const rest = goesOn ? (await get(body.next ?? short)).body : { records: [], has_more: false }
    t.strictSame([...idsOf(body), ...idsOf(rest)], fewIds)
    t.equal(rest.has_more, false)
  }
})

/** Holds the answers of a path back until they are released. */
function heldBack({ faults }: Simulator, path: string) {
  const { promise: hasCome, resolve: come } = Promise.withResolvers<void>()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  faults.beforeAnswer(path, () => {
    come()
    return released
  })
  return { hasCome, release }
}
