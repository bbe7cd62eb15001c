import { quote } from '../errors.ts'
import type { Log } from '../log.ts'
import { pageWithItems } from './empty-page.ts'
import { invalidOffset, type Offset, requireFields } from './offset.ts'
import { freshRows, type Reading, type ToRow } from './reading.ts'

const furthest = 10_000_000

/** One page of a list that is paged by position; `total` is what the server says. */
type Page = { items: unknown[]; total: number; hasNext: boolean }

/** Gets the page that begins at `position` (from 0), of at most `size` items. */
type GetPage = (position: number, size: number) => Promise<Page>

/** How a list is to be read. */
export type ListRead = {
  toRow: ToRow
  /** Items a page. */
  limit: number
  /** Pages for this call. */
  maxPages: number
  /** Where to begin, from 0. */
  place: number
  /** The offset that goes on at a place. */
  offsetAt(place: { position: number }): Offset
  log: Log
}

/** The position in a list's offset (`{}`: the start). Throws `invalid-offset`. */
export function readPosition(place: Offset): number {
  requireFields(place, ['position'])
  const { position = 0 } = place
  if (
    !Number.isSafeInteger(position) ||
    (position as number) < 0 ||
    (position as number) > furthest
  ) {
    throw invalidOffset(`its position is ${quote(position)}, not a whole number up to ${furthest}`)
  }
  return position as number
}

/**
 * Reads a list page after page. The step is what a page gave, not what was asked for. The end is
 * where both `next` and `total` say so; where they disagree, the next page is asked for and an
 * empty answer decides. Each key is given once, its first place wins.
 */
export async function* readList(getPage: GetPage, read: ListRead): Reading {
  const seen = new Set<string>()
  let position = read.place
  for (let pages = 0; pages < read.maxPages; pages++) {
    const from = position
    // Behind the start, a total of 0 contradicts what was read: it is the fault, not the end.
    const couldBeTheEnd = ({ total, hasNext }: Page) => !hasNext && (from === 0) === (total === 0)
    const page = await pageWithItems(() => getPage(from, read.limit), couldBeTheEnd, read.log)
    if (page === null) return { offset: null, hasMore: false }
    const rows = freshRows(page.items, from, read.toRow, seen)
    position += page.items.length
    yield { ...rows, offset: read.offsetAt({ position }) }
    if (!page.hasNext && position >= page.total) return { offset: null, hasMore: false }
  }
  return { offset: read.offsetAt({ position }), hasMore: true }
}
