import t from 'tap'
import type { Offset } from '../../src/reading/offset.ts'
import { toSpark } from '../../src/schema/spark.ts'
import { type Library, makeLibrary } from '../../src/simulator/library.ts'
import { tables } from '../../src/tables/index.ts'
import { type Table, timeRanges } from '../../src/tables/table.ts'
import { build } from '../helpers/build.ts'
import { faultsOf } from './faults-of.ts'

type Row = Record<string, unknown>
type Query = Record<string, string | number>

const { get, simulator } = await build(t, { simulator: { library: richLibrary() } })

/** A library with items of every kind, of which every column has a value in some row. */
function richLibrary(): Library {
  const library = makeLibrary({ mode: 'extended', tracks: 237, oddities: true })
  // The one column that Spotify fills no more.
  for (const [first] of Object.values(library.topTracks)) {
    if (first) first.preview_url = 'https://p.scdn.co/mp3-preview/simulated'
  }
  return library
}

function read({ name }: Table, query: Query = {}, offset?: Offset) {
  const search = new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)]))
  if (offset) search.set('offset', JSON.stringify(offset))
  return get(`/tables/${name}/read?${search}`)
}

/** Calls until the table has been read to its end; the offset of each goes into the next. */
async function readOn(table: Table, query: Query) {
  const rows: Row[] = []
  let offset: Offset = {}
  for (let calls = 1; calls <= 50; calls++) {
    const { body } = await read(table, query, offset)
    rows.push(...body.records)
    const isSame = JSON.stringify(body.offset) === JSON.stringify(offset)
    const isEnd = table.ingestionType === 'cdc' ? isSame : !body.has_more
    if (isEnd) return { rows, calls }
    offset = body.offset
  }
  throw new Error(`${table.name} does not end within 50 calls`)
}

/** A query for a part of the table, where it can be read in parts. */
function fewOf({ options }: Table): Query {
  return options.includes('max_pages') ? { limit: 10, max_pages: 1 } : { limit: 10 }
}

function valueAt(row: Row, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Row | null)?.[name], row)
}

for (const table of tables) {
  const { name, primaryKeys, options } = table
  const few = fewOf(table)
  const hasPages = options.includes('max_pages') && table.ingestionType === 'snapshot'
  const { body } = await read(table)
  const rows: Row[] = body.records

  t.test(`${name}: every record has the fields of the schema, in order`, async (t) => {
    t.ok(rows.length > 0)
    const schema = toSpark(table.record)
    t.strictSame(
      rows.flatMap((row) => faultsOf(row, schema)),
      [],
    )
  })

  t.test(`${name}: no primary key is null, and no two rows share one`, async (t) => {
    const keys = rows.map((row) => primaryKeys.map((path) => valueAt(row, path)))
    t.ok(keys.flat().every((value) => typeof value === 'string' && value !== ''))
    t.equal(new Set(keys.map((key) => JSON.stringify(key))).size, rows.length)
  })

  t.test(`${name}: every column has a value in some row`, async (t) => {
    const filled = toSpark(table.record).fields.filter(({ name }) =>
      rows.some((row) => row[name] !== null),
    )
    t.strictSame(
      filled.map(({ name }) => name),
      toSpark(table.record).fields.map(({ name }) => name),
    )
  })

  t.test(`${name}: read whole, it says so`, async (t) => {
    t.equal(body.has_more, false)
    if (table.ingestionType === 'snapshot') t.equal(body.offset, null)
    t.notOk('next' in body)
  })

  t.test(`${name}: to read on from each offset ends, and gives the rows of one read`, async (t) => {
    const { rows: all, calls } = await readOn(table, few)
    t.equal(JSON.stringify(all), JSON.stringify(rows))
    t.equal(calls > 1, hasPages || table.ingestionType === 'cdc')
  })

  if (hasPages) {
    t.test(`${name}: from an offset, other pages than before give the rest`, async (t) => {
      const first = (await read(table, few)).body
      t.equal(first.has_more, true)
      for (const query of [{ limit: 7 }, { max_pages: 100 }, {}]) {
        const { records, has_more } = (await read(table, query, first.offset)).body
        t.equal(JSON.stringify([...first.records, ...records]), JSON.stringify(rows))
        t.equal(has_more, false)
      }
    })
  }

  t.test(`${name}: an offset that is not its own is refused, and nobody is asked`, async (t) => {
    const given: Offset | null = (await read(table, few)).body.offset
    const own = given ?? { table: name, connection: 'default', position: 5 }
    const foreign: Record<string, [Query, Offset]> = {
      ...(given === null && { 'an offset at all': [{}, own] }),
      'another connection': [{}, { ...own, connection: 'another' }],
      'a field more': [{}, { ...own, more: 9 }],
      'a time range': [{}, { ...own, time_range: 'weekly' }],
      'no place': [{}, { table: name, connection: 'default' }],
      'no table': [{}, { position: 5 }],
    }
    if (options.includes('time_range')) {
      for (const time_range of timeRanges.filter((range) => range !== own.time_range)) {
        foreign[time_range] = [{ time_range }, own]
      }
    }
    for (const other of tables.filter((other) => other !== table)) {
      // Checkpoints are bound to nothing, so that the Python connector's are good.
      if (other.ingestionType === 'cdc' && table.ingestionType === 'cdc') continue
      const theirs: Offset | null = (await read(other, fewOf(other))).body.offset
      if (theirs) foreign[other.name] = [{}, theirs]
    }
    const asked = simulator.stats.requests.length
    for (const [what, [query, offset]] of Object.entries(foreign)) {
      const { status, body } = await read(table, query, offset)
      t.equal(status, 400, what)
      t.match(body, { code: 'invalid-offset', parameter: 'offset', retryable: false }, what)
    }
    t.equal(simulator.stats.requests.length, asked)
  })
}
