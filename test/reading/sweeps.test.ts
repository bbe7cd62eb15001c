import t from 'tap'
import { ConnectorError } from '../../src/errors.ts'
import type { Offset } from '../../src/reading/offset.ts'
import { readSwept, readSweptPlace } from '../../src/reading/sweeps.ts'
import { memoryLog } from '../helpers/log.ts'
import { collectRows } from './collect-rows.ts'
import { keys, keysOf } from './in-memory.ts'
import { emptyPage, MemoryList, rows } from './memory-list.ts'

const whole = { offset: null, hasMore: false }
const changed = { code: 'snapshot-changed', retryable: false, members: { restart: true } }

type Read = { maxPages?: number; concurrency?: number; offset?: Offset | null }

/** One call that reads this list from an offset. */
function read(list: Pick<MemoryList, 'getPage'>, call: Read = {}) {
  const { maxPages = 100, concurrency = 1, offset } = call
  return readSwept(list.getPage, {
    rows,
    limit: 50,
    maxPages,
    concurrency,
    place: readSweptPlace(JSON.parse(JSON.stringify(offset ?? {}))),
    offsetAt: (place) => place,
    log: memoryLog(),
  })
}

function collectFrom(list: Pick<MemoryList, 'getPage'>, call?: Read) {
  return collectRows(read(list, call))
}

function drag({ items }: MemoryList, from: number, to: number): void {
  items.splice(to, 0, ...items.splice(from, 1))
}

t.test('a quiet list is verified by a second sweep: exactly twice the requests', async (t) => {
  for (const concurrency of [1, 8]) {
    const list = new MemoryList(keys(300))
    const got = await collectFrom(list, { concurrency })
    t.strictSame(keysOf(got), keys(300))
    t.match(got, { ...whole, pages: 7 })
    t.equal(list.asked.length, 14)
  }
})

t.test('what takes one page needs one request', async (t) => {
  for (const size of [1, 49, 50]) {
    const list = new MemoryList(keys(size))
    t.match(await collectFrom(list), whole)
    t.equal(list.asked.length, 1)
  }
})

t.test('an empty list is looked at twice', async (t) => {
  const list = new MemoryList([])
  t.strictSame(await collectFrom(list), { records: [], ...whole, skipped: 0, pages: 0 })
  t.equal(list.asked.length, 2)
})

t.test('pages that verify are no pages of the call, and give no checkpoint', async (t) => {
  const offsets: unknown[] = []
  for await (const { offset } of read(new MemoryList(keys(120)))) offsets.push(offset)
  t.match(offsets, [{ position: 49 }, { position: 98 }, {}])
  t.equal(offsets.length, 3)
  t.strictSame(Object.keys(offsets[2] as Offset), ['digest'])
})

t.test('a playlist dragged forward behind the reader is found by the next sweep', async (t) => {
  const drags: [number, number][][] = [
    [[220, 60]],
    [
      [220, 60],
      [50, 250],
    ],
    [[299, 0]],
    [[0, 299]],
  ]
  for (const moves of drags) {
    for (const concurrency of [1, 4]) {
      const list = new MemoryList(keys(300), {
        before: (nth, list) => {
          if (nth === 4) for (const [from, to] of moves) drag(list, from, to)
        },
      })
      const got = await collectFrom(list, { concurrency })
      t.strictSame(keysOf(got).toSorted(), keys(300).toSorted(), JSON.stringify(moves))
      t.match(got, whole)
    }
  }
})

t.test('two playlists that change places in front of every sweep are both given', async (t) => {
  // No seam moves, the total stays, and the two sweeps give the same: one less than the total.
  const list = new MemoryList(keys(300), {
    before: (nth, { items }) => {
      if ([4, 8, 11].includes(nth)) {
        const [one, other] = [items[50] as string, items[220] as string]
        items[50] = other
        items[220] = one
      }
    },
  })
  const got = await collectFrom(list)
  t.strictSame(keysOf(got).toSorted(), keys(300).toSorted())
  t.match(got, whole)
})

t.test('a playlist that is put in while the list is swept is given too', async (t) => {
  const list = new MemoryList(keys(300), {
    before: (nth, { items }) => {
      if (nth === 5) items.unshift('new')
    },
  })
  const got = await collectFrom(list)
  t.strictSame(keysOf(got), [...keys(300), 'new'])
  t.match(got, whole)
})

t.test('a list that is dragged about in every sweep has changed, after four', async (t) => {
  const list = new MemoryList(keys(300), {
    before: (nth, list) => {
      if (nth % 7 === 1) drag(list, 220, 60)
    },
  })
  await t.rejects(collectFrom(list), changed)
  t.equal(list.asked.filter((asked) => asked === '0+50').length, 4)
})

