import { quote } from '../errors.ts'
import { invalidOffset, type Offset } from './offset.ts'
import type { Carried, Place } from './walk.ts'

/** The fields of an offset that say a walk's place. */
export const placeFields = ['position', 'total', 'seam', 'ahead'] as const

const furthest = 10_000_000
const mostItems = 100
const item = /^[\w-]{12}\*?$/

/** A walk's place as fields of an offset; a `*` behind an item says that it has not been given. */
export function writePlace({ position, total, seam, ahead }: Place): Offset {
  return {
    position,
    total,
    seam: seam.map(write),
    ...(ahead.length > 0 && { ahead: ahead.map(write) }),
  }
}

/**
 * The place in an offset, at most `furthestPosition` items into the list; null where it has none:
 * the list's start. Throws `invalid-offset`.
 */
export function readPlace(
  { position, total, seam, ahead }: Offset,
  furthestPosition = furthest,
): Place | null {
  if ([position, total, seam, ahead].every((field) => field === undefined)) return null
  return {
    position: readCount('position', position, furthestPosition),
    total: readCount('total', total, furthest),
    seam: readItems('seam', seam),
    ahead: ahead === undefined ? [] : readItems('ahead', ahead),
  }
}

function write({ hash, isGiven }: Carried): string {
  return isGiven ? hash : `${hash}*`
}

function readCount(name: string, value: unknown, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most) {
    return value as number
  }
  throw invalidOffset(`its ${name} is ${quote(value)}, not a whole number up to ${most}`)
}

function readItems(name: string, value: unknown): Carried[] {
  const isList = Array.isArray(value) && value.length > 0 && value.length <= mostItems
  if (!isList || !value.every((text) => typeof text === 'string' && item.test(text))) {
    throw invalidOffset(`its ${name} is ${quote(value)}, not a list of items of ours`)
  }
  return value.map((text: string) => ({ hash: text.slice(0, 12), isGiven: text.length === 12 }))
}
