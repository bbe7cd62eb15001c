import t from 'tap'
import { type CursorListRead, readAfter, readCursorList } from '../../src/reading/cursor-list.ts'
import { memoryLog } from '../helpers/log.ts'
import { collectRows } from './collect-rows.ts'
import { keys, keysOf, readCalls, toRow } from './in-memory.ts'

type Page = { items: unknown[]; after: string | null; total?: number }

/** What Spotify's answer becomes; `nth` counts the requests from 1. */
type Spoil = (page: Page, nth: number) => Partial<Page>

const emptyPage = { items: [], after: null }
const whole = { offset: null, hasMore: false }

const isText = (value: unknown) => typeof value === 'string'

/** A list whose cursors are the keys of its pages' last items. */
function listOf(items: string[], spoil: Spoil = (page) => page) {
  const asked: (string | null)[] = []
  const getPage = async (after: string | null, size: number) => {
    asked.push(after)
    const start = after === null ? 0 : items.indexOf(after) + 1
    const page = items.slice(start, start + size)
    const last = start + size < items.length ? (page.at(-1) ?? null) : null
    const total = items.length
    return { items: page, after: last, total, ...spoil({ items: page, after: last }, asked.length) }
  }
  const read = (change: Partial<CursorListRead> = {}) =>
    readCursorList(getPage, {
      toRow,
      limit: 50,
      maxPages: 100,
      place: null,
      offsetAt: (place) => place,
      log: memoryLog(),
      ...change,
    })
  return { asked, read }
}

t.test('pages are read behind one cursor after the other, to the end', async (t) => {
  const { asked, read } = listOf(keys(120))
  const got = await collectRows(read())
  t.strictSame(keysOf(got), keys(120))
  t.match(got, { ...whole, skipped: 0, pages: 3 })
  t.strictSame(asked, [null, 'key 49', 'key 99'])
})

t.test('the end is the last cursor: a list that fills its page costs no more', async (t) => {
  const { asked, read } = listOf(keys(100))
  t.match(await collectRows(read({ maxPages: 2 })), { ...whole, pages: 2 })
  t.equal(asked.length, 2)
})

t.test('a cursor behind which there is nothing leads to the end', async (t) => {
  const { asked, read } = listOf(keys(50), (page, nth) => (nth === 1 ? { after: 'key 49' } : page))
  const got = await collectRows(read())
  t.strictSame(keysOf(got), keys(50))
  t.match(got, whole)
  t.strictSame(asked, [null, 'key 49', 'key 49'])
})

t.test('an empty page is asked for again, at the start and in the middle', async (t) => {
  for (const empty of [1, 2]) {
    const { asked, read } = listOf(keys(120), (page, nth) => (nth === empty ? emptyPage : page))
    const got = await collectRows(read())
    t.strictSame(keysOf(got), keys(120))
    t.match(got, whole)
    t.equal(asked.length, 4)
  }
})

t.test('an empty list is read whole in at most three requests', async (t) => {
  const { asked, read } = listOf([])
  t.strictSame(await collectRows(read()), { records: [], ...whole, skipped: 0, pages: 0 })
  t.ok(asked.length <= 3)
})

t.test('an empty page with a cursor is never the end', async (t) => {
  const { asked, read } = listOf(keys(120), (page, nth) => (nth === 1 ? page : { items: [] }))
  const got = await collectRows(read())
  t.strictSame(keysOf(got), keys(50))
  t.match(got, {
    offset: { after: 'key 49' },
    hasMore: true,
    interrupted: { code: 'upstream-error', retryable: true },
  })
  t.equal(asked.length, 5)
})

t.test('many calls give the rows of one', async (t) => {
  for (const maxPages of [1, 2, 3, 4]) {
    const { asked, read } = listOf(keys(13))
    const calls = await readCalls(
      (place) => read({ limit: 3, maxPages, place }),
      null as string | null,
      (offset) => readAfter(offset, isText),
    )
    t.strictSame(calls.flatMap(keysOf), keys(13))
    t.equal(calls.length, Math.ceil(5 / maxPages))
    t.equal(asked.length, 5)
  }
})

t.test('a key that repeats is given once, items without a key are counted', async (t) => {
  const pages: Record<string, Page> = {
    start: { items: ['a', null, 'b'], after: '1' },
    1: { items: [null, null], after: '2' },
    2: { items: ['b', 'c', 'a'], after: null },
  }
  const reading = readCursorList(
    async (after) => ({ total: 5, ...(pages[after ?? 'start'] ?? emptyPage) }),
    {
      toRow,
      limit: 50,
      maxPages: 100,
      place: null,
      offsetAt: (place) => place,
      log: memoryLog(),
    },
  )
  const got = await collectRows(reading)
  t.strictSame(keysOf(got), ['a', 'b', 'c'])
  t.match(got, { ...whole, skipped: 3, pages: 3 })
})

t.test('the same page whatever is asked ends the read, and what was read is kept', async (t) => {
  const first = { items: keys(50), after: 'key 49' }
  const { asked, read } = listOf(keys(120), () => first)
  const got = await collectRows(read())
  t.strictSame(keysOf(got), keys(50))
  t.match(got, {
    offset: { after: 'key 49' },
    hasMore: true,
    interrupted: { code: 'upstream-error', retryable: true, message: /does not move on/ },
  })
  t.equal(asked.length, 2)
  await t.rejects(collectRows(read({ place: 'key 49' })), {
    code: 'upstream-error',
    message: /does not move on/,
  })
  t.equal(asked.length, 3)
})

t.test('a cursor that does not move ends the read, with new items too', async (t) => {
  const { asked, read } = listOf(keys(120), ({ items }, nth) => ({
    items: items.map((item) => `${item} of answer ${nth}`),
    after: 'key 49',
  }))
  t.match(await collectRows(read()), {
    offset: { after: 'key 49' },
    hasMore: true,
    interrupted: { code: 'upstream-error' },
  })
  t.equal(asked.length, 2)
})

t.test('a page of nothing but known keys ends the read, though its cursor moves', async (t) => {
  const { asked, read } = listOf(keys(120), (_, nth) => ({
    items: keys(50).reverse(),
    after: `cursor ${nth}`,
  }))
  t.match(await collectRows(read()), {
    hasMore: true,
    offset: { after: 'cursor 1' },
    interrupted: { code: 'upstream-error' },
  })
  t.equal(asked.length, 2)
})

t.test('a place is the cursor in the offset; without one it is the start', async (t) => {
  t.equal(readAfter({}, isText), null)
  t.equal(readAfter({ after: 'key 49' }, isText), 'key 49')
})

t.test('what is no cursor is an invalid offset', async (t) => {
  for (const place of [{ after: 7 }, { after: null }, { position: 50 }, { after: 'a', more: 1 }]) {
    t.throws(() => readAfter(place, isText), { code: 'invalid-offset' }, JSON.stringify(place))
  }
  t.throws(() => readAfter({ after: 'a' }, (value) => value === 'b'), { code: 'invalid-offset' })
})

t.test('empty pages of no total, in the middle, are no end however often they come', async (t) => {
  const { asked, read } = listOf(keys(120), (page, nth) =>
    nth === 1 ? page : { ...emptyPage, total: 0 },
  )
  t.match(await collectRows(read()), {
    hasMore: true,
    offset: { after: 'key 49' },
    interrupted: { code: 'upstream-error' },
  })
  t.equal(asked.length, 5)
})
