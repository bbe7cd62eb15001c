import fc from 'fast-check'
import t from 'tap'
import { type ListRead, readList, readListPlace } from '../../src/reading/list.ts'
import type { Place } from '../../src/reading/walk.ts'
import { memoryLog } from '../helpers/log.ts'
import { collectRows } from './collect-rows.ts'
import { keys, keysOf, readCalls } from './in-memory.ts'
import { emptyPage, MemoryList, rows } from './memory-list.ts'

const whole = { offset: null, hasMore: false }

/** A list, and how it is read: page by page, unless said otherwise. */
function listOf(...list: ConstructorParameters<typeof MemoryList>) {
  const memory = new MemoryList(...list)
  const log = memoryLog()
  const read = (change: Partial<ListRead<Place | null>> = {}) =>
    readList(memory.getPage, {
      rows,
      limit: 50,
      maxPages: 100,
      concurrency: 1,
      place: null,
      offsetAt: (place) => place,
      log,
      ...change,
    })
  return { asked: memory.asked, log, read }
}

/** The place in an offset that has been a URL's text meanwhile. */
function placeOf(offset: unknown): Place | null {
  return readListPlace(JSON.parse(JSON.stringify(offset)))
}

t.test('pages are read one behind the other, each from the last item before', async (t) => {
  const { asked, read } = listOf(keys(120))
  const got = await collectRows(read())
  t.strictSame(keysOf(got), keys(120))
  t.match(got, { ...whole, skipped: 0, pages: 3 })
  t.strictSame(asked, ['0+50', '49+50', '98+50'])
})

t.test('a page gives at most as many rows as the limit', async (t) => {
  const { asked, read } = listOf(keys(8))
  const sizes: number[] = []
  for await (const { records } of read({ limit: 3 })) sizes.push(records.length)
  t.strictSame(sizes, [3, 3, 2])
  t.strictSame(asked, ['0+4', '3+4', '6+4'])
})

t.test('a list that fills its last page costs no further request', async (t) => {
  for (const [count, requests] of [
    [50, 1],
    [99, 2],
    [148, 3],
  ] as const) {
    const { asked, read } = listOf(keys(count))
    t.match(await collectRows(read()), whole)
    t.equal(asked.length, requests)
  }
})

t.test('a server that pages by less than asked loses no row, and gives none twice', async (t) => {
  for (const concurrency of [1, 8]) {
    const { asked, read } = listOf(keys(237), { most: 20 })
    t.strictSame(keysOf(await collectRows(read({ concurrency }))), keys(237))
    t.ok(asked.length < 13 + 2 * concurrency)
  }
})

t.test('a page size that changes on the way loses no row', async (t) => {
  const { read } = listOf(keys(237), {
    spoil: ({ items }, nth) => ({ items: items.slice(0, 50 - 7 * (nth % 5)) }),
  })
  t.strictSame(keysOf(await collectRows(read())), keys(237))
})

t.test('an empty first page is asked again before it is believed', async (t) => {
  const { asked, read } = listOf(keys(60), { spoil: (page, nth) => (nth === 1 ? emptyPage : page) })
  const got = await collectRows(read())
  t.strictSame(keysOf(got), keys(60))
  t.match(got, whole)
  t.strictSame(asked, ['0+50', '0+50', '49+50'])
})

t.test('an empty list is read whole in at most three requests', async (t) => {
  const { asked, read } = listOf([])
  t.strictSame(await collectRows(read()), { records: [], ...whole, skipped: 0, pages: 0 })
  t.ok(asked.length <= 3)
})

t.test('an empty first page of a list that counts items is no end', async (t) => {
  const { asked, read } = listOf(keys(60), { spoil: () => ({ items: [], hasNext: false }) })
  await t.rejects(collectRows(read()), { code: 'upstream-error', retryable: true })
  t.equal(asked.length, 4)
})