t.test('what repeats in every sweep is given once, at its first place', async (t) => {
  const items = keys(120)
  const shifted = new MemoryList(items, {
    // From some place on, every page begins one item too early.
    spoil: (page, _, position) =>
      position < 49 ? page : { items: items.slice(position - 1, position + 49) },
  })
  const got = await collectFrom(shifted)
  t.strictSame(keysOf(got), items)
  t.match(got, whole)
  t.ok(shifted.asked.length <= 4 * 4)
  const twice = new MemoryList([...items.slice(0, 100), 'key 7', ...items.slice(100)])
  const once = await collectFrom(twice)
  t.strictSame(keysOf(once), items)
  t.match(once, whole)
  t.ok(twice.asked.length <= 4 * 3)
})

t.test('a total that counts what is not given is no change', async (t) => {
  const list = new MemoryList(keys(120), { spoil: () => ({ total: 130 }) })
  const got = await collectFrom(list)
  t.strictSame(keysOf(got), keys(120))
  t.match(got, whole)
})

t.test('items without a key are counted once, however often it is swept', async (t) => {
  const got = await collectFrom(new MemoryList([...keys(80), null, ...keys(120).slice(80), null]))
  t.match(got, { ...whole, skipped: 2 })
  t.equal(got.records.length, 120)
})

t.test('an empty page in either sweep is asked for again', async (t) => {
  for (let empty = 1; empty <= 6; empty++) {
    const list = new MemoryList(keys(120), {
      spoil: (page, nth) => (nth === empty ? emptyPage : page),
    })
    const got = await collectFrom(list)
    t.strictSame(keysOf(got), keys(120))
    t.match(got, whole)
  }
})

t.test('over calls, the last one sweeps once more and compares digests', async (t) => {
  const list = new MemoryList(keys(300))
  const first = await collectFrom(list, { maxPages: 3 })
  t.match(first, { hasMore: true, pages: 3, offset: { position: 147, digest: String } })
  const second = await collectFrom(list, { maxPages: 3, offset: first.offset })
  const asked = list.asked.length
  const last = await collectFrom(list, { maxPages: 3, offset: second.offset })
  t.match(last, whole)
  t.strictSame([first, second, last].flatMap(keysOf), keys(300))
  t.equal(list.asked.length - asked, 1 + 7, 'the rest, and all of it once more')
})

t.test('what changes between two calls is a change, wherever it is', async (t) => {
  const changes: Record<string, (list: MemoryList) => void> = {
    'dragged forward over the place': (list) => drag(list, 220, 60),
    'dragged back over the place': (list) => drag(list, 50, 250),
    'dragged there and back': (list) => {
      drag(list, 220, 60)
      drag(list, 50, 250)
    },
    'dragged in what was read': (list) => drag(list, 5, 6),
    'put in at the head': ({ items }) => items.unshift('new'),
    'taken out of what was read': ({ items }) => items.splice(5, 1),
    'one for another': ({ items }) => items.splice(5, 1, 'new'),
  }
  for (const [what, change] of Object.entries(changes)) {
    const list = new MemoryList(keys(300))
    const { offset } = await collectFrom(list, { maxPages: 2 })
    change(list)
    await t.rejects(collectFrom(list, { offset }), changed, what)
  }
})

t.test('what changes behind the place between two calls is read as it is', async (t) => {
  const list = new MemoryList(keys(300))
  const first = await collectFrom(list, { maxPages: 2 })
  drag(list, 250, 200)
  list.items.push('new')
  const rest = await collectFrom(list, { offset: first.offset })
  t.match(rest, whole)
  t.strictSame([first, rest].flatMap(keysOf), list.items)
})

t.test(
  'a sweep that is interrupted while it verifies keeps the rows, and the next call verifies',
  async (t) => {
    for (const failing of [4, 5, 6]) {
      const list = new MemoryList(keys(120), {
        before: (nth) => {
          if (nth === failing) throw new ConnectorError('upstream-timeout', 'Too slow.')
        },
      })
      const got = await collectFrom(list)
      t.strictSame(keysOf(got), keys(120))
      t.match(got, { hasMore: true, interrupted: { code: 'upstream-timeout' } })
      t.strictSame(Object.keys(got.offset ?? {}), ['digest'])
      const asked = list.asked.length
      const next = await collectFrom(list, { offset: got.offset })
      t.strictSame(next, { records: [], ...whole, skipped: 0, pages: 0 })
      t.equal(list.asked.length - asked, 3)
      drag(list, 100, 3)
      await t.rejects(collectFrom(list, { offset: got.offset }), changed)
    }
  },
)

t.test('an offset is a place and a digest; what is not is invalid', async (t) => {
  const place = { position: 49, total: 120, seam: ['Ab-_12345678'] }
  const digest = 'Ab-_12345678'
  t.equal(readSweptPlace({}), null)
  t.strictSame(readSweptPlace({ digest }), { place: null, digest })
  t.match(readSweptPlace({ ...place, digest: '' }), { place: { position: 49 }, digest: '' })
  for (const offset of [
    place,
    { ...place, digest: 7 },
    { ...place, digest: digest.slice(1) },
    { ...place, digest: `${digest}x` },
    { ...place, digest, look: '50.Ab-_12345678' },
    { ...place, position: -1, digest },
    { position: 49, digest },
  ]) {
    t.throws(() => readSweptPlace(offset), { code: 'invalid-offset' }, JSON.stringify(offset))
  }
})
