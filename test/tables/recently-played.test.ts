import t from 'tap'
import {
  type Library,
  makeLibrary,
  makeLocalTrack,
  makePlay,
  makeTrack,
} from '../../src/simulator/library.ts'
import { build } from '../helpers/build.ts'

type Record = { played_at: string; track: { [field: string]: unknown }; context: unknown }

const url = '/tables/recently_played/read'
const noonMs = Date.UTC(2026, 10, 20, 12)
const minuteMs = 60_000

/** A library of `count` plays, one every 4 minutes, the newest first and at noon. */
function libraryOf(count: number): Library {
  const plays = Array.from({ length: count }, (_, at) =>
    makePlay(noonMs - at * 4 * minuteMs, makeTrack(at)),
  )
  return { ...makeLibrary(), plays }
}

function readFrom(offset: unknown): string {
  return `${url}?offset=${encodeURIComponent(JSON.stringify(offset))}`
}

function playedAt({ records }: { records: Record[] }): string[] {
  return records.map(({ played_at }) => played_at)
}

t.test('the last 50 plays come in one request, oldest first', async (t) => {
  const library = libraryOf(60)
  const { get, simulator } = await build(t, { simulator: { library } })
  const { body } = await get(url)
  t.strictSame(
    playedAt(body),
    library.plays
      .slice(0, 50)
      .map(({ played_at }) => played_at)
      .reverse(),
  )
  t.equal(body.has_more, false)
  t.equal(body.offset.cursor, String(noonMs))
  t.equal(simulator.stats.api, 1)
})

t.test('limit and max_pages have no effect, and are checked', async (t) => {
  const { get, simulator } = await build(t, { simulator: { library: libraryOf(60) } })
  const whole = (await get(url)).text
  t.equal((await get(`${url}?limit=1&max_pages=1`)).text, whole)
  t.strictSame(
    simulator.stats.requests.slice(1).map(({ query }) => query),
    [{ limit: '50' }, { limit: '50' }],
  )
  for (const query of ['limit=0', 'limit=51', 'max_pages=0']) {
    t.match((await get(`${url}?${query}`)).body, { code: 'invalid-option' })
  }
})

t.test('a late play comes once, with an offset that moves; else the offset stands', async (t) => {
  const { get, simulator } = await build(t, { simulator: { library: libraryOf(50) } })
  const first = (await get(url)).body
  const sent = readFrom(first.offset)
  const quiet = `{"records":[],"offset":${JSON.stringify(first.offset)},"has_more":false}`
  t.equal((await get(sent)).text, quiet)
  const late = makePlay(noonMs - 30 * minuteMs - 1, makeTrack(900))
  simulator.library.plays.push(late)
  const second = (await get(sent)).body
  t.strictSame(playedAt(second), [late.played_at])
  t.not(JSON.stringify(second.offset), JSON.stringify(first.offset))
  t.equal(second.offset.cursor, first.offset.cursor)
  const third = (await get(readFrom(second.offset))).text
  t.equal(third, `{"records":[],"offset":${JSON.stringify(second.offset)},"has_more":false}`)
})

t.test('a history older than the checkpoint gives nothing, and the checkpoint back', async (t) => {
  const { get } = await build(t, { simulator: { library: libraryOf(50) } })
  const cursor = String(Date.now())
  t.equal(
    (await get(readFrom({ cursor }))).text,
    `{"records":[],"offset":{"cursor":"${cursor}"},"has_more":false}`,
  )
})

t.test('a cursor of another clock than UTC gives all plays, and is warned of', async (t) => {
  const { get, log } = await build(t, { simulator: { library: libraryOf(50) } })
  const cursor = String(Date.now() + 5 * 3_600_000)
  const { body } = await get(readFrom({ cursor }))
  t.equal(body.records.length, 50)
  t.equal(body.offset.cursor, String(noonMs))
  t.ok(log.some(({ level, cursor: warned }) => level === 40 && warned === cursor))
})

t.test('a whole window of new plays tells what may be missing', async (t) => {
  const { get, log } = await build(t, { simulator: { library: libraryOf(50) } })
  const { body } = await get(readFrom({ cursor: '1700000000000' }))
  const gap = { after: '1700000000000', before: String(noonMs - 49 * 4 * minuteMs) }
  t.strictSame(body.gap, gap)
  t.ok(log.some((line) => line.level === 40 && JSON.stringify(line.gap) === JSON.stringify(gap)))
  t.notOk('gap' in (await get(url)).body, 'never on a first read')
})

t.test('played_at is as Spotify wrote it, and the order is that of the instants', async (t) => {
  const library = libraryOf(0)
  const written = [
    '2026-11-20T11:59:59Z',
    '2026-11-20T12:00:00Z',
    '2026-11-20T12:00:00.123Z',
  ] as const
  library.plays = written.map((at, nth) => makePlay(at, makeTrack(nth))).reverse()
  const { get } = await build(t, { simulator: { library } })
  const { body } = await get(url)
  t.strictSame(playedAt(body), written)
  t.equal(body.offset.cursor, '1795176000123')
})

t.test('a play without a date is skipped, counted and warned of', async (t) => {
  const library = libraryOf(50)
  const { get, simulator, log } = await build(t, { simulator: { library } })
  simulator.faults.add({
    on: '/me/player/recently-played',
    fault: {
      kind: 'edit',
      edit: ({ items }) => {
        Object.assign(items?.[0] ?? {}, { played_at: null })
        Object.assign(items?.[49] ?? {}, { played_at: 'rubbish' })
      },
    },
  })
  const { text, body } = await get(url)
  t.strictSame(
    playedAt(body),
    library.plays
      .slice(1, 49)
      .map(({ played_at }) => played_at)
      .reverse(),
  )
  t.match(body, { skipped: 2, offset: { cursor: String(noonMs - 4 * minuteMs) } })
  t.notMatch(text, /NaN/)
  t.equal(simulator.stats.api, 1)
  t.ok(log.some(({ level, undated }) => level === 40 && undated === 2))
})

t.test('a server that gives fewer than asked is paged back to the last play', async (t) => {
  const library = libraryOf(60)
  const { get, simulator } = await build(t, { simulator: { library } })
  const whole = (await get(url)).text
  simulator.faults.add({
    on: '/me/player/recently-played',
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'page-size', size: 20 },
  })
  t.equal((await get(url)).text, whole)
})

t.test('a local file is a row under its uri, a play without a track is skipped', async (t) => {
  const local = makeLocalTrack(1)
  const library = libraryOf(2)
  library.plays.unshift(makePlay(noonMs + minuteMs, local))
  library.plays.unshift({ ...makePlay(noonMs + 2 * minuteMs, local), track: null as never })
  const { get } = await build(t, { simulator: { library } })
  const { body } = await get(url)
  t.equal(body.records.length, 3)
  t.equal(body.skipped, 1)
  t.match(body.records[2], { track: { id: local.uri, is_local: true }, context: null })
})

t.test('where a play was started from is in its context', async (t) => {
  const library = libraryOf(0)
  const context = {
    type: 'album',
    uri: 'spotify:album:x',
    href: 'https://api.spotify.com/v1/albums/x',
    external_urls: {},
  }
  library.plays = [makePlay(noonMs, makeTrack(0), context)]
  const { get } = await build(t, { simulator: { library } })
  t.strictSame((await get(url)).body.records[0].context, { ...context, external_urls: null })
})