t.test('an empty page in the middle is asked again', async (t) => {
  for (const empty of [emptyPage, { items: [] }]) {
    const { asked, read } = listOf(keys(237), { spoil: (page, nth) => (nth === 3 ? empty : page) })
    const got = await collectRows(read())
    t.strictSame(keysOf(got), keys(237))
    t.match(got, whole)
    t.strictSame(asked, ['0+50', '49+50', '98+50', '98+50', '147+50', '196+50'])
  }
})

t.test('a middle that stays empty keeps what was read, and the next call fails', async (t) => {
  for (const empty of [emptyPage, { items: [] }]) {
    const { read } = listOf(keys(237), {
      spoil: (page, _, position) => (position >= 49 ? empty : page),
    })
    const got = await collectRows(read())
    t.strictSame(keysOf(got), keys(49))
    t.match(got, {
      offset: { position: 49 },
      hasMore: true,
      interrupted: { code: 'upstream-error', retryable: true },
    })
    const { read: readOn } = listOf(keys(237), { spoil: () => empty })
    await t.rejects(collectRows(readOn({ place: placeOf(got.offset) })), { code: 'upstream-error' })
  }
})

t.test('a next page that total denies is asked for', async (t) => {
  const { read } = listOf(keys(80), { spoil: () => ({ total: 50 }) })
  const got = await collectRows(read())
  t.strictSame(keysOf(got), keys(80))
  t.match(got, whole)
})

t.test('items behind a page without next are read when total counts them', async (t) => {
  const { read } = listOf(keys(120), { spoil: () => ({ hasNext: false }) })
  const got = await collectRows(read())
  t.strictSame(keysOf(got), keys(120))
  t.match(got, whole)
})

t.test('a next, or a total, that leads to nothing is the end, with a warning', async (t) => {
  for (const lie of [{ hasNext: true }, { total: 200 }]) {
    const { asked, log, read } = listOf(keys(80), { spoil: () => lie })
    const got = await collectRows(read())
    t.strictSame(keysOf(got), keys(80))
    t.match(got, whole)
    t.strictSame(asked, ['0+50', '49+50', '79+50', '79+50'])
    t.match(log.of('warn'), [/total or next/])
  }
})

t.test('max_pages ends the call, and the offset goes on right behind it', async (t) => {
  const { read } = listOf(keys(237))
  const got = await collectRows(read({ maxPages: 2 }))
  t.strictSame(keysOf(got), keys(98))
  t.match(got, { offset: { position: 98, total: 237 }, hasMore: true, pages: 2 })
  const rest = await collectRows(read({ place: placeOf(got.offset) }))
  t.strictSame(keysOf(rest), keys(237).slice(98))
  t.match(rest, whole)
})

t.test('a call that ends with the list says so, with no page to spare', async (t) => {
  const { read } = listOf(keys(99))
  t.match(await collectRows(read({ maxPages: 2 })), { ...whole, pages: 2 })
})

t.test('a page that is asked for again is not counted for max_pages', async (t) => {
  const { read } = listOf(keys(99), { spoil: (page, nth) => (nth === 2 ? emptyPage : page) })
  t.match(await collectRows(read({ maxPages: 2 })), { ...whole, pages: 2 })
})

t.test('no page is asked for that max_pages does not allow', async (t) => {
  const { asked, read } = listOf(keys(500))
  t.match(await collectRows(read({ maxPages: 3, concurrency: 8 })), { hasMore: true, pages: 3 })
  t.equal(asked.length, 3)
})

t.test('a key that repeats is given once, at its first place', async (t) => {
  const { read } = listOf(['a', 'b', 'a@2', 'c', 'b@2', 'd'])
  for (const limit of [1, 2, 3, 50]) {
    const got = await collectRows(read({ limit }))
    t.strictSame(got.records, [
      { key: 'a', place: 0 },
      { key: 'b', place: 1 },
      { key: 'c', place: 3 },
      { key: 'd', place: 5 },
    ])
    t.match(got, { ...whole, skipped: 0 })
  }
})

t.test('items without a key are skipped, counted once, and keep their places', async (t) => {
  const { read } = listOf([null, 'a', null, null, 'b', null])
  for (const limit of [1, 2, 3, 50]) {
    const got = await collectRows(read({ limit }))
    t.strictSame(got.records, [
      { key: 'a', place: 1 },
      { key: 'b', place: 4 },
    ])
    t.match(got, { ...whole, skipped: 4 })
  }
})

