import t from 'tap'
import { readList, readListPlace } from '../../src/reading/list.ts'
import type { Offset } from '../../src/reading/offset.ts'
import { readSingle } from '../../src/reading/single.ts'
import { long, string, struct } from '../../src/schema/types.ts'
import type { Spotify } from '../../src/spotify/session.ts'
import { defineTable, type Item, type Options, type ReadParts } from '../../src/tables/table.ts'
import { memoryLog } from '../helpers/log.ts'
import { collectRows } from '../reading/collect-rows.ts'

const options: Options = {
  connection: 'default',
  timeRange: 'short_term',
  limit: 2,
  maxPages: 1,
}

const base = {
  name: 'books',
  description: 'Books.',
  ingestionType: 'snapshot',
  primaryKeys: ['id'],
  scopes: ['user-library-read'],
  options: ['limit', 'max_pages'],
  record: struct({ id: string(), pages: long(), place: long() }),
  key: ({ id }: Item) => (typeof id === 'string' ? id : null),
  row: (item: Item, place: number) => ({ ...item, place }),
} as const

/** A Spotify that has these items at every path, and counts what it is asked. */
function spotifyOf(items: unknown[]) {
  const asked: string[] = []
  const spotify: Spotify = {
    list: (path) => async (position, size) => {
      asked.push(path)
      const end = position + size
      return {
        items: items.slice(position, end),
        total: items.length,
        hasNext: end < items.length,
      }
    },
    following: () => Promise.reject(new Error('not asked for')),
    plays: () => Promise.reject(new Error('not asked for')),
    profile: () => Promise.reject(new Error('not asked for')),
  }
  const parts: ReadParts = {
    spotify,
    nowMs: 0,
    log: memoryLog(),
    tally: { mistyped: 0 },
    concurrency: 1,
    mayStartOver: true,
  }
  return { asked, parts }
}

const books = defineTable({
  ...base,
  place: readListPlace,
  read: (spotify, read) => readList(spotify.list('/me/books'), read),
})

t.test('a table is what its definition says; without a cursor field it has none', async (t) => {
  t.equal(books.cursorField, null)
  const { open: _, ...table } = books
  const { key: __, row: ___, ...said } = base
  t.strictSame(table, { ...said, cursorField: null })
})

t.test('rows are projected, with their keys and their places', async (t) => {
  const { parts } = spotifyOf([{ id: 'a', pages: '7', more: 1 }, { id: 'b' }])
  const { records } = await collectRows(books.open(options, {})(parts))
  t.equal(
    JSON.stringify(records),
    '[{"id":"a","pages":7,"place":0},{"id":"b","pages":null,"place":1}]',
  )
})

t.test('items that are no objects, or have no key, are skipped', async (t) => {
  for (const item of [null, 'a', 7, true, [], [{ id: 'a' }], {}, { id: 7 }]) {
    const { parts } = spotifyOf([item, { id: 'b' }])
    const { records, skipped } = await collectRows(books.open(options, {})(parts))
    t.equal(records.length, 1, JSON.stringify(item))
    t.equal(skipped, 1, JSON.stringify(item))
  }
})

t.test('what is no object is no row, whatever the table takes for a key', async (t) => {
  const keyed = defineTable({
    ...base,
    key: () => 'a key',
    place: readListPlace,
    read: (spotify, read) => readList(spotify.list('/me/books'), read),
  })
  for (const item of [null, 'a', 7, []]) {
    const { parts } = spotifyOf([item])
    t.strictSame(
      (await collectRows(keyed.open(options, {})(parts))).records,
      [],
      JSON.stringify(item),
    )
  }
})

t.test('values of another type are counted for whoever reads', async (t) => {
  const { parts } = spotifyOf([
    { id: 'a', pages: 'many' },
    { id: 'b', pages: [] },
  ])
  await collectRows(books.open(options, {})(parts))
  t.equal(parts.tally.mistyped, 2)
})

t.test('an offset names the table and the connection, and goes on there', async (t) => {
  const { parts } = spotifyOf([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  const { offset } = await collectRows(books.open(options, {})(parts))
  t.match(JSON.stringify(offset), /^{"table":"books","connection":"default","position":2,"total":3/)
  const rest = await collectRows(books.open({ ...options, limit: 50 }, offset as Offset)(parts))
  t.strictSame(rest.records, [{ id: 'c', pages: null, place: 2 }])
  t.equal(rest.offset, null)
})

t.test('it names the time range where the table has that option', async (t) => {
  const ranged = defineTable({
    ...base,
    options: ['time_range', 'limit', 'max_pages'],
    place: readListPlace,
    read: (spotify, read) => readList(spotify.list('/me/books'), read),
  })
  const { parts } = spotifyOf([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  const { offset } = await collectRows(ranged.open(options, {})(parts))
  t.match(offset, { time_range: 'short_term' })
  t.throws(() => ranged.open({ ...options, timeRange: 'long_term' }, offset as Offset), {
    code: 'invalid-offset',
  })
})

t.test('an offset is checked when the read is opened', async (t) => {
  const seam = ['Ab-_12345678']
  const own = { table: 'books', connection: 'default', position: 2, total: 3, seam }
  t.doesNotThrow(() => books.open({ ...options, limit: 7, maxPages: 9 }, own))
  for (const offset of [
    { ...own, table: 'films' },
    { ...own, connection: 'another' },
    { ...own, time_range: 'short_term' },
    { ...own, position: -1 },
    { ...own, seam: [] },
    { position: 2, total: 3, seam },
  ]) {
    t.throws(() => books.open(options, offset), { code: 'invalid-offset' }, JSON.stringify(offset))
  }
  t.throws(() => books.open({ ...options, connection: 'another' }, own), { code: 'invalid-offset' })
})

t.test('to open a read asks nobody', async (t) => {
  const { asked, parts } = spotifyOf([{ id: 'a' }])
  const reading = books.open(options, {})(parts)
  t.strictSame(asked, [])
  await collectRows(reading)
  t.strictSame(asked, ['/me/books'])
})

t.test('a checkpoint is bound to nothing', async (t) => {
  const places: Offset[] = []
  const log = defineTable({
    ...base,
    ingestionType: 'cdc',
    cursorField: 'id',
    place: (offset) => places.push(offset),
    read: (_, { toRow }) => readSingle(async () => ({ id: 'a' }), toRow),
  })
  t.equal(log.cursorField, 'id')
  log.open(options, { cursor: '1795176000123' })
  t.strictSame(places, [{ cursor: '1795176000123' }])
})
