import t from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { tooManyRequests, unauthorized } from '../../src/simulator/spotify-errors.ts'
import { build } from '../helpers/build.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { meet, until } from '../helpers/hold.ts'
import { LeapingClock } from '../helpers/leaping-clock.ts'
import {
  askedByPlace,
  behindPage,
  endsWhole,
  idsOf,
  isInterrupted,
  ninePages,
  rowsAPage,
} from '../helpers/saved-tracks.ts'

const tracks = '/tables/tracks/read'
const forEver = Number.POSITIVE_INFINITY

// On a busy machine many requests at once take their time.
const timeouts = { headersMs: 10_000, idleMs: 10_000, totalMs: 10_000 }

t.test('a 401 for each of eight pages in flight costs one refresh', async (t) => {
  const { get, simulator } = await build(t, { simulator: { library: ninePages }, timeouts })
  const { faults, stats } = simulator
  await get('/tables/user_profile/read')
  const problem = { code: 'upstream-error', status: 502, detail: /401/ }

  stats.reset()
  faults.add({ on: behindPage(1), times: 8, fault: unauthorized() })
  meet(simulator, behindPage(1), 8)
  endsWhole(t, await get(tracks), 'once', { library: ninePages })
  t.equal(stats.token, 1)
  t.strictSame(Object.values(askedByPlace(stats)), [1, ...Array(8).fill(2)])

  stats.reset()
  faults.clear()
  faults.add({ on: behindPage(1), times: forEver, fault: unauthorized() })
  meet(simulator, behindPage(1), 8)
  const next = isInterrupted(t, await get(tracks), problem, { library: ninePages, pages: 1 })
  t.equal(stats.token, 1, 'while it lasts, no storm of refreshes either')
  t.equal(askedByPlace(stats)[rowsAPage], 1 + 4)
  t.ok(stats.api <= 1 + 8 * (1 + 4), `${stats.api} requests`)
  t.match(await get(next), { status: 502, body: problem })
  faults.clear()
  endsWhole(t, await get(next), 'the rest', { library: ninePages, from: rowsAPage })
})

t.test('tokens that die in the middle of a slow read cost one refresh', async (t) => {
  const library = makeLibrary({ tracks: 2_000 })
  // Of eight requests in flight the first are answered long before the last.
  let asked = 0
  const latencyMs = () => 10 + (asked++ % 8) * 10
  const { get, simulator } = await build(t, { simulator: { library, latencyMs }, timeouts })
  // When the 20th comes there are requests with this token of every age.
  simulator.faults.beforeAnswer('/me/tracks', (_request, nth) => {
    if (nth === 20) simulator.expireAccessTokens()
  })
  endsWhole(t, await get(tracks), 'whole', { library })
  t.equal(simulator.stats.token, 1 + 1)
  t.equal(simulator.stats.maxInFlight, 8)
  const refused = simulator.stats.requests.filter(({ status }) => status === 401).length
  t.ok(refused > 1 && refused <= 8, `${refused} were refused`)
  t.equal(simulator.stats.api, 41 + refused, 'and asked once more')
})

for (const [how, budgetMs] of [
  ['is waited for once by all', 10_000],
  ['that may not be waited for keeps the rows', 5_000],
] as const) {
  t.test(`a 429 for each of eight pages in flight is one ban, and ${how}`, async (t) => {
    const clock = new FakeClock()
    const startMs = clock.now()
    const { get, simulator, log } = await build(t, {
      clock,
      timeouts,
      env: { READ_WAIT_BUDGET_MS: String(budgetMs) },
      simulator: { clock, library: ninePages },
    })
    const { faults, stats } = simulator
    faults.add({ on: behindPage(1), times: 8, fault: tooManyRequests(7) })
    meet(simulator, behindPage(1), 8)
    const read = get(tracks)
    const problem = { code: 'rate-limited', status: 429, retryable: true, retry_after_s: 7 }
    if (budgetMs > 7_000) {
      await until(() => clock.sleeping === 8)
      await clock.advance(6_999)
      t.equal(stats.api, 1 + 8, 'nothing is sent until then')
      await clock.advance(1)
      endsWhole(t, await read, 'whole', { library: ninePages })
      t.equal(stats.api, 1 + 8 + 8, 'each once more')
    } else {
      const next = isInterrupted(t, await read, problem, { library: ninePages, pages: 1 })
      t.match(await get(next), { status: 429, body: problem })
      t.equal(stats.api, 1 + 8, 'nothing is sent until then')
      await clock.advance(7_000)
      endsWhole(t, await get(next), 'the rest', { library: ninePages, from: rowsAPage })
    }
    const bans = log.flatMap(({ until }) => until ?? [])
    t.strictSame([...new Set(bans)], [new Date(startMs + 7_000).toISOString()])
  })
}

t.test('a 429 for ever for eight pages in flight is asked again by none but in turn', async (t) => {
  const clock = new LeapingClock()
  const { get, simulator } = await build(t, {
    clock,
    timeouts,
    simulator: { clock, library: ninePages },
  })
  const { faults, stats } = simulator
  faults.add({ on: behindPage(1), times: forEver, fault: tooManyRequests() })
  meet(simulator, behindPage(1), 8)
  const { status, body } = await get(tracks)
  t.match({ status, ...body }, { status: 200, interrupted: { code: 'rate-limited' } })
  t.equal(idsOf(body).length, rowsAPage)
  // In a budget of 20 s there is time to wait 5 s and 10 s.
  t.equal(askedByPlace(stats)[rowsAPage], 3)
  t.equal(stats.api, 1 + 3 * 8)
})

t.test('eight connections that are reset together are one failed attempt of each', async (t) => {
  const { get, simulator } = await build(t, { simulator: { library: ninePages }, timeouts })
  const { faults, stats } = simulator
  // Behind the third time, the fourth attempt is the last.
  for (const times of [1, 2, 3]) {
    stats.reset()
    faults.clear()
    faults.add({ on: behindPage(1), times: 8 * times, fault: { kind: 'reset' } })
    meet(simulator, behindPage(1), 8, times)
    endsWhole(t, await get(tracks), `${times} times`, { library: ninePages })
    t.strictSame(Object.values(askedByPlace(stats)), [1, ...Array(8).fill(1 + times)])
  }
})
