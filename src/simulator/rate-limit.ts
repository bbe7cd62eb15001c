/**
 * A limit on the requests in a rolling window, as Spotify counts them over 30 seconds. Requests
 * that are refused do not count.
 */
export class RateLimit {
  readonly #requests: number
  readonly #windowMs: number
  readonly #letThroughAtMs: number[] = []

  constructor({ requests, windowMs }: { requests: number; windowMs: number }) {
    this.#requests = requests
    this.#windowMs = windowMs
  }

  /** Lets a request through: null; or the whole seconds, at least 1, until one is let through. */
  take(nowMs: number): number | null {
    const times = this.#letThroughAtMs
    while (times[0] !== undefined && times[0] <= nowMs - this.#windowMs) times.shift()
    if (times.length < this.#requests) {
      times.push(nowMs)
      return null
    }
    const freeAtMs = (times[0] ?? nowMs) + this.#windowMs
    return Math.max(1, Math.ceil((freeAtMs - nowMs) / 1000))
  }
}
