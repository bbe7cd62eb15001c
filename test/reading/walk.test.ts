import t from 'tap'
import { Walk } from '../../src/reading/walk.ts'
import { drive } from './drive.ts'
import { keys } from './in-memory.ts'
import { emptyPage, identify, MemoryList } from './memory-list.ts'
import { takeWalk } from './take-walk.ts'
import { openWalk } from './walk-exhaustive.ts'

/** `a`, `b`, `c`, … */
const letters = (text: string) => [...text]

/** A list whose owner changes it once, before the request of that number. */
function changedAt(request: number, text: string, change: (items: (string | null)[]) => void) {
  return new MemoryList(letters(text), {
    before: (nth, { items }) => {
      if (nth === request) change(items)
    },
  })
}

const whole = { end: 'whole', failure: undefined }

t.test('the last item of a page is held back, and the next page begins with it', async (t) => {
  const list = new MemoryList(letters('abcdefgh'))
  const got = takeWalk(list)
  t.strictSame(got.pages, [letters('abc'), letters('def'), letters('gh')])
  t.strictSame(list.asked, ['0+4', '3+4', '6+4'])
  t.match(got, { ...whole, oddEnds: 0 })
})

t.test('the last item of the list is not held back', async (t) => {
  t.strictSame(takeWalk(new MemoryList(letters('abcd'))).pages, [letters('abc'), ['d']])
  t.strictSame(takeWalk(new MemoryList(letters('abc'))).pages, [letters('abc')])
  t.strictSame(takeWalk(new MemoryList(['a'])).pages, [['a']])
})

t.test('no page gives more than the limit, the one at the end neither', async (t) => {
  for (let size = 1; size <= 20; size++) {
    for (let limit = 1; limit <= 6; limit++) {
      const { keys: given, pages, end } = takeWalk(new MemoryList(keys(size)), { limit })
      t.strictSame(given, keys(size))
      t.ok(pages.every(({ length }) => length <= limit))
      t.equal(end, 'whole')
    }
  }
})

t.test('with a limit of one, every row comes on a page of its own', async (t) => {
  const list = new MemoryList(letters('abcd'))
  const got = takeWalk(list, { limit: 1 })
  t.strictSame(got.pages, [['a'], ['b'], ['c'], ['d']])
  t.match(got, whole)
  t.match(
    takeWalk(
      changedAt(3, 'abcd', (items) => items.shift()),
      { limit: 1 },
    ),
    {
      keys: letters('abcd'),
      ...whole,
    },
  )
})

t.test('a page asks for no more than the server gives, then it holds one row less', async (t) => {
  const list = new MemoryList(keys(9))
  t.strictSame(
    takeWalk(list, { limit: 5, largest: 5 }).pages.map(({ length }) => length),
    [4, 5],
  )
  t.strictSame(list.asked, ['0+5', '4+5'])
})

t.test('an item that is put in before the place moves no row away', async (t) => {
  const list = changedAt(2, 'abcdefgh', (items) => items.unshift('new'))
  const got = takeWalk(list)
  t.strictSame(got.keys, letters('abcdefgh'))
  t.match(got, whole)
})

t.test('an item that is taken out before the place loses no row', async (t) => {
  const list = changedAt(2, 'abcdefgh', (items) => items.shift())
  const got = takeWalk(list)
  t.strictSame(got.keys, letters('abcdefgh'))
  t.match(got, whole)
})

t.test('at the edge of a page, changes lose and double nothing', async (t) => {
  for (const at of [2, 3, 4]) {
    const inserted = takeWalk(changedAt(2, 'abcdefgh', (items) => items.splice(at, 0, 'new')))
    const seen = at > 3 ? ['d', 'new'] : ['d']
    t.strictSame(inserted.keys, [...letters('abc'), ...seen, ...letters('efgh')], `put in at ${at}`)
    const removed = takeWalk(changedAt(2, 'abcdefgh', (items) => items.splice(at, 1)))
    const gone = letters('abcdefgh')[at] as string
    const given = at === 2 ? 'abcdefgh' : 'abcdefgh'.replace(gone, '')
    t.strictSame(removed.keys, letters(given), `taken out at ${at}`)
    t.match(removed, whole)
  }
})

