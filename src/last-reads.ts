import type { FailureCode } from './errors.ts'
import type { ReadOutcome, ReadReport } from './tables/read-report.ts'

// Tables times accounts: far more than anybody has.
const most = 1000

/** The last reads of one table of one connection since the start. Times are Unix ms. */
export type LastRead = {
  table: string
  connection: string
  /** The last that came to its end, or to that of its pages; null: none did. */
  succeeded: { atMs: number; rows: number; outcome: ReadOutcome } | null
  /** The last that failed, with rows or without; null: none did. */
  failed: { atMs: number; code: FailureCode } | null
  /** Whether the very last one failed. */
  isFailing: boolean
}

/** Remembers how the tables were read last. A reader that went away says nothing of a table. */
export class LastReads {
  readonly #reads = new Map<string, LastRead>()
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Takes note of a read that has ended. */
  ended({ table, connection, outcome, code, rows }: ReadReport): void {
    if (outcome === 'reader-gone') return
    const key = JSON.stringify([connection, table])
    const before = this.#reads.get(key)
    const atMs = this.#nowMs()
    const read = {
      table,
      connection,
      isFailing: code !== null,
      succeeded: code === null ? { atMs, rows, outcome } : (before?.succeeded ?? null),
      failed: code === null ? (before?.failed ?? null) : { atMs, code },
    }
    // The one that was read last is the last to be forgotten.
    this.#reads.delete(key)
    this.#reads.set(key, read)
    const [oldest] = this.#reads.keys()
    if (this.#reads.size > most && oldest !== undefined) this.#reads.delete(oldest)
  }

  /** All that were read, by connection and table. */
  all(): LastRead[] {
    return [...this.#reads].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, read]) => read)
  }
}
