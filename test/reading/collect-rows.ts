import { type Collected, collect } from '../../src/reading/collect.ts'
import type { Reading, Row } from '../../src/reading/reading.ts'

/** What one call read, with its rows where `collect` has their count. */
export type CollectedRows = Omit<Collected, 'records'> & { records: Row[] }

/** Reads to the end of the call, and keeps the rows. */
export async function collectRows(reading: Reading): Promise<CollectedRows> {
  const rows: Row[] = []
  const {
    parts: _,
    records,
    ...read
  } = await collect(reading, (page) => {
    rows.push(...page)
    return JSON.stringify(page)
  })
  if (records !== rows.length) throw new Error(`${records} rows counted, ${rows.length} read`)
  return { ...read, records: rows }
}