t.test('more changes than a page holds lose and double nothing', async (t) => {
  for (const count of [4, 5, 9, 60, 130]) {
    const fresh = Array.from({ length: count }, (_, nth) => `new ${nth}`)
    const inserted = takeWalk(changedAt(3, 'abcdefghijkl', (items) => items.unshift(...fresh)))
    t.strictSame(inserted.keys, letters('abcdefghijkl'), `${count} put in`)
    t.match(inserted, whole)
  }
  const list = new MemoryList(keys(300), {
    before: (nth, { items }) => {
      if (nth === 60) items.splice(0, 150)
    },
  })
  t.strictSame(takeWalk(list).keys, keys(300))
})

t.test('where the seam itself is gone, the last item before it that is left is one', async (t) => {
  for (const gone of ['d', 'cd', 'bcd']) {
    const list = changedAt(2, 'abcdefgh', (items) => {
      items.splice(items.indexOf('d') - gone.length + 1, gone.length)
    })
    const got = takeWalk(list)
    t.strictSame(got.keys, letters('abcefgh'), gone)
    t.match(got, whole)
  }
})

t.test('where all that was known is gone, one call begins again and loses nothing', async (t) => {
  const list = changedAt(2, 'abcdefgh', (items) => items.splice(0, 4, 'x', 'y'))
  const got = takeWalk(list)
  t.strictSame(got.keys, ['a', 'b', 'c', 'x', 'y', ...letters('efgh')])
  t.match(got, whole)
})

t.test('where all that an offset knows is gone, the snapshot has changed', async (t) => {
  const { place } = takeWalk(new MemoryList(letters('abcdefgh')), { maxPages: 1 })
  const { failure, keys } = takeWalk(new MemoryList(letters('efgh')), { from: place })
  t.match({ failure, keys }, { failure: 'snapshot-changed', keys: [] })
})

t.test('one of the last few that an offset knows is enough', async (t) => {
  const { place } = takeWalk(new MemoryList(keys(40)), { limit: 10, maxPages: 2 })
  for (const kept of [16, 17, 18, 19, 20]) {
    const left = keys(40).filter((_, at) => at === kept || at > 20)
    const got = takeWalk(new MemoryList(left), { from: place })
    t.strictSame(got.keys, keys(40).slice(kept === 20 ? 20 : 21), `only ${kept} is left`)
    t.match(got, whole)
  }
})

t.test('an item without a key is never a seam, and no tear', async (t) => {
  const items = ['a', 'b', 'c', null, 'd', 'e', null, null, 'f', null]
  for (const limit of [2, 3, 4, 5, 50]) {
    const list = new MemoryList(items)
    const got = takeWalk(list, { limit })
    t.strictSame(got.keys, letters('abcdef'))
    t.match(got, { ...whole, skipped: 4, oddEnds: 0 })
    t.ok(got.steps.every(({ isExact }) => isExact))
  }
  const list = new MemoryList(items)
  takeWalk(list)
  t.equal(list.asked[1], '2+4', 'the last item that has a key is the seam')
})

t.test('a local file is a seam like any other', async (t) => {
  const local = 'spotify:local:artist:album:title:213'
  const list = changedAt(2, 'abc', (items) => items.unshift('new'))
  list.items.push(local, 'd', 'e')
  t.strictSame(takeWalk(list).keys, ['a', 'b', 'c', local, 'd', 'e'])
})

t.test('what is saved again is another item: it is no seam, and given once', async (t) => {
  for (const again of ['a', 'c', 'd', 'e', 'h']) {
    const list = changedAt(2, 'abcdefgh', (items) => {
      items.splice(items.indexOf(again), 1)
      items.unshift(`${again}@2`)
    })
    const { keys, end } = takeWalk(list)
    const lasting = letters('abcdefgh').filter((key) => key !== again)
    t.strictSame(
      keys.filter((key) => key !== again),
      lasting,
      again,
    )
    t.equal(new Set(keys).size, keys.length, again)
    t.equal(end, 'whole')
  }
})

t.test('pages that are shorter than asked for are gone on from where they end', async (t) => {
  const list = new MemoryList(keys(100), { most: 20 })
  const got = takeWalk(list, { limit: 50 })
  t.strictSame(got.keys, keys(100))
  t.strictSame(list.asked, ['0+50', '19+20', '38+20', '57+20', '76+20', '95+20'])
  t.match(got, { ...whole, oddEnds: 0 })
})

