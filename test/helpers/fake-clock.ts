import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../src/clock.ts'

/** A moment that tests begin at: 2026-11-25 12:00 UTC. */
export const noonMs = Date.UTC(2026, 10, 25, 12)

type Sleeper = { atMs: number; wake: () => void }

/** A clock that a test turns by hand. Whoever sleeps is woken at its time, in order. */
export class FakeClock implements Clock {
  #nowMs: number
  #sleepers: Sleeper[] = []

  constructor(nowMs: number = noonMs) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  /** Sets the clock as an operator does: nobody is woken by it. */
  setTo(nowMs: number): void {
    this.#nowMs = nowMs
  }

  /** How many sleep. */
  get sleeping(): number {
    return this.#sleepers.length
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (ms <= 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#drop(sleeper)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const sleeper = { atMs: this.#nowMs + ms, wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** Turns the time on by `ms`; at each waking lets everything run that can. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    await turn()
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      this.#drop(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.wake()
      await turn()
    }
    this.#nowMs = endMs
  }

  #next(endMs: number): Sleeper | undefined {
    // The sort is stable: of those that wake together the first to sleep is the first.
    return this.#sleepers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
  }

  #drop(sleeper: Sleeper): void {
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  await turn()
}
