import type { Log } from '../log.ts'
import { pageWithItems } from './empty-page.ts'
import type { Keyed, Row, ToRow } from './reading.ts'
import { type Remembered, tagOf } from './recent.ts'

const windowSize = 50
const latestMs = 2 ** 48 - 1

// Spotify's dates are UTC; one without a zone must not be read in the machine's.
const instant = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?)(Z|[+-]\d{2}:\d{2})?$/

/** A play as a row, and as it is remembered. */
export type Play = Remembered & { record: Row }

/** What Spotify shows of the history. */
export type Window = {
  /** Each once, oldest first. */
  plays: Play[]
  /** It holds as many as Spotify ever shows. */
  isFull: boolean
  skipped: number
  /** Why a page back could not be read: the plays on it are not among `plays`. */
  failure?: unknown
}

type Page = { items: unknown[]; hasNext: boolean }

/** Gets plays, newest first; those before the instant `beforeMs` where one is given. */
export type GetPlays = (size: number, beforeMs: number | null) => Promise<Page>

/**
 * Reads all plays that Spotify shows. That is one request, and more only where it gives fewer than
 * asked and says that there is a next page. Throws what the first request throws.
 */
export async function readWindow(getPage: GetPlays, toRow: ToRow, log: Log): Promise<Window> {
  const plays = new Map<string, Play>()
  // Pages overlap: an item that an earlier page showed is not counted again, skipped ones neither.
  const seen = new Set<string>()
  let shown = 0
  let skipped = 0
  let undated = 0
  let oldestMs = Number.POSITIVE_INFINITY
  const add = (items: readonly unknown[]): boolean => {
    const fresh = items
      .map((item, place) => readItem(item, toRow(item, place)))
      .filter(({ name }) => !seen.has(name))
    shown += fresh.length
    for (const { name, atMs, row } of fresh) {
      seen.add(name)
      // What is no row for want of a track is a place to page back from all the same.
      if (atMs !== null) oldestMs = Math.min(oldestMs, atMs)
      if (row === null || atMs === null) skipped += 1
      else if (!plays.has(name)) {
        plays.set(name, { atMs, tag: tagOf(row.key), record: row.record })
      }
      if (row !== null && atMs === null) undated += 1
    }
    return fresh.length > 0
  }

  let page = await pageWithItems(
    () => getPage(windowSize, null),
    () => true,
    log,
  )
  if (page !== null) add(page.items)
  let goesOn = page?.hasNext ?? false
  let failure: unknown
  while (goesOn && shown < windowSize && oldestMs < Number.POSITIVE_INFINITY) {
    try {
      // A millisecond later than the oldest, for another play of the same instant; where that
      // brings nothing new, the oldest itself.
      const fromMs = oldestMs
      page = await pageWithItems(
        () => getPage(windowSize, fromMs + 1),
        // It has to show the oldest once more, so without any item it is no end.
        () => false,
        log,
      )
      if (page !== null && !add(page.items)) {
        page = await getPage(windowSize, fromMs)
        if (!add(page.items)) break
      }
      goesOn = page?.hasNext ?? false
    } catch (error) {
      failure = error
      break
    }
  }
  if (undated > 0) log.warn({ undated }, 'plays without a valid played_at were skipped')
  const oldestFirst = [...plays.values()].reverse().sort((a, b) => a.atMs - b.atMs)
  return { plays: oldestFirst, isFull: shown >= windowSize, skipped, failure }
}

/** An item with its instant, null where it has none, and a name to know it by on another page. */
function readItem(item: unknown, row: Keyed | null) {
  const atMs = parseInstant((item as Row | null)?.played_at)
  const name = row === null || atMs === null ? JSON.stringify(item) : `${atMs} ${row.key}`
  return { name, atMs, row }
}

/** Unix ms of a date as Spotify writes it, with or without a fraction; null where it is none. */
function parseInstant(playedAt: unknown): number | null {
  const [, time, zone = 'Z'] = (typeof playedAt === 'string' && instant.exec(playedAt)) || []
  const atMs = time === undefined ? Number.NaN : Date.parse(time + zone)
  return atMs >= 0 && atMs <= latestMs ? atMs : null
}