t.test('pages in flight are planned again where the server gives less', async (t) => {
  const walk = new Walk({
    identify,
    limit: 50,
    maxPages: 100,
    largest: 50,
    from: null,
  })
  const list = new MemoryList(keys(200), { most: 20 })
  const positions = () => walk.requests(3).map(({ position }) => position)
  t.strictSame(positions(), [0], 'nothing is planned before the size of the list is known')
  walk.take(list.look({ position: 0, size: 50 }))
  t.strictSame(positions(), [19, 38, 57])
})

t.test('pages in flight never reach behind the total, nor beyond max_pages', async (t) => {
  const list = new MemoryList(keys(100))
  const walk = new Walk({ identify, limit: 9, maxPages: 4, largest: 50, from: null })
  walk.take(list.look({ position: 0, size: 10 }))
  t.strictSame(walk.requests(8), [
    { position: 9, size: 10 },
    { position: 18, size: 10 },
    { position: 27, size: 10 },
  ])
  const short = new MemoryList(keys(25))
  const rest = new Walk({ identify, limit: 9, maxPages: 100, largest: 50, from: null })
  rest.take(short.look({ position: 0, size: 10 }))
  t.strictSame(
    rest.requests(8).map(({ position }) => position),
    [9, 18],
  )
})

t.test('where next or total says that there is more, it is asked for, twice in vain', async (t) => {
  for (const lie of [{ hasNext: true }, { total: 200 }, { hasNext: true, total: 200 }]) {
    const list = new MemoryList(letters('abcde'), { spoil: () => lie })
    const got = takeWalk(list)
    t.strictSame(got.keys, letters('abcde'))
    t.match(got, { ...whole, oddEnds: 1 })
    t.ok(list.asked.slice(-2).every((asked) => asked.startsWith('4+')))
  }
})

t.test('where next or total denies what is there, it is read all the same', async (t) => {
  for (const lie of [{ hasNext: false }, { total: 0 }, { total: 4 }]) {
    const list = new MemoryList(letters('abcdefghi'), { spoil: () => lie })
    const got = takeWalk(list)
    t.strictSame(got.keys, letters('abcdefghi'), JSON.stringify(lie))
    t.match(got, whole)
  }
})

t.test('keyless items that a short page ends with are not taken for the end', async (t) => {
  const list = new MemoryList(['a', null, 'b', 'c'], { most: 2 })
  const got = takeWalk(list, { limit: 1 })
  t.equal(got.failure, 'upstream-error')
  t.not(got.end, 'whole')
})

t.test('one empty page is asked for again, wherever it comes', async (t) => {
  for (const empty of [1, 2, 3, 4]) {
    for (const page of [emptyPage, { items: [] }, { items: [], hasNext: false }]) {
      const list = new MemoryList(letters('abcdefghijkl'), {
        spoil: (answer, nth) => (nth === empty ? page : answer),
      })
      const got = takeWalk(list)
      t.strictSame(got.keys, letters('abcdefghijkl'))
      t.match(got, { ...whole, oddEnds: 0 })
      t.equal(list.asked[empty - 1], list.asked[empty])
      t.equal(list.asked.length, 5)
    }
  }
})

t.test('pages that stay empty in the middle are never the end', async (t) => {
  for (const page of [emptyPage, { items: [] }]) {
    const list = new MemoryList(letters('abcdefgh'), {
      spoil: (answer, _, position) => (position > 0 ? page : answer),
    })
    const got = takeWalk(list)
    // The search finds the seam from the list's start on.
    t.ok(got.failure === 'upstream-error' || got.keys.join('') === 'abcdefgh')
    const dead = new MemoryList(letters('abcdefgh'), {
      spoil: (answer, nth) => (nth > 1 ? page : answer),
    })
    const { keys, failure } = takeWalk(dead)
    t.match({ keys, failure }, { keys: letters('abc'), failure: 'upstream-error' })
    t.ok(dead.asked.length < 10)
  }
})

t.test('an empty first page is the end only when a second one says the same', async (t) => {
  const list = new MemoryList([])
  t.match(takeWalk(list), { keys: [], ...whole })
  t.equal(list.asked.length, 2)
  for (const doubt of [{ total: 3 }, { hasNext: true }]) {
    const doubtful = new MemoryList([], { spoil: () => doubt })
    t.equal(takeWalk(doubtful).failure, 'upstream-error')
    t.equal(doubtful.asked.length, 4)
  }
})

