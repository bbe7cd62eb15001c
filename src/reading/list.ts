import type { Log } from '../log.ts'
import { type Offset, requireFields } from './offset.ts'
import { placeFields, readPlace, writePlace } from './place.ts'
import type { Chunk, Reading, Rows } from './reading.ts'
import { type Place, type Step, Walk, type WalkOptions } from './walk.ts'
import { type GetPage, type Pages, walkPages } from './walk-pages.ts'

/** The most items that Spotify gives for one request. Source: Web API, each list's `limit`. */
const largest = 50

/** How a list is to be read. `P` is where it goes on from, read from an offset. */
export type ListRead<P> = {
  rows: Rows
  /** The most rows a page may give. */
  limit: number
  /** Pages for this call. */
  maxPages: number
  /** Pages in flight at once. */
  concurrency: number
  place: P
  /** The offset that goes on at a place. */
  offsetAt(place: Offset): Offset
  log: Log
  /** Called where the list had moved, and the place to go on from was found again. */
  onSeamFoundAgain?(): void
}

/** What says which pages of a list are wanted and takes them, and where another call goes on. */
export type ListPages = Pages & {
  readonly end: 'whole' | 'more' | null
  /** The place, as fields of an offset. */
  place(): Offset
  /** The rows that were held back so far, for a read that fails. */
  heldBack?(): Step | null
}

/** Reads the place in an offset; null: the list's start. Throws `invalid-offset`. */
export function readListPlace(offset: Offset): Place | null {
  requireFields(offset, placeFields)
  return readPlace(offset)
}

/** Reads a list whose rows keep their order. Why nothing is lost or doubled: see walk.ts. */
export function readList(getPage: GetPage, read: ListRead<Place | null>): Reading {
  return readPages(walkFrom(walkOptions(read), read.place), getPage, read)
}

/** A walk from a place, null: the list's start. */
export function walkFrom(options: Omit<WalkOptions, 'from'>, from: Place | null): ListPages {
  const walk = new Walk({ ...options, from })
  return {
    requests: (most) => walk.requests(most),
    take: (page) => walk.take(page),
    place: () => writePlace(walk.place),
    get end() {
      return walk.end
    },
  }
}

/** Reads what `pages` wants, and gives what each page came to. */
export async function* readPages(
  pages: ListPages,
  getPage: GetPage,
  read: ListRead<unknown>,
): Reading {
  const offset = () => (pages.end === 'whole' ? null : read.offsetAt(pages.place()))
  try {
    for await (const step of walkPages(pages, getPage, read.concurrency)) {
      // What gave nothing is no page: where the list begins so, there is no place to go on from yet.
      if (step.given.length + step.skipped > 0) yield toChunk(step, read.rows, offset())
    }
  } catch (error) {
    // A failure does not throw away what was read.
    const step = pages.heldBack?.()
    if (step) yield toChunk(step, read.rows, offset())
    throw error
  }
  return { offset: offset(), hasMore: pages.end === 'more' }
}

/** How a walk over the list is to be made. */
export function walkOptions({
  rows,
  limit,
  maxPages,
  log,
  onSeamFoundAgain,
}: ListRead<unknown>): Omit<WalkOptions, 'from'> {
  return {
    identify: rows.identify,
    limit,
    maxPages,
    largest,
    onOddEnd: () =>
      log.warn({ limit }, 'a list ended where its total or next said that there is more'),
    ...(onSeamFoundAgain && { onSeamFoundAgain }),
  }
}

function toChunk({ given, skipped }: Step, { toRecord }: Rows, offset: Offset | null): Chunk {
  return { records: given.map(({ item, place }) => toRecord(item, place)), skipped, offset }
}
