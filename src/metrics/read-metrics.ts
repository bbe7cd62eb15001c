import { emptySample, nullColumns } from '../schema/sample.ts'
import type { ReadObserver } from '../tables/read-report.ts'
import type { Maker } from './registry.ts'
import { shapeMetrics } from './shape-metrics.ts'

const perConnection = ['table', 'connection'] as const

/** Counts reads of tables. `nowMs` is the time of day, for the last sightings. */
export function readMetrics(maker: Maker, nowMs: () => number): ReadObserver {
  const { counter, gauge, histogram } = maker
  const running = gauge('reads_running', 'Reads that are under way, by table.', ['table'])
  const reads = counter(
    'reads_total',
    'Reads that have ended, by table, connection and outcome: whole (at its end), more (there are further pages), interrupted (rows, and a failure), failed, reader-gone. The code is that of the failure.',
    [...perConnection, 'outcome', 'code'],
  )
  const rows = counter('rows_total', 'Rows given, counted when their read ends, by its outcome.', [
    ...perConnection,
    'outcome',
  ])
  const pages = counter('pages_total', 'Pages of Spotify that gave rows.', perConnection)
  const durations = histogram(
    'read_duration_seconds',
    'How long reads took, waits included, by table and outcome.',
    ['table', 'outcome'],
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
  )
  const waits = histogram(
    'read_wait_seconds',
    'How long reads waited for the rate gate and between retries, by table; 0 for those that did not.',
    ['table'],
    [0, 0.5, 1, 5, 10, 20, 60, 300, 600],
  )
  const skipped = counter(
    'skipped_items_total',
    'Items that Spotify sent without any key (no track, neither id nor a real uri). They can not be rows and were left out.',
    perConnection,
  )
  const mistyped = counter(
    'mistyped_values_total',
    'Values of another type than the schema says, which became null: Spotify has changed a type.',
    perConnection,
  )
  const gaps = counter(
    'gaps_total',
    'Reads of the plays that knew none of the last 50: plays before them may be lost. Read more often.',
    perConnection,
  )
  const seams = counter(
    'seams_found_again_total',
    'Pages that did not begin where the page before had ended, because the list had moved: the place was found again and no row is lost.',
    perConnection,
  )
  const shape = shapeMetrics(maker, nowMs)
  return {
    begun(table) {
      running.inc({ table })
      return emptySample()
    },
    ended(report) {
      const { table, connection, outcome, code, sample } = report
      const its = { table, connection }
      running.dec({ table })
      reads.inc({ ...its, outcome, code: code ?? '' })
      rows.inc({ ...its, outcome }, report.rows)
      pages.inc(its, report.pages)
      durations.observe({ table, outcome }, report.durationMs / 1000)
      waits.observe({ table }, report.waitMs / 1000)
      // Also where there is none: a counter that begins at 1 has not increased to Prometheus.
      skipped.inc(its, report.skipped)
      mistyped.inc(its, report.mistyped)
      gaps.inc(its, report.hasGap ? 1 : 0)
      seams.inc(its, report.seamsFoundAgain)
      if (sample) shape(table, [...sample.unknownFields], nullColumns(sample))
    },
  }
}
