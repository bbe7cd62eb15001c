import type { Store } from '../../src/database/store.ts'
import { type Entry, RateGate, type Refusal } from '../../src/spotify/rate-gate.ts'
import { WaitBudget } from '../../src/spotify/wait-budget.ts'
import { FakeClock } from './fake-clock.ts'
import { memoryLog } from './log.ts'
import { memoryStore } from './spotify.ts'

/** What a test closes over: tap's `t`. */
type Test = { teardown(fn: () => unknown): void }

type Options = {
  requestsPerMinute?: number
  burst?: number
  clientId?: string
  clock?: FakeClock
  store?: Pick<Store, 'bans' | 'saveBan'>
}

/** A gate of its own clock; without a bucket unless requests a minute are given. */
export function openGate(t: Test, options: Options = {}) {
  const { requestsPerMinute = 0, burst = 1, clientId = 'app', clock = new FakeClock() } = options
  const store = options.store ?? memoryStore(t)
  const log = memoryLog()
  const gate = new RateGate({ clientId, requestsPerMinute, burst, clock, store, log })
  return {
    gate,
    clock,
    store,
    log,
    /** Asks to be let out, in a budget of 20 s; resolves to the time at which it was. */
    async enter(
      endpoint: string,
      { waitMs = 20_000, ...of }: Partial<Entry> & { waitMs?: number } = {},
    ): Promise<number> {
      const budget = new WaitBudget(waitMs, clock)
      const { signal } = new AbortController()
      await gate.enter({ endpoint, plays: false, budget, signal, ...of })
      return clock.now()
    },
    /** A 429 to a request for saved tracks that is sent now, unless it says otherwise. */
    refuse(of: Partial<Refusal> = {}): void {
      gate.refused({
        endpoint: '/me/tracks',
        scope: of.quota ? 'endpoint' : 'everything',
        quota: false,
        retryAfterMs: null,
        sentAtMs: clock.now(),
        ...of,
      })
    },
    /** For how long everything is shut, in seconds. */
    shutS: () => ((gate.state().untilMs ?? clock.now()) - clock.now()) / 1000,
  }
}
