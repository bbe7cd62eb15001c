import type { Clock } from '../clock.ts'

/**
 * How long one read may wait in all: for the rate gate and between retries. Time on the wire is
 * not counted. Waits of requests side by side count once, since they pass at the same time.
 */
export class WaitBudget {
  readonly #limitMs: number
  readonly #clock: Clock
  #spentMs = 0
  #waiting = 0
  #sinceMs = 0

  constructor(limitMs: number, clock: Clock) {
    this.#limitMs = limitMs
    this.#clock = clock
  }

  /** What may still be waited, in ms; never negative. */
  get remainingMs(): number {
    const running = this.#waiting > 0 ? this.#elapsedMs() : 0
    return Math.max(0, this.#limitMs - this.#spentMs - running)
  }

  /** What has been waited so far, in ms. */
  get spentMs(): number {
    return this.#spentMs
  }

  /** Waits `ms` and counts it. The caller has compared `ms` with `remainingMs`. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting++ === 0) this.#sinceMs = this.#clock.now()
    try {
      await this.#clock.sleep(ms, signal)
    } finally {
      if (--this.#waiting === 0) this.#spentMs += this.#elapsedMs()
    }
  }

  /** A clock set back must not give time back. */
  #elapsedMs(): number {
    return Math.max(0, this.#clock.now() - this.#sinceMs)
  }
}
