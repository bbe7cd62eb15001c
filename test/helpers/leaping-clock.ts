import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../src/clock.ts'
import { noonMs } from './fake-clock.ts'

/** A clock that leaps to the waking time of whoever goes to sleep: long waits take no time. */
export class LeapingClock implements Clock {
  nowMs = noonMs

  now(): number {
    return this.nowMs
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    // Those who go to sleep together wake together: each of them leaps from where it began.
    const wakesAtMs = this.nowMs + ms
    await turn()
    signal?.throwIfAborted()
    this.nowMs = Math.max(this.nowMs, wakesAtMs)
  }
}
