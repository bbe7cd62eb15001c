import { ConnectorError } from '../errors.ts'
import type { Offset } from './offset.ts'
import type { Chunk, Gap, Reading, Row } from './reading.ts'

/** What the pages of a call have come to so far. */
export type SoFar = {
  offset: Offset | null
  /** How many rows were read. */
  records: number
  /** How many items were left out for want of a key. */
  skipped: number
  pages: number
}

/** What one call read. */
export type Collected = SoFar & {
  hasMore: boolean
  gap?: Gap
  /** Why the read ended before its time; what is there can be kept, and gone on from. */
  interrupted?: ConnectorError
}

/** The same, and the rows as `encode` has written them, page by page. */
export type Written<Part> = Collected & { parts: Part[] }

/**
 * Reads to the end of the call. A retryable failure after the first row does not throw away what
 * was read; any other failure is thrown. Of the rows only what `encode` makes of them is kept.
 */
export async function collect<Part>(
  reading: Reading,
  encode: (records: readonly Row[]) => Part,
): Promise<Written<Part>> {
  const parts: Part[] = []
  const soFar = nothingYet()
  try {
    for (;;) {
      const step = await reading.next()
      if (step.done) return { ...soFar, ...step.value, parts }
      const { records } = step.value
      addPage(soFar, step.value)
      if (records.length > 0) parts.push(encode(records))
    }
  } catch (error) {
    if (!isInterruption(error, soFar.records)) throw error
    return { ...soFar, hasMore: true, parts, interrupted: error }
  }
}

/** Before the first page. */
export function nothingYet(): SoFar {
  return { offset: null, records: 0, skipped: 0, pages: 0 }
}

/** Takes a page's rows into account. */
export function addPage(soFar: SoFar, { records, skipped, offset }: Chunk): void {
  soFar.pages += 1
  soFar.records += records.length
  soFar.skipped += skipped
  soFar.offset = offset
}

/** Whether a failure after so many rows ends a read well, with what was read until then. */
export function isInterruption(error: unknown, records: number): error is ConnectorError {
  return error instanceof ConnectorError && error.retryable && records > 0
}
