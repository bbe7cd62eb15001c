import type { Test } from 'tap'
import { readListPlace, walkFrom } from '../../src/reading/list.ts'
import { type Case, drive, explore, type Open } from './drive.ts'
import { everyChange } from './model.ts'

/** Walks a list that keeps its order. */
export const openWalk: Open = (options, offset) => walkFrom(options, readListPlace(offset))

/** Tests every way to walk a list of that size while its owner makes up to `most` changes. */
export function testEveryWalk(t: Test, size: number, most: number): void {
  const counts = {}
  for (const config of everyCase(size)) {
    explore(
      (script) => drive(openWalk, config, script),
      ({ failure, isEmpty }) =>
        // Between calls, all that the offset knows may be gone; an emptied list is no end.
        (failure === 'snapshot-changed' && config.pagesPerCall === 1) ||
        (failure === 'upstream-error' && isEmpty),
      everyChange(size),
      most,
      counts,
    )
  }
  t.comment(`a list of ${size}, ${most} changes: ${JSON.stringify(counts)}`)
  t.pass()
}

function everyCase(size: number): Case[] {
  return [2, 3].flatMap((page) => {
    const one = {
      size,
      page,
      inFlight: 1,
      pagesPerCall: Number.POSITIVE_INFINITY,
      isReversed: false,
    }
    return [
      one,
      { ...one, pagesPerCall: 1 },
      { ...one, inFlight: 4 },
      { ...one, inFlight: 4, isReversed: true },
    ]
  })
}
