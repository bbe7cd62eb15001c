import t from 'tap'
import { ConnectorError } from '../../src/errors.ts'
import { readWindow } from '../../src/reading/window.ts'
import { memoryLog } from '../helpers/log.ts'
import { type Item, pagesOf, playAt, playsBefore, toRow } from './in-memory-plays.ts'

const noonMs = Date.UTC(2026, 10, 20, 12)
const upstreamError = new ConnectorError('upstream-error', 'Spotify failed.')

/** Reads the window that these pages show. */
async function windowOf({ getPage }: Pick<ReturnType<typeof pagesOf>, 'getPage'>) {
  const log = memoryLog()
  const window = await readWindow(getPage, toRow, log)
  return { ...window, warnings: log.of('warn') }
}

function tracksOf({ plays }: { plays: { record: Record<string, unknown> }[] }): unknown[] {
  return plays.map(({ record }) => record.track)
}

function oldestFirst(items: Item[]): (string | null)[] {
  return items.map(({ track }) => track).reverse()
}

t.test('fifty plays are one request, and come oldest first', async (t) => {
  const items = playsBefore(noonMs, 50)
  const pages = pagesOf(items)
  const window = await windowOf(pages)
  t.strictSame(tracksOf(window), oldestFirst(items))
  t.match(window, { isFull: true, skipped: 0, failure: undefined })
  t.strictSame(window.warnings, [])
  t.strictSame(pages.asked, [null])
})

t.test('fewer plays than Spotify keeps are one request, and no full window', async (t) => {
  const items = playsBefore(noonMs, 49)
  const pages = pagesOf(items)
  const window = await windowOf(pages)
  t.strictSame(tracksOf(window), oldestFirst(items))
  t.equal(window.isFull, false)
  t.strictSame(pages.asked, [null])
})

t.test('an empty history is believed when a second request says the same', async (t) => {
  const pages = pagesOf([])
  const window = await windowOf(pages)
  t.strictSame(window.plays, [])
  t.match(window, { isFull: false, skipped: 0 })
  t.strictSame(pages.asked, [null, null])
})

t.test('one empty answer is asked again', async (t) => {
  const pages = pagesOf(playsBefore(noonMs, 3))
  let asked = 0
  const window = await windowOf({
    getPage: async (...page) => {
      asked += 1
      return asked === 1 ? { items: [], hasNext: false } : pages.getPage(...page)
    },
  })
  t.equal(window.plays.length, 3)
})

t.test('with and without a fraction, plays are in the order of their instants', async (t) => {
  const items = [
    { played_at: '2026-11-20T12:00:00Z', track: 'whole' },
    { played_at: '2026-11-20T12:00:00.123Z', track: 'fraction' },
    { played_at: '2026-11-20T11:59:59.999999Z', track: 'microseconds' },
  ]
  const window = await windowOf(pagesOf(items))
  t.strictSame(tracksOf(window), ['microseconds', 'whole', 'fraction'])
  t.strictSame(
    window.plays.map(({ atMs }) => atMs - noonMs),
    [-1, 0, 123],
  )
  t.strictSame(
    window.plays.map(({ record }) => record.played_at),
    [items[2]?.played_at, items[0]?.played_at, items[1]?.played_at],
    'kept as Spotify wrote it',
  )
})

