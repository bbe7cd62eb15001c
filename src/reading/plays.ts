import type { Log } from '../log.ts'
import { pageWithItems } from './empty-page.ts'
import { invalidOffset, type Offset, requireFields } from './offset.ts'
import type { Gap, Reading, Row, ToRow } from './reading.ts'
import { nameOf, pack, type Remembered, tagOf, unpack } from './recent.ts'

const windowSize = 50
const clockSkewMs = 10 * 60_000
const latestMs = 2 ** 48 - 1

// Spotify's dates are UTC; one without a zone must not be read in the machine's.
const instant = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?)(Z|[+-]\d{2}:\d{2})?$/

type Page = { items: unknown[]; hasNext: boolean }

/** The checkpoint of the plays, read. */
export type PlaysOffset = {
  /** As it came, to be given back to the letter when there is nothing new. */
  sent: Offset
  /** The newest play that was given, Unix ms; null on a first read. */
  cursorMs: number | null
  /** The plays that are known; null where only a cursor came, the Python connector's. */
  known: Remembered[] | null
}

/** Gets plays, newest first; those before the instant `beforeMs` where one is given. */
type GetPage = (size: number, beforeMs: number | null) => Promise<Page>

/** How the plays are to be read. */
export type PlaysRead = {
  /** The key of its rows is the track's; the record's `played_at` is as Spotify wrote it. */
  toRow: ToRow
  place: PlaysOffset
  nowMs: number
  log: Log
}

type Play = Remembered & { record: Row }

/** What Spotify shows of the history. `failure`: why a page back could not be read. */
type Window = { plays: Play[]; isFull: boolean; skipped: number; failure?: unknown }

/** Reads a checkpoint. Throws `invalid-offset` for one that is not ours. */
export function readPlaysOffset(sent: Offset): PlaysOffset {
  requireFields(sent, ['cursor', 'recent'])
  const { cursor, recent } = sent
  if (cursor === undefined && recent === undefined) return { sent, cursorMs: null, known: null }
  if (typeof cursor !== 'string' || !/^\d{1,15}$/.test(cursor)) {
    throw invalidOffset('its cursor is not Unix milliseconds in a string')
  }
  if (recent !== undefined && typeof recent !== 'string')
    throw invalidOffset('its recent is not a string')
  return { sent, cursorMs: Number(cursor), known: recent === undefined ? null : unpack(recent) }
}

/**
 * Reads the window of the last 50 plays and gives those that the checkpoint does not know, oldest
 * first. Whether a play is known is decided by `recent`, never by the cursor: a play that reaches
 * Spotify late, with an old `played_at`, is new all the same. Beyond that memory a play may come
 * twice, and is never missing. The offset moves exactly when there are rows.
 */
export async function* readPlays(getPage: GetPage, read: PlaysRead): Reading {
  const { place, log } = read
  const { plays, isFull, skipped, failure } = await readWindow(getPage, read)
  const isKnown = knownBy(read)
  const fresh = plays.filter((play) => !isKnown(play))
  if (failure !== undefined && fresh.length === 0) throw failure
  const next = fresh.length === 0 ? place.sent : checkpoint(plays, read)
  yield { records: fresh.map(({ record }) => record), offset: next, skipped }
  // The plays that a failed page back did not show stay unknown, and come with the next call.
  if (failure !== undefined) throw failure
  const gap = isFull && fresh.length === plays.length ? gapBefore(plays, read) : null
  if (gap === null) return { offset: next, hasMore: false }
  log.warn({ gap }, 'none of the last 50 plays is known: plays before them may have been lost')
  return { offset: next, hasMore: false, gap }
}

/**
 * All plays that Spotify shows, oldest first. That is one request, and more only where it gives
 * fewer than asked and says that there is a next page.
 */