t.test('a list that begins with nothing but keyless pages is a failure, no place', async (t) => {
  const { asked, read } = listOf([...Array.from({ length: 60 }, () => null), 'a'])
  await t.rejects(collectRows(read()), { code: 'upstream-error', retryable: true })
  t.ok(asked.length <= 4)
})

t.test('places go on counting from call to call', async (t) => {
  const { read } = listOf(keys(5))
  const { offset } = await collectRows(read({ limit: 3, maxPages: 1 }))
  t.strictSame((await collectRows(read({ place: placeOf(offset) }))).records, [
    { key: 'key 3', place: 3 },
    { key: 'key 4', place: 4 },
  ])
})

t.test('every page gives its offset as it comes; the last one has none', async (t) => {
  const { read } = listOf(keys(6))
  const offsets: unknown[] = []
  for await (const { offset } of read({ limit: 2 })) offsets.push(offset)
  t.match(offsets, [{ position: 2 }, { position: 4 }, null])
  t.equal(offsets.length, 3)
})

t.test('nothing is asked for before the first page is wanted, nor beyond it', async (t) => {
  const { asked, read } = listOf(keys(237))
  const reading = read({ concurrency: 8 })
  t.strictSame(asked, [])
  await reading.next()
  t.strictSame(asked, ['0+50'], 'how long the list is, its first page tells')
  await reading.return({ offset: null, hasMore: false })
})

t.test('many calls give the rows of one, whatever the sizes', async (t) => {
  const size = (max: number) => fc.integer({ min: 1, max })
  const items = fc
    .array(fc.boolean(), { maxLength: 60 })
    .map((areRows) => areRows.map((isRow, at) => (isRow ? `key ${at}` : null)))
  const property = fc.asyncProperty(
    fc.record({ items, limit: size(12), most: fc.integer({ min: 2, max: 12 }), maxPages: size(4) }),
    fc.boolean(),
    async ({ items, limit, most, maxPages }, aheadOfTime) => {
      const { read } = listOf(items, { most })
      const concurrency = aheadOfTime ? 5 : 1
      const calls = await readCalls(
        (place) => read({ limit, maxPages, place, concurrency }),
        null as Place | null,
        placeOf,
      ).catch((error: Error & { code?: string }) => error)
      if (calls instanceof Error) {
        // A server that gives less than asked hides what lies behind a run of nulls.
        if (calls.code === 'upstream-error' && longestRun(items) >= most - 1) return
        throw calls
      }
      if (calls.at(-1)?.interrupted && longestRun(items) >= most - 1) return
      same(
        calls.flatMap(keysOf),
        items.filter((item) => item !== null),
      )
      same(
        calls.reduce((sum, { skipped }) => sum + skipped, 0),
        items.filter((item) => item === null).length,
      )
      for (const call of calls.slice(0, -1)) same(call.pages, maxPages)
    },
  )
  await t.resolves(fc.assert(property))
})

t.test('a place is read from the offset; without one it is the start', async (t) => {
  t.equal(readListPlace({}), null)
  const seam = ['AAAAaaaa0000']
  t.match(readListPlace({ position: 49, total: 237, seam }), { position: 49, total: 237 })
})

t.test('a field that is not ours is an invalid offset', async (t) => {
  const place = { position: 1, total: 2, seam: ['AAAAaaaa0000'] }
  for (const offset of [{ ...place, more: 1 }, { after: 'x' }, { ...place, digest: '' }]) {
    t.throws(() => readListPlace(offset), { code: 'invalid-offset', message: /unknown field/ })
  }
})

function longestRun(items: (string | null)[]): number {
  return Math.max(
    ...items
      .map((item) => (item === null ? '-' : ' '))
      .join('')
      .split(' ')
      .map((run) => run.length),
  )
}

function same(found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)]
  if (a !== b) throw new Error(`${a} found, ${b} wanted`)
}
