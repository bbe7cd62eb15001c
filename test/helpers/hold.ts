import { setImmediate as turn } from 'node:timers/promises'
import type { On } from '../../src/simulator/faults.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'

/** Timeouts towards the simulator for tests that hold its answers. */
export const patient = { headersMs: 20_000, idleMs: 20_000, totalMs: 20_000 }

/** Holds the `nth` request back: `arrived` tells that it is there, `release` lets it be answered. */
export function hold(simulator: Simulator, on: On, nth = 1) {
  const arrived = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  simulator.faults.beforeAnswer(on, (_request, n) => {
    if (n !== nth) return
    arrived.resolve()
    return released.promise
  })
  return { arrived: arrived.promise, release: released.resolve }
}

/** Resolves when something has become true that no event tells of. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turn()
}
