import fc from 'fast-check'
import t from 'tap'
import { collect } from '../../src/reading/collect.ts'
import { type ListRead, readList, readPosition } from '../../src/reading/list.ts'
import { memoryLog } from '../helpers/log.ts'
import { keys, keysOf, readCalls, toRow } from './in-memory.ts'

type Page = { items: unknown[]; total: number; hasNext: boolean }

/** What Spotify's answer becomes; `nth` counts the requests from 1. */
type Spoil = (page: Page, nth: number, position: number) => Partial<Page>

const emptyPage = { items: [], total: 0, hasNext: false }

/** A list whose pages hold at most `most` items, whatever is asked for. */
function listOf(
  items: unknown[],
  { most = 50, spoil = (page) => page }: { most?: number; spoil?: Spoil } = {},
) {
  const asked: number[] = []
  const getPage = async (position: number, size: number): Promise<Page> => {
    asked.push(position)
    const end = position + Math.min(size, most)
    const page = {
      items: items.slice(position, end),
      total: items.length,
      hasNext: end < items.length,
    }
    return { ...page, ...spoil(page, asked.length, position) }
  }
  const read = (change: Partial<ListRead> = {}) =>
    readList(getPage, {
      toRow,
      limit: 50,
      maxPages: 100,
      place: 0,
      offsetAt: (place) => place,
      log: memoryLog(),
      ...change,
    })
  return { asked, read }
}

const whole = { offset: null, hasMore: false }

t.test('pages are read one behind the other, to the end', async (t) => {
  const { asked, read } = listOf(keys(120))
  const got = await collect(read())
  t.strictSame(keysOf(got), keys(120))
  t.match(got, { ...whole, skipped: 0, pages: 3 })
  t.strictSame(asked, [0, 50, 100])
})

t.test('the page size is the limit', async (t) => {
  const { asked, read } = listOf(keys(7))
  t.strictSame(keysOf(await collect(read({ limit: 3 }))), keys(7))
  t.strictSame(asked, [0, 3, 6])
})

t.test('a list that fills its last page costs no further request', async (t) => {
  for (const count of [50, 100]) {
    const { asked, read } = listOf(keys(count))
    t.match(await collect(read()), whole)
    t.equal(asked.length, count / 50)
  }
})

t.test('a server that pages by less than asked loses no row, and gives none twice', async (t) => {
  const { asked, read } = listOf(keys(237), { most: 20 })
  t.strictSame(keysOf(await collect(read())), keys(237))
  t.equal(asked.length, 12)
})

t.test('a page size that changes on the way loses no row', async (t) => {
  const items = keys(237)
  const { read } = listOf(items, {
    spoil: ({ items }, nth) => ({ items: items.slice(0, 50 - 7 * (nth % 5)) }),
  })
  t.strictSame(keysOf(await collect(read())), items)
})

t.test('an empty first page is asked again before it is believed', async (t) => {
  const { asked, read } = listOf(keys(60), { spoil: (page, nth) => (nth === 1 ? emptyPage : page) })
  const got = await collect(read())
  t.strictSame(keysOf(got), keys(60))
  t.match(got, whole)
  t.strictSame(asked, [0, 0, 50])
})

t.test('an empty list is read whole in at most three requests', async (t) => {
  const { asked, read } = listOf([])
  t.strictSame(await collect(read()), { records: [], ...whole, skipped: 0, pages: 0 })
  t.ok(asked.length <= 3)
})

t.test('an empty first page of a list that counts items is no end', async (t) => {
  const { asked, read } = listOf(keys(60), { spoil: () => ({ items: [], hasNext: false }) })
  await t.rejects(collect(read()), { code: 'upstream-error', retryable: true })
  t.equal(asked.length, 4)
})

t.test('an empty page in the middle is asked again', async (t) => {
  for (const empty of [emptyPage, { items: [] }]) {
    const { asked, read } = listOf(keys(237), {
      spoil: (page, nth) => (nth === 3 ? empty : page),
    })
    const got = await collect(read())
    t.strictSame(keysOf(got), keys(237))
    t.match(got, whole)
    t.strictSame(asked, [0, 50, 100, 100, 150, 200])
  }
})

t.test('a middle that stays empty keeps what was read, and the next call fails', async (t) => {
  for (const empty of [emptyPage, { items: [] }]) {
    const { asked, read } = listOf(keys(237), {
      spoil: (page, _, position) => (position === 100 ? empty : page),
    })
    const got = await collect(read())
    t.strictSame(keysOf(got), keys(100))
    t.match(got, {
      offset: { position: 100 },
      hasMore: true,
      interrupted: { code: 'upstream-error', retryable: true },
    })
    t.strictSame(asked, [0, 50, 100, 100, 100, 100])
    await t.rejects(collect(read({ place: 100 })), { code: 'upstream-error' })
  }
})

t.test('a next page that total denies is asked for', async (t) => {
  const { read } = listOf(keys(80), { spoil: () => ({ total: 50 }) })
  const got = await collect(read())
  t.strictSame(keysOf(got), keys(80))
  t.match(got, whole)
})

t.test('a next that leads to nothing is the end', async (t) => {
  const { asked, read } = listOf(keys(80), {
    spoil: ({ items }) => ({ hasNext: items.length > 0 }),
  })
  const got = await collect(read())
  t.strictSame(keysOf(got), keys(80))
  t.match(got, whole)
  t.strictSame(asked, [0, 50, 80, 80])
})

