import type { Reading, Row, ToRow } from '../../src/reading/reading.ts'
import { type CollectedRows, collectRows } from './collect-rows.ts'

/** Items are their own keys in these tests; null is an item that can't be a row. */
export const toRow: ToRow = (item, place) =>
  item === null ? null : { key: String(item), record: { key: item, place } }

/** The keys of rows. */
export function keysOf({ records }: { records: Row[] }): unknown[] {
  return records.map(({ key }) => key)
}

/** `count` different keys. */
export function keys(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `key ${at}`)
}

/** Reads a table call after call until it is whole, and gives the calls. */
export async function readCalls<P>(
  read: (place: P) => Reading,
  start: P,
  placeOf: (offset: Row) => P,
): Promise<CollectedRows[]> {
  const calls: CollectedRows[] = []
  let place = start
  for (;;) {
    const call = await collectRows(read(place))
    calls.push(call)
    if (!call.hasMore || call.offset === null) return calls
    place = placeOf(call.offset)
    if (calls.length > 1000) throw new Error('the read does not end')
  }
}
