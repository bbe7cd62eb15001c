import t from 'tap'
import { compileSampler, emptySample, nullColumns } from '../../src/schema/sample.ts'
import { array, long, string, struct } from '../../src/schema/types.ts'

const sampler = compileSampler(
  struct({
    name: string(),
    album: struct({ title: string(), year: long() }),
    artists: array(struct({ name: string(), uri: string() })),
    genres: array(string()),
  }),
)

const whole = {
  name: 'a',
  album: { title: 'b', year: 1 },
  artists: [{ name: 'c', uri: 'd' }],
  genres: ['e'],
}

/** What a read of these rows shows; each item is its own row. */
function look(rows: Record<string, unknown>[]) {
  const sample = emptySample()
  for (const row of rows) sampler.look(sample, row, row)
  return { unknown: [...sample.unknownFields].sort(), nulls: nullColumns(sample) }
}

const repeat = (count: number, row: Record<string, unknown>) => Array(count).fill(row)

t.test('items of the schema are nothing new', async (t) => {
  t.strictSame(look(repeat(30, whole)), { unknown: [], nulls: [] })
})

t.test(
  'fields that the schema lacks are named by their path, without what is in them',
  async (t) => {
    const item = {
      ...{ ...whole, mood: { deep: 1 } },
      album: { ...whole.album, label: null },
      artists: [{ name: 'c', uri: 'd', fame: 3 }],
    }
    t.strictSame(look([item]).unknown, ['album.label', 'artists.fame', 'mood'])
  },
)

t.test('what is no object has no fields', async (t) => {
  t.strictSame(look([{ ...whole, album: 'b', artists: {}, name: { first: 'a' } }]).unknown, [])
  const sample = emptySample()
  for (const item of [null, 'text', 3, []]) sampler.look(sample, item, {})
  t.equal(sample.unknownFields.size, 0)
})

t.test('a column that is null in every row of 20 is told, a struct by its own name', async (t) => {
  const row = { ...whole, name: null, album: null, artists: [{ name: 'c', uri: null }] }
  t.strictSame(look(repeat(20, row)).nulls, ['name', 'album', 'artists.uri'])
  t.strictSame(look(repeat(19, row)).nulls, [], 'of fewer nothing can be told')
})

t.test('one value among the rows looked at clears a column', async (t) => {
  const row = { ...whole, name: null }
  t.strictSame(look([...repeat(19, row), whole]).nulls, [])
  t.strictSame(
    look([...repeat(25, row), whole, ...repeat(4, row)]).nulls,
    [],
    'every 25th is looked at',
  )
})

t.test('an empty list is a value, and what would be in it is none', async (t) => {
  const row = { ...whole, artists: [], genres: [] }
  t.strictSame(look(repeat(20, row)).nulls, ['artists.name', 'artists.uri'])
})

t.test('only a few items are looked into, and of endless names a few are kept', async (t) => {
  const rows = Array.from({ length: 60 }, (_, n) => ({ ...whole, [`field_${n}`]: 1 }))
  t.strictSame(look(rows).unknown, ['field_0', 'field_25', 'field_50'])
  const names = Array.from({ length: 500 }, (_, n) => [`field_${n}`, 1])
  t.equal(look([Object.fromEntries(names)]).unknown.length, 100)
})
