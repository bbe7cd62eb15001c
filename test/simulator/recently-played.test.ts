import t from 'tap'
import { makeLibrary, makePlay, makeTrack } from '../../src/simulator/library.ts'
import { start, stillClock } from './start.ts'

const path = '/me/player/recently-played'
const startMs = Date.UTC(2026, 10, 24, 12)

/** 60 plays, one a minute, the newest at `startMs`. */
function library() {
  const made = makeLibrary()
  made.plays = Array.from({ length: 60 }, (_, at) => makePlay(startMs - at * 60_000, makeTrack(at)))
  return made
}

t.test('the newest plays come first, with cursors and without a total', async (t) => {
  const { simulator, body } = await start(t, { library: library() })
  const page = await body(`${path}?limit=3`)
  const at = (minutes: number) => new Date(startMs - minutes * 60_000).toISOString()
  t.same(
    page.items.map(({ played_at }) => played_at),
    [at(0), at(1), at(2)],
  )
  t.notOk('total' in page)
  t.match(page, {
    href: `${simulator.apiUrl}${path}?limit=3`,
    limit: 3,
    cursors: { after: String(startMs), before: String(startMs - 120_000) },
    next: `${simulator.apiUrl}${path}?before=${startMs - 120_000}&limit=3`,
  })
  t.equal((await body(path)).items.length, 20)
})

t.test('walking back by before ends after the last 50 plays with an empty page', async (t) => {
  const { body } = await start(t, { library: library() })
  let items = 0
  let query = 'limit=25'
  for (let pages = 1; ; pages++) {
    const page = await body(`${path}?${query}`)
    items += page.items.length
    if (page.next === null) {
      t.match(page, { items: [], cursors: null, limit: 25 })
      t.equal(pages, 3)
      break
    }
    query = page.next.split('?')[1] ?? ''
  }
  t.equal(items, 50)
})

t.test('after and before leave out the play at their own instant', async (t) => {
  const { body } = await start(t, { library: library() })
  const newer = await body(`${path}?limit=50&after=${startMs - 120_000}`)
  t.equal(newer.items.length, 2)
  t.equal(newer.next, null)
  const older = await body(`${path}?limit=50&before=${startMs - 47 * 60_000}`)
  t.equal(older.items.length, 2)
  const none = await body(`${path}?after=${startMs}`)
  t.match(none, { items: [], cursors: null, next: null })
})

t.test('reading on by after comes to the newest play', async (t) => {
  const { body } = await start(t, { library: library() })
  const page = await body(`${path}?limit=2&after=${startMs - 180_000}`)
  t.same(page.cursors, { after: String(startMs - 60_000), before: String(startMs - 120_000) })
  const next = await body(`${path}?${page.next?.split('?')[1]}`)
  t.same(next.cursors, { after: String(startMs), before: String(startMs) })
})

t.test('both cursors at once, and cursors that are no instant, are refused', async (t) => {
  const { get } = await start(t)
  for (const query of ['after=1&before=2', 'after=NaN', 'before=2026-11-24', 'before=']) {
    t.equal((await get(`${path}?${query}`)).status, 400, query)
  }
})

t.test('a play that comes late takes its place, one without a time stays in its own', async (t) => {
  const { simulator, body } = await start(t, { library: library() })
  const { plays } = simulator.library
  plays.push(makePlay(startMs - 90_000, makeTrack(900)))
  plays.splice(1, 0, makePlay('not a time', makeTrack(901)))
  const ids = (await body(`${path}?limit=5`)).items.map(({ track }) => (track as { id: string }).id)
  t.same(
    ids,
    [0, 901, 1, 900, 2].map((n) => makeTrack(n).id),
  )
  t.match(await body(`${path}?limit=2`), {
    cursors: { after: String(startMs), before: String(startMs) },
  })
})

t.test('plays go on happening by the clock when they are asked to', async (t) => {
  const clock = stillClock(startMs)
  const live = await start(t, { clock, livePlays: true })
  const still = await start(t, { clock })
  const before = await live.body(`${path}?limit=50`)
  t.same(await still.body(`${path}?limit=50`).then(({ items }) => items), before.items)

  clock.nowMs += 30 * 60_000
  const after = await live.body(`${path}?limit=50`)
  const fresh = after.items.findIndex((play) => play.played_at === before.items[0]?.played_at)
  t.ok(fresh >= 7 && fresh <= 10, String(fresh))
  t.same(after.items.slice(fresh), before.items.slice(0, 50 - fresh))
  t.same((await still.body(`${path}?limit=50`)).items, before.items)
})
