import type { FailureCode } from '../errors.ts'
import type { Sample } from '../schema/sample.ts'

/**
 * How a read ended: `whole` at the table's end, `more` after the pages that were allowed,
 * `interrupted` with a part of the rows and a failure, `failed` without rows to keep (or, as a
 * stream, behind those that are out), `reader-gone` because nobody wants it any more.
 */
export type ReadOutcome = 'whole' | 'more' | 'interrupted' | 'failed' | 'reader-gone'

/** What became of one read of a table. */
export type ReadReport = {
  table: string
  connection: string
  outcome: ReadOutcome
  /** Of the failure; null where there was none. */
  code: FailureCode | null
  rows: number
  /** Pages that gave rows. */
  pages: number
  /** Items without a key, which could not be rows. */
  skipped: number
  /** Values of another type than the schema's, which became null. */
  mistyped: number
  /** How often the list had moved and the place to go on from was found again. */
  seamsFoundAgain: number
  /** Plays may have been lost before this read. */
  hasGap: boolean
  /** How long it waited for the rate gate and between retries. */
  waitMs: number
  durationMs: number
  /** A few of its items and rows, where the observer wanted them. */
  sample: Sample | undefined
}

/** Whoever counts reads. Each that has begun ends exactly once; neither may throw or take long. */
export type ReadObserver = {
  /** Gives the sample that the read is to fill; undefined where nobody wants one. */
  begun(table: string): Sample | undefined
  ended(report: ReadReport): void
}
