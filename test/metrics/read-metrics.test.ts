import { Registry } from 'prom-client'
import t from 'tap'
import { readMetrics } from '../../src/metrics/read-metrics.ts'
import { makerOf } from '../../src/metrics/registry.ts'
import type { ReadReport } from '../../src/tables/read-report.ts'
import { parseMetrics } from '../helpers/metrics.ts'

const its = { table: 'recently_played', connection: 'ada' }

/** A read that ended well, but for what is given. */
const report = (parts: Partial<ReadReport> = {}): ReadReport => ({
  ...its,
  ...{ outcome: 'whole', code: null, rows: 3, pages: 1, skipped: 0, mistyped: 0 },
  ...{ seamsFoundAgain: 0, hasGap: false, waitMs: 0, durationMs: 40 },
  sample: undefined,
  ...parts,
})

function start() {
  const registry = new Registry()
  const reads = readMetrics(makerOf(registry), () => 1_000)
  return { reads, look: async () => parseMetrics(await registry.metrics()) }
}

t.test('a read is counted by table, connection, outcome and code', async (t) => {
  const { reads, look } = start()
  reads.begun('recently_played')
  t.equal((await look()).value('reads_running', { table: 'recently_played' }), 1)
  reads.ended(report())
  reads.begun('recently_played')
  reads.ended(report({ outcome: 'interrupted', code: 'rate-limited', rows: 50, waitMs: 20_000 }))
  const { value } = await look()
  t.equal(value('reads_running'), 0)
  t.equal(value('reads_total', { ...its, outcome: 'whole', code: '' }), 1)
  t.equal(value('reads_total', { ...its, outcome: 'interrupted', code: 'rate-limited' }), 1)
  t.equal(value('rows_total', { ...its, outcome: 'whole' }), 3)
  t.equal(value('rows_total', { ...its, outcome: 'interrupted' }), 50)
  t.equal(value('pages_total', its), 2)
  t.equal(value('read_wait_seconds_sum'), 20)
  t.equal(value('read_duration_seconds_sum'), 0.08)
})

t.test('what is seldom is 0 until it happens, so that it increases when it does', async (t) => {
  const { reads, look } = start()
  const seldom = ['gaps_total', 'skipped_items_total', 'mistyped_values_total']
  const names = [...seldom, 'seams_found_again_total']
  reads.ended(report())
  for (const name of names) t.equal((await look()).value(name, its), 0, name)
  reads.ended(report({ hasGap: true, skipped: 2, mistyped: 3, seamsFoundAgain: 4 }))
  const { value } = await look()
  t.strictSame(
    names.map((name) => value(name, its)),
    [1, 2, 3, 4],
  )
})
