import type { ToRow } from '../../src/reading/reading.ts'
import type { GetPlays } from '../../src/reading/window.ts'

/** A play as these tests have it: its track is the key; null is an item without one. */
export type Item = { played_at: unknown; track: string | null }

/** The row of an item, its fields as they are. */
export const toRow: ToRow = (item) => {
  const play = item as Item | null
  return play === null || play.track === null ? null : { key: play.track, record: { ...play } }
}

/** A play at an instant, Unix ms. */
export function playAt(atMs: number, track = `track at ${atMs}`): Item {
  return { played_at: new Date(atMs).toISOString(), track }
}

/** `count` plays, one every `everyMs`, the newest at `newestMs` and first, as Spotify has them. */
export function playsBefore(newestMs: number, count: number, everyMs = 210_000): Item[] {
  return Array.from({ length: count }, (_, nth) => playAt(newestMs - nth * everyMs))
}

/** How the pages of a history are answered. */
type Answers = {
  /** The most items of a page. */
  most?: number
  /** Throws what the `nth` request fails with, counted from 1. */
  fail?: (nth: number) => void
}

/**
 * Pages of the items as Spotify gives them: `before` excludes its own instant, a full page has a
 * next one even when nothing is left. `asked` are the instants that pages were asked for before.
 */
export function pagesOf(items: readonly unknown[], { most = 50, fail }: Answers = {}) {
  const asked: (number | null)[] = []
  const getPage: GetPlays = async (size, beforeMs) => {
    asked.push(beforeMs)
    fail?.(asked.length)
    const length = Math.min(size, most)
    const page = items.filter((item) => beforeMs === null || instantOf(item) < beforeMs)
    return { items: page.slice(0, length), hasNext: page.length >= length }
  }
  return { getPage, asked }
}

function instantOf(item: unknown): number {
  return Date.parse(String((item as Item | null)?.played_at))
}
