import { Registry } from 'prom-client'
import t from 'tap'
import { makerOf } from '../../src/metrics/registry.ts'
import { shapeMetrics } from '../../src/metrics/shape-metrics.ts'
import { parseMetrics } from '../helpers/metrics.ts'

const fieldMetric = 'unknown_field_last_seen_timestamp_seconds'

function start() {
  const registry = new Registry()
  let nowMs = 1_000_000
  const shape = shapeMetrics(makerOf(registry), () => nowMs)
  return {
    look: async () => parseMetrics(await registry.metrics()),
    see: (unknownFields: string[], nullColumns: string[] = [], table = 'tracks') =>
      shape(table, unknownFields, nullColumns),
    pass: (ms: number) => {
      nowMs += ms
    },
  }
}

t.test('a field is known to be dropped or new, with the time of its last sighting', async (t) => {
  const { see, look, pass } = start()
  see(['track.type', 'track.mood'])
  pass(60_000)
  see(['track.mood'])
  const { value } = await look()
  t.equal(value(fieldMetric, { table: 'tracks', field: 'track.type', expected: 'true' }), 1_000)
  t.equal(value(fieldMetric, { table: 'tracks', field: 'track.mood', expected: 'false' }), 1_060)
})

t.test('a column that came all null is known to or not', async (t) => {
  const { see, look } = start()
  see([], ['track.popularity', 'track.name'])
  const { value } = await look()
  const name = 'null_column_last_seen_timestamp_seconds'
  t.equal(value(name, { column: 'track.popularity', expected: 'true' }), 1_000)
  t.equal(value(name, { column: 'track.name', expected: 'false' }), 1_000)
})

t.test('at most 50 new fields of a table have a label of their own', async (t) => {
  const { see, look } = start()
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  const many = Array.from(
    { length: 200 },
    (_, n) => `new_${letters[n % 26]}_${letters[(n / 26) | 0]}`,
  )
  see(many)
  see(['track.type', ...many], [], 'albums')
  const { samples, value } = await look()
  const of = (table: string) => samples.filter(({ labels }) => labels.table === table)
  t.equal(of('tracks').length, 51)
  t.equal(value(fieldMetric, { table: 'tracks', field: 'other' }), 1_000)
  t.equal(of('albums').length, 51, 'each table has 50')
  see(many.slice(0, 50))
  t.equal((await look()).samples.length, samples.length)
})

t.test('a name that may be an id or a key is no label', async (t) => {
  const { see, look } = start()
  see([
    '37i9dQZF1DXcBWIGoYBM5M',
    'track.4uLU6hMCjMI75M1A2tKUQC',
    'a"b\n',
    '',
    'x'.repeat(41),
    'ümlaut',
  ])
  t.strictSame(
    (await look()).samples.map(({ labels }) => labels.field),
    ['other'],
  )
})
