import t, { type Test } from 'tap'
import type { Simulator } from '../../src/simulator/simulator.ts'
import {
  everyRetryAfter,
  type TooManyRequestsBody,
  tooManyRequests,
} from '../../src/simulator/spotify-errors.ts'
import { build } from '../helpers/build.ts'
import { LeapingClock } from '../helpers/leaping-clock.ts'
import {
  behindPage,
  endsWhole,
  isInterrupted,
  rowsAPage,
  savedTracks,
} from '../helpers/saved-tracks.ts'

type Kind = keyof ReturnType<typeof everyRetryAfter>

const tracks = '/tables/tracks/read'
const tokens = '/api/token'
const dayMs = 24 * 3600 * 1000

/** The seconds that each asks to wait; null where it says nothing usable. */
const asked: Record<Kind, number | null> = {
  seconds: 7,
  hours: 48_925,
  zero: null,
  negative: null,
  none: null,
  date: 90,
  'past date': null,
  fraction: 2,
  'two headers': 120,
  'two in one header': 120,
  rubbish: null,
}

const kinds = Object.keys(asked) as Kind[]
/** A quota is another limit; the other bodies are the same one, so two kinds with each will do. */
const bodiesOf = (kind: Kind): TooManyRequestsBody[] =>
  kind === 'seconds' || kind === 'none'
    ? ['json', 'quota', 'text', 'empty', 'gzip']
    : ['json', 'quota']

for (const kind of kinds) {
  for (const body of bodiesOf(kind)) {
    t.test(`a 429 whose Retry-After is ${kind}, with the body ${body}`, async (t) => {
      const code = body === 'quota' ? 'quota-exceeded' : 'rate-limited'
      const firstWaitS = asked[kind] ?? (body === 'quota' ? 60 : 5)

      const patient = await start(t, kind, body, dayMs)
      for (const skip of [0, 2]) {
        const startMs = patient.clock.nowMs
        patient.simulator.stats.reset()
        patient.simulator.faults.clear()
        patient.simulator.faults.add({ on: '/me/tracks', skip, fault: patient.limit() })
        endsWhole(t, await patient.get(tracks), `once, at request ${skip + 1}, with patience`)
        t.equal(patient.clock.nowMs - startMs, firstWaitS * 1000, 'it waited as it was asked')
        t.equal(patient.simulator.stats.api, 5 + 1)
      }

      const { get, simulator, clock, limit } = await start(t, kind, body, 20_000)
      const { faults, stats } = simulator
      const problem = { code, status: 429, retryable: true }
      faults.add({ on: '/me/tracks', fault: limit(), times: Number.POSITIVE_INFINITY })
      const failed = await get(tracks)
      t.equal(failed.status, 429, 'for ever, from the start')
      t.match(failed.body, problem)
      t.equal(failed.headers['retry-after'], String(failed.body.retry_after_s))
      t.ok(failed.body.retry_after_s >= firstWaitS)
      // In 20 s there is time for six waits of a second or two, the last ones longer than asked for.
      t.ok(stats.api <= (firstWaitS > 20 ? 1 : 7), `${stats.api} requests`)
      t.ok(shortestWaitMs(stats) >= firstWaitS * 1000, 'none sooner than it was asked')

      faults.clear()
      clock.nowMs += failed.body.retry_after_s * 1000
      faults.add({ on: behindPage(2), fault: limit(), times: Number.POSITIVE_INFINITY })
      const next = isInterrupted(t, await get(tracks), problem)
      const still = await get(next)
      t.equal(still.status, 429, 'while it lasts, the next call is the problem')
      t.match(still.body, problem)
      t.ok(shortestWaitMs(stats) >= firstWaitS * 1000, 'not sent sooner either')
      faults.clear()
      clock.nowMs += still.body.retry_after_s * 1000
      endsWhole(t, await get(next), 'the rest, when it was said to come back', {
        from: 2 * rowsAPage,
      })
    })
  }

  t.test(`a 429 for the access token whose Retry-After is ${kind}`, async (t) => {
    const waitMs = (asked[kind] ?? 5) * 1000
    const patient = await start(t, kind, 'json', dayMs)
    const startMs = patient.clock.nowMs
    patient.simulator.faults.add({ on: tokens, fault: patient.limit() })
    endsWhole(t, await patient.get(tracks), 'once, with patience')
    t.equal(patient.clock.nowMs - startMs, waitMs, 'it waited as it was asked')
    t.equal(patient.simulator.stats.token, 2)

    const { get, simulator, clock, limit } = await start(t, kind, 'json', 20_000)
    const { faults, stats } = simulator
    faults.add({ on: tokens, fault: limit(), times: Number.POSITIVE_INFINITY })
    const { status, body } = await get(tracks)
    t.equal(status, 429, 'for ever')
    t.match(body, { code: 'rate-limited', retryable: true })
    t.ok(body.retry_after_s * 1000 >= waitMs)
    t.ok(stats.token <= (waitMs > 20_000 ? 1 : 7), `${stats.token} requests`)
    t.equal(stats.api, 0)
    t.ok(shortestWaitMs(stats) >= waitMs, 'none sooner than it was asked')
    faults.clear()
    clock.nowMs += body.retry_after_s * 1000
    endsWhole(t, await get(tracks), 'when it was said to come back')
  })
}

