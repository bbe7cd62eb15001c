import { setTimeout as delay } from 'node:timers/promises'

/** Time as the parts see it: an argument, so that tests turn hours and months by hand. */
export type Clock = {
  /** Unix time in milliseconds. */
  now(): number
  /** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: Date.now,
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal ? { signal } : {})
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  },
}

/** True when the promise has not settled after `ms`; rejects as it does. Leaves no timer behind. */
export async function isSlow(
  promise: Promise<unknown>,
  ms: number,
  sleep: Clock['sleep'],
): Promise<boolean> {
  const timer = new AbortController()
  const slow = sleep(ms, timer.signal).then(() => true)
  try {
    return await Promise.race([promise.then(() => false), slow])
  } finally {
    timer.abort()
  }
}
