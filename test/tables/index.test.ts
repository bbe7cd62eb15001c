import t from 'tap'
import { type SparkField, type SparkType, toSpark } from '../../src/schema/spark.ts'
import { allScopes } from '../../src/spotify/scopes.ts'
import { getTable, tables } from '../../src/tables/index.ts'
import { optionNames } from '../../src/tables/table.ts'
import { contract } from './contract.ts'

const names = tables.map(({ name }) => name)

t.test('every table has a name of its own, in lower case', async (t) => {
  t.equal(new Set(names).size, names.length)
  for (const name of names) t.match(name, /^[a-z][a-z0-9_]*$/)
})

t.test('the tables that pipelines have are there, first and in their order', async (t) => {
  const known = Object.keys(contract)
  t.strictSame(names.slice(0, known.length), known)
})

for (const [name, { schema, metadata }] of Object.entries(contract)) {
  t.test(`${name} has the schema and the keys that its pipelines know`, async (t) => {
    const { record, primaryKeys, ingestionType, cursorField } = getTable(name)
    t.equal(JSON.stringify(toSpark(record)), JSON.stringify(schema), 'to the letter')
    t.strictSame(primaryKeys, metadata.primary_keys)
    t.equal(ingestionType, metadata.ingestion_type)
    t.equal(cursorField, metadata.cursor_field ?? null)
  })
}

for (const table of tables) {
  t.test(`${table.name} says all that a runner has to know`, async (t) => {
    const { fields } = toSpark(table.record)
    t.match(table.description, /^[A-Z].*\.$/, 'a description')

    t.ok(table.primaryKeys.length > 0)
    for (const key of table.primaryKeys) t.type(typeAt(fields, key), 'string', `${key} is a scalar`)

    t.equal(table.cursorField !== null, table.ingestionType === 'cdc', 'a cursor only for cdc')
    if (table.cursorField !== null) {
      t.ok(
        fields.some(({ name }) => name === table.cursorField),
        'a column of the record itself',
      )
    }

    t.strictSame(
      table.options,
      optionNames.filter((name) => table.options.includes(name)),
      'options that there are, each once, in the usual order',
    )

    t.ok(table.scopes.length > 0)
    t.equal(new Set(table.scopes).size, table.scopes.length)
    for (const scope of table.scopes)
      t.ok(
        allScopes.some((known) => known === scope),
        scope,
      )
  })

  t.test(`${table.name} is found by its name`, async (t) => {
    t.equal(getTable(table.name), table)
  })
}

t.test('an unknown table is told, with the names that there are', async (t) => {
  for (const name of ['trakcs', '', 'Tracks', 'constructor', '__proto__']) {
    t.throws(() => getTable(name), {
      code: 'table-not-found',
      message: new RegExp(`"${name}".*${names.join(', ')}`),
      members: { tables: names },
    })
  }
})

/** The type at a dotted path; undefined where there is none. */
function typeAt(fields: SparkField[], path: string): SparkType | undefined {
  const [first, ...rest] = path.split('.')
  const type = fields.find(({ name }) => name === first)?.type
  if (rest.length === 0) return type
  return typeof type === 'object' && 'fields' in type
    ? typeAt(type.fields, rest.join('.'))
    : undefined
}
