import { setImmediate as turn } from 'node:timers/promises'
import type { On } from '../../src/simulator/faults.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'

/** Timeouts towards the simulator for tests that hold its answers. */
export const patient = { headersMs: 20_000, idleMs: 20_000, totalMs: 20_000 }

/** Holds the `nth` request back: `arrived` tells that it is there, `release` lets it be answered. */
export function hold(simulator: Simulator, on: On, nth = 1) {
  return holdTogether(simulator, on, { count: 1, skip: nth - 1 })
}

/**
 * Holds `count` requests back, those behind the first `skip`: `arrived` tells that all of them are
 * there, `release` lets them be answered.
 */
export function holdTogether(simulator: Simulator, on: On, { count = 1, skip = 0 }) {
  const arrived = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  simulator.faults.beforeAnswer(on, (_request, nth) => {
    if (nth <= skip || nth > skip + count) return
    if (nth === skip + count) arrived.resolve()
    return released.promise
  })
  return { arrived: arrived.promise, release: released.resolve }
}

/** Lets requests be answered when `count` of them are there, so many times over. */
export function meet(simulator: Simulator, on: On, count: number, rounds = 1): void {
  for (let round = 0; round < rounds; round++) {
    const { arrived, release } = holdTogether(simulator, on, { count, skip: round * count })
    arrived.then(release)
  }
}

/** Resolves when something has become true that no event tells of. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turn()
}