// With the machine's own clock: a wait that is none would be a loop of 429s.
for (const [name, retryAfter] of [
  ['is 0', () => '0'],
  ['is missing', () => undefined],
  ['is rubbish', () => 'soon'],
  ['is a date', () => new Date(Date.now() + 90_000).toUTCString()],
] as const) {
  t.test(`a 429 for ever whose Retry-After ${name} is told within 3 s`, async (t) => {
    const { get, simulator } = await build(t, { env: { READ_WAIT_BUDGET_MS: '1000' } })
    simulator.faults.add({
      on: '/me/tracks',
      times: Number.POSITIVE_INFINITY,
      fault: tooManyRequests(retryAfter()),
    })
    const startMs = performance.now()
    const { status, headers, body } = await get(tracks)
    const seconds = Number(headers['retry-after'])
    t.equal(status, 429)
    t.match(body, { code: 'rate-limited', retry_after_s: seconds })
    t.ok(Number.isInteger(seconds) && seconds >= 1, String(seconds))
    t.ok(simulator.stats.api <= 4)
    if (name === 'is a date') t.ok(seconds >= 85 && seconds <= 90, String(seconds))

    const sent = simulator.stats.api
    t.equal((await get(tracks)).status, 429)
    t.equal(simulator.stats.api, sent, 'nothing is sent meanwhile')
    t.ok(performance.now() - startMs < 3_000)
  })
}

t.test('a limit of a second is waited for, and not for less', async (t) => {
  const { get, simulator } = await build(t, { env: { READ_WAIT_BUDGET_MS: '1500' } })
  simulator.faults.add({ on: '/me', fault: tooManyRequests(1) })
  t.equal((await get('/tables/user_profile/read')).status, 200)
  const [refused, answered] = simulator.stats.requests.filter(({ path }) => path === '/me')
  t.ok(refused && answered && answered.atMs - refused.atMs >= 1_000)
})

/** A service whose reads may wait so long, and the 429 in question as of now. */
async function start(t: Test, kind: Kind, body: TooManyRequestsBody, budgetMs: number) {
  const clock = new LeapingClock()
  const built = await build(t, {
    clock,
    env: { READ_WAIT_BUDGET_MS: String(budgetMs) },
    simulator: { library: savedTracks, clock },
  })
  const limit = () => tooManyRequests(everyRetryAfter(clock.nowMs)[kind], body)
  return { ...built, clock, limit }
}

/**
 * From a 429 to the request that followed it; Infinity where none did. What came at the same moment
 * was in flight beside it, unless it is the same request again.
 */
function shortestWaitMs({ requests }: Simulator['stats']): number {
  const waits = requests.flatMap((refused, at) => {
    if (refused.status !== 429) return []
    const followed = requests
      .slice(at + 1)
      .find(({ atMs, query }) => atMs > refused.atMs || query.offset === refused.query.offset)
    return followed ? [followed.atMs - refused.atMs] : []
  })
  return Math.min(...waits)
}
