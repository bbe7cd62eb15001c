import { ConnectorError } from '../errors.ts'
import type { Offset } from './offset.ts'
import type { Gap, Reading, Row } from './reading.ts'

/** What one call read, whole. */
export type Collected = {
  records: Row[]
  offset: Offset | null
  hasMore: boolean
  /** Items without a key that were left out. */
  skipped: number
  pages: number
  gap?: Gap
  /** Why the read ended before its time; what is there can be kept, and gone on from. */
  interrupted?: ConnectorError
}

/**
 * Reads to the end of the call. A retryable failure after the first page does not throw away what
 * was read; any other failure is thrown.
 */
export async function collect(reading: Reading): Promise<Collected> {
  const records: Row[] = []
  let offset: Offset | null = null
  let skipped = 0
  let pages = 0
  try {
    for (;;) {
      const step = await reading.next()
      if (step.done) return { ...step.value, records, skipped, pages }
      pages += 1
      skipped += step.value.skipped
      offset = step.value.offset
      for (const record of step.value.records) records.push(record)
    }
  } catch (error) {
    if (!(error instanceof ConnectorError && error.retryable && pages > 0)) throw error
    return { records, offset, hasMore: true, skipped, pages, interrupted: error }
  }
}