async function readWindow(getPage: GetPage, { toRow, log }: PlaysRead): Promise<Window> {
  const plays = new Map<string, Play>()
  let skipped = 0
  let undated = 0
  const add = (items: readonly unknown[]) => {
    const before = plays.size
    for (const [place, item] of items.entries()) {
      const row = toRow(item, place)
      const atMs = row === null ? null : parseInstant(row.record.played_at)
      if (row === null || atMs === null) {
        skipped += 1
        if (row !== null) undated += 1
      } else {
        const name = `${atMs} ${row.key}`
        if (!plays.has(name)) plays.set(name, { atMs, tag: tagOf(row.key), record: row.record })
      }
    }
    return plays.size > before
  }
  const count = () => plays.size + skipped
  const oldestMs = () => Math.min(...[...plays.values()].map(({ atMs }) => atMs))

  let page = await pageWithItems(
    () => getPage(windowSize, null),
    () => true,
    log,
  )
  if (page !== null) add(page.items)
  let goesOn = page?.hasNext ?? false
  let failure: unknown
  while (goesOn && count() < windowSize && plays.size > 0) {
    const fromMs = oldestMs()
    try {
      // A millisecond later than the oldest, for another play of the same instant; where that
      // brings nothing new, the oldest itself.
      page = await getPage(windowSize, fromMs + 1)
      if (!add(page.items)) {
        page = await getPage(windowSize, fromMs)
        if (!add(page.items)) break
      }
      goesOn = page.hasNext
    } catch (error) {
      failure = error
      break
    }
  }
  if (undated > 0) log.warn({ undated }, 'plays without a valid played_at were skipped')
  const oldestFirst = [...plays.values()].reverse().sort((a, b) => a.atMs - b.atMs)
  return { plays: oldestFirst, isFull: count() >= windowSize, skipped, failure }
}

function knownBy({ place: { known, cursorMs }, nowMs, log }: PlaysRead): (play: Play) => boolean {
  if (known !== null) {
    const names = new Set(known.map(nameOf))
    return (play) => names.has(nameOf(play))
  }
  if (cursorMs === null) return () => false
  if (isFromNoPlay(cursorMs, nowMs)) {
    log.warn(
      { cursor: String(cursorMs) },
      'the cursor lies in the future and can not come from a play: all plays that Spotify shows are given',
    )
    return () => false
  }
  return ({ atMs }) => atMs <= cursorMs
}

/** The Python connector makes such cursors west of Greenwich: it reads UTC as local time. */
function isFromNoPlay(cursorMs: number, nowMs: number): boolean {
  return cursorMs > nowMs + clockSkewMs
}

/** The checkpoint behind the plays of a window. Its cursor goes back only from what was none. */
function checkpoint(
  plays: readonly Play[],
  { place: { cursorMs, known }, nowMs }: PlaysRead,
): Offset {
  const newestMs = Math.max(...plays.map(({ atMs }) => atMs))
  const trusted = cursorMs !== null && (known !== null || !isFromNoPlay(cursorMs, nowMs))
  return {
    cursor: String(trusted ? Math.max(cursorMs, newestMs) : newestMs),
    recent: pack(plays, known ?? []),
  }
}

function gapBefore(
  plays: readonly Play[],
  { place: { cursorMs, known }, nowMs }: PlaysRead,
): Gap | null {
  const oldest = plays[0]
  if (cursorMs === null || oldest === undefined) return null
  // A cursor that comes from no play says nothing of what was read; it has been warned of.
  if (known === null && isFromNoPlay(cursorMs, nowMs)) return null
  return { after: String(cursorMs), before: String(oldest.atMs) }
}

/** Unix ms of a date as Spotify writes it, with or without a fraction; null where it is none. */
function parseInstant(playedAt: unknown): number | null {
  const [, time, zone = 'Z'] = (typeof playedAt === 'string' && instant.exec(playedAt)) || []
  const atMs = time === undefined ? Number.NaN : Date.parse(time + zone)
  return atMs >= 0 && atMs <= latestMs ? atMs : null
}
