const recoveryMs = 60_000
const deepestHalving = 16

/**
 * The requests that we allow ourselves: `burst` at once, then `perMinute`. After a 429 it is
 * empty and fills at half the speed; the speed doubles again every minute, up to `perMinute`.
 * 0 requests a minute means no limit of ours.
 */
export class TokenBucket {
  readonly #perMs: number
  readonly #burst: number
  #level: number
  #filledAtMs: number
  #slowedPerMs: number
  #slowedAtMs: number

  constructor(perMinute: number, burst: number, nowMs: number) {
    this.#perMs = perMinute / 60_000
    this.#burst = burst
    this.#level = burst
    this.#filledAtMs = nowMs
    this.#slowedPerMs = this.#perMs
    this.#slowedAtMs = nowMs
  }

  /** Takes one token; false when there is none. */
  tryTake(nowMs: number): boolean {
    if (this.#perMs === 0) return true
    this.#fill(nowMs)
    if (this.#level < 1) return false
    this.#level -= 1
    return true
  }

  /** How many could be taken at once; null: as many as one likes. */
  level(nowMs: number): number | null {
    if (this.#perMs === 0) return null
    this.#fill(nowMs)
    return this.#level
  }

  /** How long until `count` tokens are there, in ms; 0 when they are. */
  waitMs(count: number, nowMs: number): number {
    if (this.#perMs === 0) return 0
    this.#fill(nowMs)
    return Math.max(0, Math.ceil((count - this.#level) / this.#speed(nowMs)))
  }

  /** What a 429 does. */
  drain(nowMs: number): void {
    this.#slowedPerMs = Math.max(this.#speed(nowMs) / 2, this.#perMs / deepestHalving)
    this.#slowedAtMs = nowMs
    this.#level = 0
    this.#filledAtMs = nowMs
  }

  #speed(nowMs: number): number {
    // A clock set back must not slow it down.
    const elapsedMs = Math.max(0, nowMs - this.#slowedAtMs)
    return Math.min(this.#perMs, this.#slowedPerMs * 2 ** (elapsedMs / recoveryMs))
  }

  #fill(nowMs: number): void {
    // A clock set back must not drain the bucket.
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs)
    this.#level = Math.min(this.#burst, this.#level + elapsedMs * this.#speed(nowMs))
    this.#filledAtMs = nowMs
  }
}