t.test(
  'a page of nothing but keyless items is looked over, as far as a page reaches',
  async (t) => {
    const nulls = (count: number) => Array.from({ length: count }, () => null)
    for (const count of [3, 4, 7, 20, 48]) {
      const list = new MemoryList([...letters('abc'), ...nulls(count), ...letters('defgh')])
      const got = takeWalk(list)
      t.strictSame(got.keys, letters('abcdefgh'), `${count} keyless`)
      t.match(got, { ...whole, skipped: count })
    }
    const far = new MemoryList([...letters('abc'), ...nulls(60), ...letters('defgh')])
    const got = takeWalk(far)
    t.match(got, { failure: 'upstream-error', keys: letters('ab') })
    t.ok(far.asked.length < 25)
  },
)

t.test('keyless items at the start are looked over, and a list of them is whole', async (t) => {
  const nulls = (count: number) => Array.from({ length: count }, () => null)
  for (const count of [1, 4, 20, 49]) {
    const got = takeWalk(new MemoryList([...nulls(count), 'a', 'b']))
    t.match(got, { ...whole, keys: ['a', 'b'], skipped: count })
    const none = takeWalk(new MemoryList(nulls(count)))
    t.match(none, { ...whole, keys: [], skipped: count })
  }
  t.equal(takeWalk(new MemoryList(nulls(60))).failure, 'upstream-error')
})

t.test('a server that shows the same page for ever is given up', async (t) => {
  const list = new MemoryList([], {
    spoil: () => ({ items: letters('abcd'), total: 40, hasNext: true }),
  })
  const got = takeWalk(list)
  t.match(got, { failure: 'upstream-error', keys: letters('abc') })
  t.ok(list.asked.length <= 10)
})

t.test('a server that goes back and forth between two pages for ever is given up', async (t) => {
  const pages = [letters('abcd'), letters('defg')]
  const list = new MemoryList([], {
    spoil: (_, nth) => ({ items: pages[(nth + 1) % 2] ?? [], total: 40, hasNext: true }),
  })
  const got = takeWalk(list)
  t.match(got, { failure: 'upstream-error', keys: letters('abcdef') })
  t.ok(list.asked.length <= 12)
})

t.test('what was looked at before the list moved brings no read to a standstill', async (t) => {
  // The list moves under the pages in flight, again and again; each of them leads back.
  const given = drive(
    openWalk,
    { size: 5, page: 2, inFlight: 4, isReversed: true, pagesPerCall: Number.POSITIVE_INFINITY },
    [
      [1, { kind: 'remove', at: 2 }],
      [3, { kind: 'insert', at: 0 }],
      [5, { kind: 'save again', at: 3 }],
    ],
  )
  t.match(given, { failure: null, lost: [], doubled: [] })
})

t.test(
  'a page that was searched for proves no end: the last one begins with its seam',
  async (t) => {
    const list = changedAt(3, 'abcdefgh', (items) => items.unshift('new'))
    const got = takeWalk(list)
    t.match(got, { ...whole, keys: letters('abcdefgh') })
    t.strictSame(
      got.steps.map(({ isExact }) => isExact),
      [true, true, false, true],
    )
    t.strictSame(list.asked, ['0+4', '3+4', '6+4', '8+4'])
  },
)

t.test('keyless items that come before a known one again are not counted again', async (t) => {
  const list = new MemoryList(['a', 'b', null, 'c', 'd', 'e', 'f'], {
    before: (nth, { items }) => {
      if (nth === 2) items.unshift('x', 'y')
    },
  })
  t.match(takeWalk(list), { ...whole, keys: letters('abcdef'), skipped: 1 })
})

t.test('another call goes on at the place, and knows what lies ahead of it', async (t) => {
  // So much is put in behind `c` that its page does not reach to what was read behind it, and as
  // much is taken out at the end that the total tells nothing.
  const list = new MemoryList([...letters('abcdefghij'), ...keys(80)], {
    before: (nth, { items }) => {
      if (nth !== 3) return
      items.splice(30)
      items.splice(3, 0, ...keys(60).map((key) => `new ${key}`))
    },
  })
  const first = takeWalk(list, { maxPages: 3 })
  t.strictSame(first.pages, [
    letters('abc'),
    letters('def'),
    ['new key 0', 'new key 1', 'new key 2'],
  ])
  t.strictSame(
    first.place.ahead.map(({ isGiven }) => isGiven),
    [true, true, true, false],
    'd, e and f were given, g was held back',
  )
  const second = takeWalk(list, { from: first.place })
  t.match(second, whole)
  const given = [...first.keys, ...second.keys]
  t.equal(new Set(given).size, given.length, 'none comes twice')
  t.equal(given.length, 90)
})

