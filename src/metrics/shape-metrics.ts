import { isDroppedField, isEmptyColumn } from '../tables/expected-shape.ts'
import type { Maker } from './registry.ts'

const mostNewFields = 50
// What else Spotify may send as a field's name, such as an id, is nothing for a label.
const plainName = /^[a-z][a-z_]{0,39}(\.[a-z][a-z_]{0,39}){0,5}$/

/**
 * Tells of what Spotify sends and the schema lacks, and of columns without a value. As times of the
 * last sighting: a counter of what has never been seen before would begin at 1, and so not increase.
 */
export function shapeMetrics({ gauge }: Maker, nowMs: () => number) {
  const fields = gauge(
    'unknown_field_last_seen_timestamp_seconds',
    'When Spotify last sent a field that the schema lacks, in a sample of the items of a read. expected="true": dropped on purpose. expected="false": new; "other" stands for more than 50 of a table, and for names that are not plain.',
    ['table', 'field', 'expected'],
  )
  const columns = gauge(
    'null_column_last_seen_timestamp_seconds',
    'When a column was last null in every row of a sample of a read of 20 rows or more. expected="true": known, such as popularity for apps in development mode. expected="false": Spotify may have renamed or removed the field.',
    ['table', 'column', 'expected'],
  )
  const newFields = new Map<string, Set<string>>()
  const labelOf = (table: string, field: string): string => {
    const known = newFields.get(table) ?? new Set()
    newFields.set(table, known)
    if (!plainName.test(field)) return 'other'
    if (known.size < mostNewFields) known.add(field)
    return known.has(field) ? field : 'other'
  }
  return (table: string, unknownFields: readonly string[], nullColumns: readonly string[]) => {
    const seconds = nowMs() / 1000
    for (const field of unknownFields) {
      const expected = isDroppedField(table, field)
      const label = expected ? field : labelOf(table, field)
      fields.set({ table, field: label, expected: String(expected) }, seconds)
    }
    for (const column of nullColumns) {
      const expected = isEmptyColumn(table, column)
      columns.set({ table, column, expected: String(expected) }, seconds)
    }
  }
}
