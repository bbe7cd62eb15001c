import type { Offset } from './offset.ts'

/** One row of a table: every field of its schema, in its order. */
export type Row = Record<string, unknown>

/** What an item of Spotify's comes to. `key` tells it from every other row of the table. */
export type Keyed = { key: string; record: Row }

/** How the items of a list become rows, in two steps: most of what overlaps is only identified. */
export type Rows = {
  /**
   * What an item is known by; null for one without a key, which can't be a row. The identity is
   * another one when the same row is saved again.
   */
  identify(item: unknown): { key: string; identity: string } | null
  /** The record of an item that has a key; `place` is its place in Spotify's list, from 0. */
  toRecord(item: unknown, place: number): Row
}

/**
 * Makes a row of an item; null for an item without a key, which can't be a row. `place` is the
 * item's place in Spotify's list, from 0.
 */
export type ToRow = (item: unknown, place: number) => Keyed | null

/** What one page came to. `offset` goes on right behind it; null where nothing is behind it. */
export type Chunk = { records: Row[]; offset: Offset | null; skipped: number }

/** Plays may have been lost between two instants: Unix ms, as strings. */
export type Gap = { after: string; before: string }

/** How a read ended that was not cut short. `offset` is null when a snapshot is whole. */
export type Outcome = { offset: Offset | null; hasMore: boolean; gap?: Gap }

/** A read under way: a chunk for every page, then how it ended. Ends by throwing otherwise. */
export type Reading = AsyncGenerator<Chunk, Outcome, void>

/**
 * The rows of a page's items: those without a key are skipped and counted, those whose key is in
 * `seen` are left out (the first place wins), the others are added to it.
 */
export function freshRows(
  items: readonly unknown[],
  from: number,
  toRow: ToRow,
  seen: Set<string>,
): Pick<Chunk, 'records' | 'skipped'> {
  const records: Row[] = []
  let skipped = 0
  for (const [index, item] of items.entries()) {
    const row = toRow(item, from + index)
    if (row === null) skipped += 1
    else if (!seen.has(row.key)) {
      seen.add(row.key)
      records.push(row.record)
    }
  }
  return { records, skipped }
}
