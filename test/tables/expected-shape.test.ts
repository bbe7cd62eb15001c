import t from 'tap'
import type { SparkType } from '../../src/schema/spark.ts'
import { toSpark } from '../../src/schema/spark.ts'
import {
  droppedFields,
  emptyColumns,
  isDroppedField,
  isEmptyColumn,
} from '../../src/tables/expected-shape.ts'
import { tables } from '../../src/tables/index.ts'

/** The dotted paths of every column of a type, those of lists' elements among them. */
function pathsOf(type: SparkType, prefix = ''): string[] {
  if (typeof type === 'string') return []
  if (type.type === 'array') return pathsOf(type.elementType, prefix)
  return type.fields.flatMap(({ name, type: its }) => [
    prefix + name,
    ...pathsOf(its, `${prefix}${name}.`),
  ])
}

for (const { name, record } of tables) {
  t.test(`${name}: what is expected to be null is a column, what is dropped is none`, async (t) => {
    const columns = pathsOf(toSpark(record))
    for (const column of emptyColumns[name] ?? []) t.ok(columns.includes(column), column)
    t.ok(droppedFields[name])
    for (const field of droppedFields[name] ?? []) {
      t.notOk(columns.includes(field), field)
      const parent = field.split('.').slice(0, -1).join('.')
      t.ok(parent === '' || columns.includes(parent), `${field}: in what is a column`)
    }
  })
}

t.test('what is on a list is expected, in its own table', async (t) => {
  t.ok(isDroppedField('tracks', 'track.available_markets'))
  t.notOk(isDroppedField('albums', 'track.available_markets'))
  t.notOk(isDroppedField('no table', 'type'))
  t.ok(isEmptyColumn('artists', 'popularity'))
  t.notOk(isEmptyColumn('user_profile', 'popularity'))
})
