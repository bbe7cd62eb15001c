import type { Clock } from '../clock.ts'
import type { Store } from '../database/store.ts'
import { ConnectorError, type FailureCode } from '../errors.ts'
import type { Log } from '../log.ts'
import type { GateReason, SpotifyObserver } from './observer.ts'
import { TokenBucket } from './token-bucket.ts'
import { tokenEndpoint } from './token-endpoint.ts'
import type { WaitBudget } from './wait-budget.ts'

const firstBanMs = 5_000
const firstQuotaBanMs = 60_000
const longestGuessMs = 3600_000
// No ban lasts longer: what is stored as longer was stored by a wrong clock.
const longestMs = 30 * 24 * 3600_000

type Parts = {
  clientId: string
  requestsPerMinute: number
  burst: number
  clock: Clock
  store: Pick<Store, 'bans' | 'saveBan'>
  log: Log
  observer?: SpotifyObserver
}

/** Who asks to be let out. Plays go before everything else: they are the rows that can be lost. */
export type Entry = {
  endpoint: string
  plays: boolean
  budget: WaitBudget
  signal: AbortSignal
  /** False where only the bans count: token requests are not of the Web API's window. */
  bucket?: boolean
}

/** A 429. `quota` and token requests shut only their own endpoint. */
export type Refusal = {
  endpoint: string
  scope: 'everything' | 'endpoint'
  quota: boolean
  /** From `Retry-After`; null where it said nothing usable. */
  retryAfterMs: number | null
  /** When the refused request was sent: of eight refused together only the first counts. */
  sentAtMs: number
}

/** What is shut and until when, in Unix ms; null: open. */
export type GateState = {
  untilMs: number | null
  endpoints: { endpoint: string; untilMs: number }[]
}

/** What the gate has to do: requests that could go out at once (null: no limit), and that wait. */
export type GateLoad = { requests: number | null; queued: number }

type Waited = Record<GateReason, number>

type Ban = { untilMs: number; setAtMs: number; lengthMs: number; inARow: number; quota: boolean }

const everything = ''

/**
 * Lets requests of one app out to Spotify: the bucket of our own limit, and the "not before"
 * times that 429s set, which outlive a restart. While it is shut nothing is sent.
 * Source: Web API, "Rate Limits" and "Quota modes"; asking on while limited lengthens a ban.
 */
export class RateGate {
  readonly #parts: Parts
  readonly #bucket: TokenBucket
  readonly #bans = new Map<string, Ban>()
  #queue: Entry[] = []

