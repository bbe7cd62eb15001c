import { quote } from '../errors.ts'
import type { Log } from '../log.ts'
import { invalidOffset, type Offset, requireFields } from './offset.ts'
import type { Gap, Reading, ToRow } from './reading.ts'
import { nameOf, pack, type Remembered, unpack } from './recent.ts'
import { type GetPlays, type Play, readWindow } from './window.ts'

const clockSkewMs = 10 * 60_000

/** The checkpoint of the plays, read. */
export type PlaysOffset = {
  /** As it came, to be given back to the letter when there is nothing new. */
  sent: Offset
  /** The newest play that was given, Unix ms; null on a first read. */
  cursorMs: number | null
  /** The plays that are known; null where only a cursor came, the Python connector's. */
  known: Remembered[] | null
}

/** How the plays are to be read. */
export type PlaysRead = {
  /** The key of its rows is the track's. */
  toRow: ToRow
  place: PlaysOffset
  nowMs: number
  log: Log
}

/** Reads a checkpoint. Throws `invalid-offset` for one that is not ours. */
export function readPlaysOffset(sent: Offset): PlaysOffset {
  requireFields(sent, ['cursor', 'recent'])
  const { cursor, recent } = sent
  if (cursor === undefined && recent === undefined) return { sent, cursorMs: null, known: null }
  if (typeof cursor !== 'string' || !/^\d{1,15}$/.test(cursor)) {
    throw invalidOffset(`its cursor is ${quote(cursor)}, not Unix milliseconds in a string`)
  }
  if (recent !== undefined && typeof recent !== 'string')
    throw invalidOffset(`its recent is ${quote(recent)}, not a string`)
  return { sent, cursorMs: Number(cursor), known: recent === undefined ? null : unpack(recent) }
}

/**
 * Reads the window of the last 50 plays and gives those that the checkpoint does not know, oldest
 * first. Whether a play is known is decided by `recent`, never by the cursor: a play that reaches
 * Spotify late, with an old `played_at`, is new all the same. Beyond that memory a play may come
 * twice, and is never missing. The offset moves exactly when there are rows.
 */
export async function* readPlays(getPage: GetPlays, read: PlaysRead): Reading {
  const { place, log } = read
  const { plays, isFull, skipped, failure } = await readWindow(getPage, read.toRow, log)
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
