import type { FastifyRequest } from 'fastify'
import { ConnectorError, type FailureCode } from '../errors.ts'
import { addPage, type Collected, nothingYet } from '../reading/collect.ts'
import type { Reading } from '../reading/reading.ts'
import { note } from '../request-log.ts'
import type { Tally } from '../schema/project.ts'
import type { Sample } from '../schema/sample.ts'
import type { WaitBudget } from '../spotify/wait-budget.ts'
import type { ReadObserver, ReadOutcome } from '../tables/read-report.ts'

type Parts = {
  request: FastifyRequest
  table: string
  connection: string
  budget: WaitBudget
  observer: ReadObserver
  /** A clock that only goes forward, in ms. */
  now?: () => number
}

/**
 * Follows one read from its begin to its end, and tells the end once: to the request's log line and
 * to whoever counts reads.
 */
export class ReadWatch {
  readonly tally: Tally = { mistyped: 0 }
  readonly sample: Sample | undefined
  readonly onSeamFoundAgain = () => {
    this.#seamsFoundAgain += 1
  }
  readonly #parts: Parts
  readonly #now: () => number
  readonly #from: number
  readonly #soFar = nothingYet()
  #seamsFoundAgain = 0
  #hasEnded = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#now = parts.now ?? (() => performance.now())
    this.#from = this.#now()
    this.sample = parts.observer.begun(parts.table)
  }

  /** The same read, counted as its pages come. */
  async *follow(reading: Reading): Reading {
    try {
      for (;;) {
        const step = await reading.next()
        if (step.done) return step.value
        addPage(this.#soFar, step.value)
        yield step.value
      }
    } finally {
      // Whoever lets go of this one lets go of the other, too.
      await reading.return(undefined as never)
    }
  }

  /** It has ended with what was read. */
  ended({ hasMore, interrupted, gap }: Collected): void {
    if (interrupted) {
      const { code, message } = interrupted
      const { request, table } = this.#parts
      request.log.warn({ table, code, detail: message }, 'a read ended before its time')
    }
    const outcome = interrupted ? 'interrupted' : hasMore ? 'more' : 'whole'
    this.#end(outcome, interrupted?.code ?? null, gap !== undefined)
  }

  /** It has failed, and its reader is told so. */
  failed(error: unknown): void {
    this.#end('failed', error instanceof ConnectorError ? error.code : 'internal', false)
  }

  /** Its reader has gone before its end; nothing has gone wrong. */
  readerGone(): void {
    this.#end('reader-gone', null, false)
  }

  #end(outcome: ReadOutcome, code: FailureCode | null, hasGap: boolean): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const { request, table, connection, budget, observer } = this.#parts
    const { mistyped } = this.tally
    const { records: rows, pages, skipped } = this.#soFar
    const waitMs = budget.spentMs
    note(request, {
      rows,
      pages,
      wait_ms: waitMs,
      outcome,
      ...(code !== null && { code }),
      ...(skipped > 0 && { skipped }),
      ...(mistyped > 0 && { mistyped }),
    })
    if (skipped > 0) request.log.warn({ table, skipped }, 'items without a key were left out')
    if (mistyped > 0) request.log.warn({ table, mistyped }, 'values of another type became null')
    observer.ended({
      table,
      connection,
      outcome,
      code,
      rows,
      pages,
      skipped,
      mistyped,
      hasGap,
      waitMs,
      seamsFoundAgain: this.#seamsFoundAgain,
      durationMs: this.#now() - this.#from,
      sample: this.sample,
    })
  }
}
