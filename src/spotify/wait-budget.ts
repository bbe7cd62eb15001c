import type { Clock } from '../clock.ts'
import type { FailureCode } from '../errors.ts'

/** A wait that is going on: until when (Unix ms), and the failure that it avoids. */
export type Wait = { untilMs: number; code: FailureCode }

/**
 * How long one read may wait in all: for the rate gate and between retries. Time on the wire is
 * not counted. Waits of requests side by side count once, since they pass at the same time.
 */
export class WaitBudget {
  readonly #limitMs: number
  readonly #clock: Clock
  #spentMs = 0
  readonly #waits = new Set<Wait>()
  #sinceMs = 0

  constructor(limitMs: number, clock: Clock) {
    this.#limitMs = limitMs
    this.#clock = clock
  }

  /** What may still be waited, in ms; never negative. */
  get remainingMs(): number {
    return Math.max(0, this.#limitMs - this.spentMs)
  }

  /** What has been waited so far, in ms, and in a wait that is going on. */
  get spentMs(): number {
    return this.#spentMs + (this.#waits.size > 0 ? this.#elapsedMs() : 0)
  }

  /** The longest wait that is going on; null when there is none. */
  get current(): Wait | null {
    return [...this.#waits].reduce<Wait | null>(
      (longest, wait) => (longest && longest.untilMs >= wait.untilMs ? longest : wait),
      null,
    )
  }

  /**
   * Waits `ms` and counts it; `code` says what for. The caller has compared `ms` with
   * `remainingMs`.
   */
  async wait(ms: number, signal: AbortSignal, code: FailureCode): Promise<void> {
    const nowMs = this.#clock.now()
    const wait = { untilMs: nowMs + ms, code }
    if (this.#waits.size === 0) this.#sinceMs = nowMs
    this.#waits.add(wait)
    try {
      await this.#clock.sleep(ms, signal)
    } finally {
      this.#waits.delete(wait)
      if (this.#waits.size === 0) this.#spentMs += this.#elapsedMs()
    }
  }

  /** A clock set back must not give time back. */
  #elapsedMs(): number {
    return Math.max(0, this.#clock.now() - this.#sinceMs)
  }
}