  constructor(parts: Parts) {
    this.#parts = parts
    const nowMs = parts.clock.now()
    this.#bucket = new TokenBucket(parts.requestsPerMinute, parts.burst, nowMs)
    for (const { endpoint, untilMs } of parts.store.bans(parts.clientId)) {
      if (untilMs > nowMs + longestMs) continue
      // Whether a stored ban of one endpoint was for quota is not kept; it is what such bans are for.
      this.#bans.set(endpoint ?? everything, {
        untilMs,
        setAtMs: nowMs,
        lengthMs: untilMs - nowMs,
        inARow: 1,
        quota: endpoint !== null && endpoint !== tokenEndpoint,
      })
    }
  }

  /**
   * Resolves when the request may be sent now. Throws `rate-limited` or `quota-exceeded` as soon
   * as it is known that the wait is longer than the budget allows.
   */
  async enter(entry: Entry): Promise<void> {
    const waited: Waited = { limited: 0, bucket: 0 }
    try {
      await (entry.bucket === false
        ? this.#waitForBans(entry, waited)
        : this.#waitInLine(entry, waited))
    } finally {
      for (const reason of ['limited', 'bucket'] as const) {
        if (waited[reason] > 0) {
          this.#parts.observer?.waited(entry.endpoint, reason, waited[reason])
        }
      }
    }
  }

  async #waitInLine(entry: Entry, waited: Waited): Promise<void> {
    this.#line(entry)
    try {
      for (;;) {
        await this.#waitForBans(entry, waited)
        const nowMs = this.#parts.clock.now()
        const place = this.#placeOf(entry)
        if (place === 0 && this.#bucket.tryTake(nowMs)) return
        const waitMs = this.#bucket.waitMs(place + 1, nowMs)
        if (waitMs > entry.budget.remainingMs) throw ownLimit(entry, waitMs)
        // A moment at least: those before it are about to go.
        await this.#wait(entry, Math.max(1, waitMs), 'rate-limited', 'bucket', waited)
      }
    } finally {
      this.#queue = this.#queue.filter((other) => other !== entry)
    }
  }

  /** True when a request to the endpoint may not be sent at this moment. */
  isShut(endpoint: string): boolean {
    return this.#banOf(endpoint) !== undefined
  }

  /** Takes note of a 429. */
  refused({ endpoint, scope, quota, retryAfterMs, sentAtMs }: Refusal): void {
    const { clock, log } = this.#parts
    const nowMs = clock.now()
    const key = scope === 'everything' ? everything : endpoint
    const before = this.#bans.get(key)
    // A request that was under way when the ban was set says nothing new, but may say longer.
    const sameBurst = before !== undefined && sentAtMs <= before.setAtMs
    const inARow = sameBurst ? before.inARow : (before?.inARow ?? 0) + 1
    const guessMs = Math.min(
      (quota ? firstQuotaBanMs : firstBanMs) * 2 ** (inARow - 1),
      longestGuessMs,
    )
    // Refused again and again after waiting as told: wait longer than told.
    const floorMs = Math.min(1000 * 2 ** Math.max(0, inARow - 3), 60_000)
    const untilMs = nowMs + Math.max(retryAfterMs ?? guessMs, floorMs)
    const longerMs = Math.max(untilMs, before ? untilOf(before, nowMs) : 0)
    const ban = {
      untilMs: longerMs,
      setAtMs: sameBurst ? before.setAtMs : nowMs,
      lengthMs: longerMs - nowMs,
      inARow,
      quota,
    }
    this.#bans.set(key, ban)
    if (key === everything && !sameBurst) this.#bucket.drain(nowMs)
    log.warn(
      { endpoint, quota, shuts: scope, until: new Date(ban.untilMs).toISOString() },
      'Spotify limits our requests',
    )
    this.#store(key, ban.untilMs)
  }

  /** Takes note of an answer that was no 429: the next refusal begins a new series. */
  succeeded({ endpoint, scope, sentAtMs }: Pick<Refusal, 'endpoint' | 'scope' | 'sentAtMs'>): void {
    for (const key of scope === 'everything' ? [everything, endpoint] : [endpoint]) {
      const ban = this.#bans.get(key)
      if (ban && sentAtMs >= ban.untilMs) this.#bans.delete(key)
    }
  }

  /** For `/health`. */
  state(): GateState {
    const nowMs = this.#parts.clock.now()
    const shut = [...this.#bans].filter(([, ban]) => untilOf(ban, nowMs) > nowMs)
    return {
      untilMs: shut.find(([key]) => key === everything)?.[1].untilMs ?? null,
      endpoints: shut
        .filter(([key]) => key !== everything)
        .map(([endpoint, { untilMs }]) => ({ endpoint, untilMs })),
    }
  }

  /** For the metrics. */
  load(): GateLoad {
    return {
      requests: this.#bucket.level(this.#parts.clock.now()),
      queued: this.#queue.length,
    }
  }

  #line(entry: Entry): void {
    const place = entry.plays ? this.#queue.findIndex(({ plays }) => !plays) : -1
    if (place === -1) this.#queue.push(entry)
    else this.#queue.splice(place, 0, entry)
  }

  /** How many go before it. Those whose endpoint is shut keep nobody else waiting. */
  #placeOf(entry: Entry): number {
    const before = this.#queue.slice(0, this.#queue.indexOf(entry))
    return before.filter(({ endpoint }) => !this.isShut(endpoint)).length
  }

  async #wait(
    { budget, signal }: Entry,
    ms: number,
    code: FailureCode,
    reason: GateReason,
    waited: Waited,
  ): Promise<void> {
    const { clock } = this.#parts
    const fromMs = clock.now()
    try {
      await budget.wait(ms, signal, code)
    } finally {
      waited[reason] += Math.max(0, clock.now() - fromMs)
    }
  }

  async #waitForBans(entry: Entry, waited: Waited): Promise<void> {
    for (;;) {
      entry.signal.throwIfAborted()
      const ban = this.#banOf(entry.endpoint)
      if (!ban) return
      const waitMs = ban.untilMs - this.#parts.clock.now()
      if (waitMs > entry.budget.remainingMs) throw banned(entry.endpoint, ban, waitMs)
      const code = ban.quota ? 'quota-exceeded' : 'rate-limited'
      await this.#wait(entry, waitMs, code, 'limited', waited)
    }
  }

  #banOf(endpoint: string): Ban | undefined {
    const nowMs = this.#parts.clock.now()
    return [this.#bans.get(everything), this.#bans.get(endpoint)]
      .filter((ban) => ban !== undefined && untilOf(ban, nowMs) > nowMs)
      .sort((a, b) => (b?.untilMs ?? 0) - (a?.untilMs ?? 0))[0]
  }

  #store(key: string, untilMs: number): void {
    const { store, clientId, clock, log } = this.#parts
    try {
      store.saveBan(clientId, key === everything ? null : key, untilMs, clock.now())
    } catch (error) {
      // The ban holds in memory; only a restart would forget it.
      log.warn({ err: error }, 'a rate limit could not be stored: a restart would forget it')
    }
  }
}

/** When a ban ends. A clock set back must not make it longer than it was. */
function untilOf(ban: Ban, nowMs: number): number {
  ban.untilMs = Math.min(ban.untilMs, nowMs + ban.lengthMs)
  return ban.untilMs
}

function banned(endpoint: string, { untilMs, quota }: Ban, waitMs: number): ConnectorError {
  const retryAfterS = Math.max(1, Math.ceil(waitMs / 1000))
  const until = new Date(untilMs).toISOString()
  return quota
    ? new ConnectorError(
        'quota-exceeded',
        `The app has used up its quota for Spotify's ${endpoint}, which is counted over a rolling day and for all apps of the developer together. Nothing is asked there until ${until}; come back in ${retryAfterS} s. Other tables are not affected.`,
        { retryAfterS },
      )
    : new ConnectorError(
        'rate-limited',
        `Spotify limits the requests of this app (429). Nothing is sent until ${until}; come back in ${retryAfterS} s.`,
        { retryAfterS },
      )
}

function ownLimit({ endpoint }: Entry, waitMs: number): ConnectorError {
  const retryAfterS = Math.max(1, Math.ceil(waitMs / 1000))
  return new ConnectorError(
    'rate-limited',
    `The requests that this service allows itself (SPOTIFY_BURST, SPOTIFY_REQUESTS_PER_MINUTE) are used up, and ${endpoint} would have to wait longer than this read may; come back in ${retryAfterS} s.`,
    { retryAfterS },
  )
}
