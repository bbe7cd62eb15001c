import t from 'tap'
import { ConnectorError } from '../../src/errors.ts'
import type { Offset } from '../../src/reading/offset.ts'
import type { Reading } from '../../src/reading/reading.ts'
import { readLookedAt, readLookedAtPlace } from '../../src/reading/second-look.ts'
import { memoryLog } from '../helpers/log.ts'
import { collectRows } from './collect-rows.ts'
import { keys, keysOf } from './in-memory.ts'
import { emptyPage, MemoryList, rows } from './memory-list.ts'

const whole = { offset: null, hasMore: false }
const changed = { code: 'snapshot-changed', retryable: false, members: { restart: true } }

type Read = {
  maxPages?: number
  concurrency?: number
  offset?: Offset | null
  mayStartOver?: boolean
}

/** One call that reads this list from an offset; a stream may not start over. */
function read(list: Pick<MemoryList, 'getPage'>, call: Read = {}): Reading {
  const { maxPages = 100, concurrency = 1, offset, mayStartOver = true } = call
  return readLookedAt(list.getPage, {
    rows,
    limit: 50,
    maxPages,
    concurrency,
    place: readLookedAtPlace(JSON.parse(JSON.stringify(offset ?? {}))),
    offsetAt: (place) => place,
    log: memoryLog(),
    mayStartOver,
  })
}

function collectFrom(list: Pick<MemoryList, 'getPage'>, call?: Read) {
  return collectRows(read(list, call))
}

/** A list that is computed anew before the requests of these numbers. */
function recomputedAt(items: string[], ...requests: number[]) {
  return new MemoryList(items, {
    before: (nth, { items }) => {
      if (requests.includes(nth)) items.reverse()
    },
  })
}

/** A list of 120, one key of which comes a second time in the looks at its page that `isThere` says. */
function repeating(isThere: (look: number) => boolean) {
  const items = keys(120)
  let looks = 0
  return new MemoryList(items, {
    spoil: (page, _, position) => {
      if (position !== 49) return page
      looks += 1
      return isThere(looks) ? { items: page.items.with(30, 'key 7') } : page
    },
  })
}

t.test('a quiet list costs one request more: the first page is asked for again', async (t) => {
  for (const mayStartOver of [true, false]) {
    for (const concurrency of [1, 8]) {
      const list = new MemoryList(keys(120))
      const got = await collectFrom(list, { mayStartOver, concurrency })
      t.strictSame(
        got.records,
        keys(120).map((key, place) => ({ key, place })),
      )
      t.match(got, { ...whole, skipped: 0 })
      t.strictSame(list.asked, ['0+50', '49+50', '98+50', '0+50'])
    }
  }
})

t.test('one page is one look', async (t) => {
  for (const size of [1, 50]) {
    const list = new MemoryList(keys(size))
    t.match(await collectFrom(list), whole)
    t.equal(list.asked.length, 1)
  }
  t.strictSame(await collectFrom(new MemoryList([])), {
    records: [],
    ...whole,
    skipped: 0,
    pages: 0,
  })
})

t.test('a list that is computed anew while it is read is read anew', async (t) => {
  for (const at of [2, 3, 4]) {
    const list = recomputedAt(keys(120), at)
    const got = await collectFrom(list)
    t.strictSame(keysOf(got), keys(120).reverse(), `before request ${at}`)
    t.match(got, whole)
  }
})

t.test('it starts three times at most, then it has changed', async (t) => {
  const twice = recomputedAt(keys(120), 2, 6)
  t.match(await collectFrom(twice), whole)
  const ever = new MemoryList(keys(120), {
    before: (nth, { items }) => {
      if (nth % 4 === 2) items.reverse()
    },
  })
  await t.rejects(collectFrom(ever), changed)
  t.equal(ever.asked.length, 12)
})

t.test('rows that are out can not be taken back: in a stream it has changed', async (t) => {
  const list = recomputedAt(keys(120), 3)
  const given: unknown[] = []
  const reading = read(list, { mayStartOver: false })
  const readOn = async () => {
    for await (const { records } of reading) given.push(...records)
  }
  await t.rejects(readOn(), changed)
  t.ok(given.length > 0)
})

t.test('a read that may start over gives nothing before its end', async (t) => {
  const list = new MemoryList(keys(120))
  const first = await read(list).next()
  t.match(first, { done: false, value: { offset: null } })
  t.equal(first.value && 'records' in first.value && first.value.records.length, 120)
  t.equal(list.asked.length, 4)
})

t.test('a stream gives every page as it comes', async (t) => {
  const list = new MemoryList(keys(120))
  const reading = read(list, { mayStartOver: false })
  await reading.next()
  t.equal(list.asked.length, 1)
})

t.test('over calls the offset carries the first look, and the last call looks again', async (t) => {
  const list = new MemoryList(keys(120))
  const first = await collectFrom(list, { maxPages: 1 })
  t.match(first, { hasMore: true, offset: { position: 49, look: /^50\./, repeats: [] } })
  const second = await collectFrom(list, { maxPages: 1, offset: first.offset })
  const last = await collectFrom(list, { maxPages: 1, offset: second.offset })
  t.match(last, whole)
  t.strictSame([first, second, last].flatMap(keysOf), keys(120))
  t.equal(list.asked.length, 4)
})

t.test('a list that is computed anew between calls has changed', async (t) => {
  const list = new MemoryList(keys(120))
  const { offset } = await collectFrom(list, { maxPages: 2 })
  list.items.reverse()
  await t.rejects(collectFrom(list, { offset }), changed)
})

