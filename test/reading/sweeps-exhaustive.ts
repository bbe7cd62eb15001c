import type { Test } from 'tap'
import { readSweptPlace, Sweeps } from '../../src/reading/sweeps.ts'
import { type Case, drive, explore, type Open } from './drive.ts'
import { everyChange } from './model.ts'

/** Sweeps over a list that can be dragged about. */
export const openSweeps: Open = (options, offset) => new Sweeps(options, readSweptPlace(offset))

/** Tests every way to sweep a list of that size while its owner makes up to `most` changes. */
export function testEverySweep(t: Test, size: number, most: number): void {
  const counts = {}
  for (const page of [2, 3]) {
    const one: Case = {
      size,
      page,
      inFlight: 1,
      pagesPerCall: Number.POSITIVE_INFINITY,
      isReversed: false,
    }
    for (const config of [one, { ...one, pagesPerCall: 1 }, { ...one, inFlight: 4 }]) {
      explore(
        (script) => drive(openSweeps, config, script),
        ({ failure, isEmpty }) =>
          failure === 'snapshot-changed' || (failure === 'upstream-error' && isEmpty),
        everyChange(size, { drags: true }),
        most,
        counts,
      )
    }
  }
  t.comment(`a list of ${size}, ${most} changes: ${JSON.stringify(counts)}`)
  t.pass()
}