t.test('a date is UTC wherever the machine is, unless it says its zone', async (t) => {
  const items = [
    { played_at: '2026-11-20T12:00:00', track: 'no zone' },
    { played_at: '2026-11-20T12:00:00+02:00', track: 'east' },
    { played_at: '2026-11-20T12:00:00.5-05:00', track: 'west' },
  ]
  const zone = process.env.TZ
  t.teardown(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  for (const TZ of ['UTC', 'America/New_York', 'Asia/Tokyo']) {
    process.env.TZ = TZ
    const window = await windowOf(pagesOf(items))
    t.strictSame(
      window.plays.map(({ atMs, record }) => [record.track, atMs]),
      [
        ['east', noonMs - 2 * 3_600_000],
        ['no zone', noonMs],
        ['west', noonMs + 5 * 3_600_000 + 500],
      ],
      TZ,
    )
  }
})

t.test('a play without a valid date is skipped, counted and warned of', async (t) => {
  const dates = [null, undefined, '', 'yesterday', 1795176000123, '1795176000123', {}, []]
  const texts = [
    '2026-11-20',
    '2026-11-20 12:00:00Z',
    '2026-13-20T12:00:00Z',
    '2026-11-20T25:00:00Z',
    '2026-11-20T12:00:00+99:00',
    '1969-12-31T23:59:59Z',
    '20261-11-20T12:00:00Z',
    'Fri, 20 Nov 2026 12:00:00 GMT',
  ]
  for (const played_at of [...dates, ...texts]) {
    const window = await windowOf(
      pagesOf([playAt(noonMs, 'good'), { played_at, track: 'bad' }, playAt(noonMs - 1, 'older')]),
    )
    const shown = JSON.stringify({ played_at })
    t.strictSame(tracksOf(window), ['older', 'good'], shown)
    t.equal(window.skipped, 1, shown)
    t.match(window.warnings, [/played_at/], shown)
  }
})

t.test('an item without a track is skipped and counted, and its date not warned of', async (t) => {
  const items = [null, { ...playAt(noonMs), track: null }, playAt(noonMs - 1, 'good')]
  const window = await windowOf(pagesOf(items))
  t.strictSame(tracksOf(window), ['good'])
  t.equal(window.skipped, 2)
  t.strictSame(window.warnings, [])
})

t.test('items that are skipped fill the window too', async (t) => {
  const items = [...playsBefore(noonMs, 48), null, null]
  const pages = pagesOf(items)
  t.match(await windowOf(pages), { skipped: 2, isFull: true })
  t.strictSame(pages.asked, [null])
})

t.test('two plays of one millisecond are two', async (t) => {
  const items = [playAt(noonMs, 'second'), playAt(noonMs, 'first'), playAt(noonMs - 1, 'before')]
  t.strictSame(tracksOf(await windowOf(pagesOf(items))), ['before', 'first', 'second'])
})

t.test('a play that is shown twice is one, and the window is as full as it looks', async (t) => {
  const items = playsBefore(noonMs, 49)
  const twice = items[7] as Item
  const pages = pagesOf([...items.slice(0, 8), twice, ...items.slice(8)])
  const window = await windowOf(pages)
  t.strictSame(tracksOf(window), oldestFirst(items))
  t.match(window, { isFull: true, skipped: 0 })
  t.strictSame(pages.asked, [null], 'fifty were given, so nothing more is asked for')
})

t.test('one play under two spellings of its instant is one: the first is kept', async (t) => {
  const items = [
    { played_at: '2026-11-20T12:00:00.000Z', track: 'a' },
    { played_at: '2026-11-20T12:00:00Z', track: 'a' },
  ]
  const window = await windowOf(pagesOf(items))
  t.strictSame(
    window.plays.map(({ record }) => record),
    [items[0]],
  )
})

t.test('fewer than asked and a next page: the plays before the oldest are asked for', async (t) => {
  const items = playsBefore(noonMs, 50)
  const pages = pagesOf(items, { most: 20 })
  const window = await windowOf(pages)
  t.strictSame(tracksOf(window), oldestFirst(items))
  t.match(window, { isFull: true, skipped: 0 })
  const at = (nth: number) => noonMs - nth * 210_000
  t.strictSame(pages.asked, [null, at(19) + 1, at(38) + 1])
})

t.test('the page without a next one is the last', async (t) => {
  const pages = pagesOf(playsBefore(noonMs, 25), { most: 20 })
  const window = await windowOf(pages)
  t.equal(window.plays.length, 25)
  t.equal(window.isFull, false)
  t.equal(pages.asked.length, 2)
})

t.test('another play of the same millisecond, on the next page, is not lost', async (t) => {
  const items = playsBefore(noonMs, 12)
  items[5] = playAt(noonMs - 4 * 210_000, 'same instant')
  const pages = pagesOf(items, { most: 5 })
  t.strictSame(tracksOf(await windowOf(pages)), oldestFirst(items))
})

t.test('a page back that shows nothing new is asked for before the oldest itself', async (t) => {
  const items = playsBefore(noonMs, 3)
  const pages = pagesOf(items, { most: 1 })
  t.strictSame(tracksOf(await windowOf(pages)), oldestFirst(items))
  const at = (nth: number) => noonMs - nth * 210_000
  t.strictSame(pages.asked, [null, at(0) + 1, at(0), at(1) + 1, at(1), at(2) + 1, at(2)])
})

t.test('a server that shows the same page for ever is left after three requests', async (t) => {
  const items = playsBefore(noonMs, 10)
  let asked = 0
  const window = await windowOf({
    getPage: async () => {
      asked += 1
      return { items, hasNext: true }
    },
  })
  t.strictSame(tracksOf(window), oldestFirst(items))
  t.equal(asked, 3)
})

t.test('a server that never runs out of plays is left when the window is full', async (t) => {
  let asked = 0
  const window = await windowOf({
    getPage: async () => {
      asked += 1
      return { items: [playAt(noonMs - asked * 1000)], hasNext: true }
    },
  })
  t.equal(window.plays.length, 50)
  t.equal(asked, 50)
})

t.test('a server that shows only items without a date is left at once', async (t) => {
  let asked = 0
  const window = await windowOf({
    getPage: async () => {
      asked += 1
      return { items: [null, { played_at: 'rubbish', track: 'a' }], hasNext: true }
    },
  })
  t.strictSame(window.plays, [])
  t.match(window, { isFull: false, skipped: 2 })
  t.equal(asked, 1)
})

t.test('skipped items at the edge of a page are counted once, and hide no play', async (t) => {
  const edges = [9, 18, 27, 36]
  const items = playsBefore(noonMs, 50).map((item, nth) =>
    edges.includes(nth) ? { ...item, track: null } : item,
  )
  const window = await windowOf(pagesOf(items, { most: 10 }))
  t.equal(window.plays.length, 46)
  t.match(window, { isFull: true, skipped: 4 })
})

t.test('pages without a single track are paged over', async (t) => {
  const items = playsBefore(noonMs, 40).map((item, nth) =>
    nth < 15 ? { ...item, track: null } : item,
  )
  const window = await windowOf(pagesOf(items, { most: 5 }))
  t.equal(window.plays.length, 25)
  t.equal(window.skipped, 15)
})

t.test('a page back that fails leaves what was seen, and says why', async (t) => {
  const items = playsBefore(noonMs, 50)
  const pages = pagesOf(items, {
    most: 20,
    fail: (nth) => {
      if (nth === 3) throw upstreamError
    },
  })
  const window = await windowOf(pages)
  t.strictSame(tracksOf(window), oldestFirst(items.slice(0, 39)))
  t.match(window, { isFull: false, failure: upstreamError })
})

t.test('a first page that fails is thrown', async (t) => {
  const pages = pagesOf(playsBefore(noonMs, 3), {
    fail: () => {
      throw upstreamError
    },
  })
  await t.rejects(windowOf(pages), upstreamError)
})
