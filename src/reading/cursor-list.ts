import { ConnectorError, quote } from '../errors.ts'
import type { Log } from '../log.ts'
import { pageWithItems } from './empty-page.ts'
import { invalidOffset, type Offset, requireFields } from './offset.ts'
import { freshRows, type Reading, type ToRow } from './reading.ts'

/** One page of a list that is paged by cursor; `after` is null at its end; `total` is only a hint. */
type Page = { items: unknown[]; after: string | null; total: number | null }

/** Gets the page behind `after` (null: the first), of at most `size` items. */
type GetPage = (after: string | null, size: number) => Promise<Page>

/** How a cursor list is to be read. */
export type CursorListRead = {
  toRow: ToRow
  /** Items a page. */
  limit: number
  /** Pages for this call. */
  maxPages: number
  /** The cursor to go on behind; null: from the start. */
  place: string | null
  /** The offset that goes on behind a cursor. */
  offsetAt(place: { after: string }): Offset
  log: Log
}

/** The cursor in a list's offset (`{}`: null, the start). Throws `invalid-offset`. */
export function readAfter(
  place: Offset,
  isCursor: (value: unknown) => value is string,
): string | null {
  requireFields(place, ['after'])
  const { after } = place
  if (after === undefined) return null
  if (!isCursor(after)) throw invalidOffset(`its after is ${quote(after)}, not a cursor`)
  return after
}

/**
 * Reads a list behind one cursor after the other. Its end is the cursor's, whatever a total says.
 * It can't stand still: a page that brings nothing new, or the cursor that was sent, throws
 * `upstream-error`.
 */
export async function* readCursorList(getPage: GetPage, read: CursorListRead): Reading {
  const seen = new Set<string>()
  let after = read.place
  for (let pages = 0; pages < read.maxPages; pages++) {
    const from = after
    // Behind the start, a total of 0 contradicts what was read: it is the fault, not the end.
    const couldBeTheEnd = (page: Page) => page.after === null && (from === null || page.total !== 0)
    const page = await pageWithItems(() => getPage(from, read.limit), couldBeTheEnd, read.log)
    if (page === null) return { offset: null, hasMore: false }
    const rows = freshRows(page.items, 0, read.toRow, seen)
    const nothingNew = rows.records.length === 0 && rows.skipped < page.items.length
    if (nothingNew || (from !== null && page.after === from)) throw standsStill()
    after = page.after
    yield { ...rows, offset: after === null ? null : read.offsetAt({ after }) }
    if (after === null) return { offset: null, hasMore: false }
  }
  return { offset: read.offsetAt({ after: after as string }), hasMore: true }
}

function standsStill(): ConnectorError {
  return new ConnectorError(
    'upstream-error',
    'Spotify answers with the same page of the list whatever it is asked for: the list does not move on, so the rest of it can not be read now. Try again later; what was read is not lost.',
  )
}
