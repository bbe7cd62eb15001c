import { invalidOffset, type Offset } from './offset.ts'
import type { Reading, ToRow } from './reading.ts'

/** Throws `invalid-offset` for every place but the start: a table of one item has no other. */
export function requireStart(place: Offset): void {
  if (Object.keys(place).length > 0)
    throw invalidOffset('this table is one row and never gives an offset')
}

/** Reads a table that is one item. */
export async function* readSingle(get: () => Promise<unknown>, toRow: ToRow): Reading {
  const row = toRow(await get(), 0)
  yield { records: row === null ? [] : [row.record], offset: null, skipped: row === null ? 1 : 0 }
  return { offset: null, hasMore: false }
}