t.test('items behind a page without next are read when total counts them', async (t) => {
  const { read } = listOf(keys(120), { spoil: () => ({ hasNext: false }) })
  const got = await collect(read())
  t.strictSame(keysOf(got), keys(120))
  t.match(got, whole)
})

t.test('a total that counts too much does not keep the read from its end', async (t) => {
  const { asked, read } = listOf(keys(80), { spoil: () => ({ total: 200 }) })
  const got = await collect(read())
  t.strictSame(keysOf(got), keys(80))
  t.match(got, whole)
  t.strictSame(asked, [0, 50, 80, 80])
})

t.test('max_pages ends the call, and the offset goes on right behind it', async (t) => {
  const { read } = listOf(keys(237))
  const got = await collect(read({ maxPages: 2 }))
  t.strictSame(keysOf(got), keys(100))
  t.match(got, { offset: { position: 100 }, hasMore: true, pages: 2 })
  const rest = await collect(read({ place: readPosition({ position: 100 }) }))
  t.strictSame(keysOf(rest), keys(237).slice(100))
  t.match(rest, whole)
})

t.test('a call that ends with the list says so, with no page to spare', async (t) => {
  const { read } = listOf(keys(100))
  t.match(await collect(read({ maxPages: 2 })), { ...whole, pages: 2 })
})

t.test('a page that is asked for again is not counted for max_pages', async (t) => {
  const { read } = listOf(keys(100), { spoil: (page, nth) => (nth === 2 ? emptyPage : page) })
  t.match(await collect(read({ maxPages: 2 })), { ...whole, pages: 2 })
})

t.test('a key that repeats is given once, at its first place', async (t) => {
  const { read } = listOf(['a', 'b', 'a', 'c', 'b', 'd'])
  const got = await collect(read({ limit: 2 }))
  t.strictSame(got.records, [
    { key: 'a', place: 0 },
    { key: 'b', place: 1 },
    { key: 'c', place: 3 },
    { key: 'd', place: 5 },
  ])
  t.match(got, { ...whole, skipped: 0 })
})

t.test('items without a key are skipped, counted, and keep their places', async (t) => {
  const { read } = listOf([null, 'a', null, null, 'b', null])
  const got = await collect(read({ limit: 2 }))
  t.strictSame(got.records, [
    { key: 'a', place: 1 },
    { key: 'b', place: 4 },
  ])
  t.match(got, { ...whole, skipped: 4, pages: 3 })
})

t.test('places go on counting from call to call', async (t) => {
  const { read } = listOf(keys(5))
  t.strictSame((await collect(read({ place: 3 }))).records, [
    { key: 'key 3', place: 3 },
    { key: 'key 4', place: 4 },
  ])
})

t.test('every page gives its offset as it comes', async (t) => {
  const { read } = listOf(keys(5))
  const offsets: unknown[] = []
  for await (const { offset } of read({ limit: 2 })) offsets.push(offset)
  t.strictSame(offsets, [{ position: 2 }, { position: 4 }, { position: 5 }])
})

t.test('nothing is asked for before the first page is wanted, nor beyond it', async (t) => {
  const { asked, read } = listOf(keys(237))
  const reading = read()
  t.strictSame(asked, [])
  await reading.next()
  t.strictSame(asked, [0])
})

t.test('many calls give the rows of one, whatever the sizes', async (t) => {
  const size = (max: number) => fc.integer({ min: 1, max })
  const items = fc
    .array(fc.boolean(), { maxLength: 60 })
    .map((areRows) => areRows.map((isRow, at) => (isRow ? `key ${at}` : null)))
  const property = fc.asyncProperty(
    fc.record({ items, limit: size(12), most: size(12), maxPages: size(4) }),
    async ({ items, limit, most, maxPages }) => {
      const { asked, read } = listOf(items, { most })
      const calls = await readCalls(
        (place) => read({ limit, maxPages, place }),
        0,
        (offset) => readPosition(JSON.parse(JSON.stringify(offset))),
      )
      const pages = Math.ceil(items.length / Math.min(limit, most))
      same(
        calls.flatMap(keysOf),
        items.filter((item) => item !== null),
      )
      same(
        calls.reduce((sum, { skipped }) => sum + skipped, 0),
        items.filter((item) => item === null).length,
      )
      same(calls.length, Math.max(1, Math.ceil(pages / maxPages)))
      same(asked.length, items.length === 0 ? 2 : pages)
      for (const call of calls.slice(0, -1)) same(call.pages, maxPages)
    },
  )
  await t.resolves(fc.assert(property))
})

t.test('a place is the position in the offset; without one it is the start', async (t) => {
  t.equal(readPosition({}), 0)
  t.equal(readPosition({ position: 0 }), 0)
  t.equal(readPosition({ position: 100 }), 100)
})

t.test('what is no position is an invalid offset', async (t) => {
  for (const position of [-1, 1.5, '100', null, true, [], {}, 1e9, Number.MAX_VALUE]) {
    t.throws(
      () => readPosition({ position }),
      { code: 'invalid-offset' },
      JSON.stringify({ position }),
    )
  }
  t.throws(() => readPosition({ position: 1, more: 1 }), {
    code: 'invalid-offset',
    message: /more/,
  })
  t.throws(() => readPosition({ after: 'x' }), { code: 'invalid-offset' })
})

function same(found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)]
  if (a !== b) throw new Error(`${a} found, ${b} wanted`)
}