t.test('an id that Spotify itself lists twice is a row at its first place', async (t) => {
  const items = keys(120)
  items[100] = 'key 7'
  items[110] = 'key 98'
  for (const mayStartOver of [true, false]) {
    for (const maxPages of [1, 2, 100]) {
      const list = new MemoryList(items)
      const got: unknown[] = []
      let offset: Offset | null = null
      do {
        const call = await collectFrom(list, { mayStartOver, maxPages, offset })
        got.push(...keysOf(call))
        offset = call.offset
      } while (offset)
      t.strictSame(
        got.filter((key) => key !== 'key 7'),
        [...new Set(items)].filter((key) => key !== 'key 7'),
        `${maxPages} pages a call`,
      )
      // A call knows what the last few rows of earlier ones were, not all of them.
      if (maxPages === 100) t.equal(got.filter((key) => key === 'key 7').length, 1)
    }
  }
})

t.test('a key that came twice and does not again was a change', async (t) => {
  const once = repeating((look) => look === 1)
  const got = await collectFrom(once)
  t.strictSame(keysOf(got), keys(120), 'it starts over')
  t.match(got, whole)
  const stream = repeating((look) => look === 1)
  await t.rejects(collectFrom(stream, { mayStartOver: false }), changed)
  const byTurns = repeating((look) => look % 2 === 1)
  await t.rejects(
    collectFrom(byTurns, { mayStartOver: false, maxPages: 2 }).then(({ offset }) =>
      collectFrom(byTurns, { offset }),
    ),
    changed,
  )
})

t.test('a second look that is empty is asked for again', async (t) => {
  for (const mayStartOver of [true, false]) {
    const list = new MemoryList(keys(120), {
      spoil: (page, nth) => (nth === 4 ? emptyPage : page),
    })
    const got = await collectFrom(list, { mayStartOver })
    t.strictSame(keysOf(got), keys(120))
    t.match(got, whole)
    t.equal(list.asked.length, 5)
  }
})

t.test('a zero page behind the end is neither an end nor a change', async (t) => {
  const list = new MemoryList(keys(120), {
    spoil: (page, _, position) => (position >= 120 ? emptyPage : page),
  })
  t.match(await collectFrom(list, { concurrency: 8 }), { ...whole, records: { length: 120 } })
})

t.test('an interrupted second look keeps the rows, and the next call looks again', async (t) => {
  for (const mayStartOver of [true, false]) {
    const list = new MemoryList(keys(120), {
      before: (nth) => {
        if (nth === 4) throw new ConnectorError('rate-limited', 'Come back later.')
      },
    })
    const got = await collectFrom(list, { mayStartOver })
    t.strictSame(keysOf(got), keys(120))
    t.match(got, { hasMore: true, interrupted: { code: 'rate-limited' } })
    const next = await collectFrom(list, { mayStartOver, offset: got.offset })
    t.strictSame(keysOf(next), [])
    t.match(next, whole)
    list.items.reverse()
    await t.rejects(collectFrom(list, { offset: got.offset }), changed)
  }
})

t.test('a read that is interrupted on its way keeps what it held back', async (t) => {
  const list = new MemoryList(keys(120), {
    before: (nth) => {
      if (nth === 3) throw new ConnectorError('rate-limited', 'Come back later.')
    },
  })
  const got = await collectFrom(list)
  t.strictSame(keysOf(got), keys(98))
  t.match(got, { hasMore: true, offset: { position: 98 }, interrupted: { code: 'rate-limited' } })
  const rest = await collectFrom(list, { offset: got.offset })
  t.strictSame(keysOf(rest), keys(120).slice(98))
  t.match(rest, whole)
})

t.test('items without a key are counted once, however often it starts', async (t) => {
  const items = [...keys(60), null, ...keys(120).slice(60)]
  const list = new MemoryList(items, {
    before: (nth, { items }) => {
      if (nth === 3) items.reverse()
    },
  })
  t.match(await collectFrom(list), { ...whole, skipped: 1, records: { length: 120 } })
})

t.test('an offset is a place, a look and its repeats; what is not is invalid', async (t) => {
  const hash = 'Ab-_12345678'
  const offset = { position: 49, total: 120, seam: [hash], look: `50.${hash}`, repeats: [] }
  t.equal(readLookedAtPlace({}), null)
  t.match(readLookedAtPlace(offset), {
    place: { position: 49 },
    look: `50.${hash}`,
    repeats: [],
  })
  t.match(readLookedAtPlace({ ...offset, repeats: [hash] }), { repeats: [hash] })
  for (const wrong of [
    { look: undefined },
    { look: hash },
    { look: `0.${hash}` },
    { look: `51.${hash}` },
    { look: `50.${hash}x` },
    { look: 50 },
    { repeats: undefined },
    { repeats: null },
    { repeats: hash },
    { repeats: [hash.slice(1)] },
    { repeats: [7] },
    { repeats: Array.from({ length: 101 }, () => hash) },
    { seam: undefined },
    { digest: hash },
    { position: 1.5 },
  ]) {
    t.throws(
      () => readLookedAtPlace({ ...offset, ...wrong }),
      { code: 'invalid-offset' },
      JSON.stringify(wrong),
    )
  }
  t.throws(() => readLookedAtPlace({ look: `50.${hash}`, repeats: [] }), { code: 'invalid-offset' })
})