t.test('a place carries the last items with whether they were given', async (t) => {
  const list = new MemoryList(letters('abcdefghij'))
  const first = takeWalk(list, { maxPages: 2 })
  t.strictSame(first.keys, letters('abcdef'))
  t.match(first.place, { position: 6, total: 10, ahead: [] })
  t.strictSame(
    first.place.seam.map(({ isGiven }) => isGiven),
    [true, true, true, true, false],
    'the last one is held back',
  )
  const back = changedAt(1, 'abcdefghij', (items) => items.splice(3, 4, 'x', 'y', 'z'))
  // d to g are gone: c is found, and what is new behind it is given.
  const second = takeWalk(back, { from: first.place })
  t.strictSame(second.keys, letters('xyzhij'))
})

t.test('what is not given yet ahead of the place is given by the next call', async (t) => {
  const known = (key: string) => ({ hash: takeHash(key), isGiven: true })
  const from = {
    position: 0,
    total: 6,
    seam: [known('a')],
    ahead: [known('c'), { ...known('d'), isGiven: false }],
  }
  const { keys, end } = takeWalk(new MemoryList(letters('abcdef')), { from })
  t.strictSame(keys, letters('bdef'))
  t.equal(end, 'whole')
})

t.test('with all but what lies ahead gone, it is found there', async (t) => {
  const known = (key: string) => ({ hash: takeHash(key), isGiven: true })
  const from = { position: 1, total: 6, seam: [known('a')], ahead: [known('c')] }
  const { keys, failure } = takeWalk(new MemoryList(letters('cdef')), { from })
  t.strictSame(keys, letters('def'))
  t.equal(failure, undefined)
})

t.test('a place carries at most the last five items, and a hundred ahead', async (t) => {
  const { place } = takeWalk(new MemoryList(keys(100)), { limit: 49, maxPages: 1 })
  t.equal(place.seam.length, 5)
  t.ok(place.ahead.length <= 100)
})

t.test('what was given and lies before the place does not come again over calls', async (t) => {
  const list = new MemoryList(keys(60))
  const given: string[] = []
  let from: ReturnType<typeof takeWalk>['place'] | null = null
  for (let call = 0; call < 30; call++) {
    if (call % 3 === 1) list.items.unshift(`new ${call}`)
    if (call % 3 === 2) list.items.shift()
    const walked = takeWalk(list, { from, maxPages: 1 })
    given.push(...walked.keys)
    if (walked.end === 'whole') break
    from = walked.place
  }
  t.strictSame(
    given.filter((key) => !key.startsWith('new')),
    keys(60),
  )
})

t.test('a walk over more items than it remembers gives each once', async (t) => {
  const count = 30_500
  const list = new MemoryList(keys(count), {
    before: (nth, { items }) => {
      if (nth % 100 === 0) items.unshift(`new ${nth}`)
    },
  })
  const got = takeWalk(list, { limit: 49 })
  t.equal(got.keys.length, count)
  t.strictSame(got.keys.at(-1), `key ${count - 1}`)
  t.match(got, whole)
})

t.test('after 20,000 items the first are forgotten: then it can not begin again', async (t) => {
  const others = keys(100).map((key) => `other ${key}`)
  const emptiedAt = (request: number) =>
    new MemoryList(keys(25_000), {
      before: (nth, list) => {
        if (nth === request) list.items = others
      },
    })
  const early = takeWalk(emptiedAt(300), { limit: 49 })
  t.match(early, whole)
  t.strictSame(early.keys.slice(-100), others)
  const late = takeWalk(emptiedAt(450), { limit: 49 })
  t.equal(late.failure, 'snapshot-changed')
})

/** The hash of an item, as a place carries it. */
function takeHash(key: string): string {
  const { place } = takeWalk(new MemoryList([key, 'next']), { limit: 1, maxPages: 1 })
  return place.seam[0]?.hash as string
}

t.test('where the seam item is gone, the page that is found instead is not the end', async (t) => {
  const list = changedAt(2, 'abcdef', (items) => items.splice(3, 1))
  const got = takeWalk(list)
  t.strictSame(got.keys, letters('abcef'))
  t.match(got, whole)
  t.strictSame(list.asked, ['0+4', '3+4', '2+50', '4+4'])
  t.strictSame(
    got.steps.map(({ isExact }) => isExact),
    [true, false, true],
  )
})
