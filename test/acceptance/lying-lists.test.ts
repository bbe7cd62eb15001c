import t from 'tap'
import type { EditableBody, On } from '../../src/simulator/faults.ts'
import { makeLibrary } from '../../src/simulator/library.ts'
import type { Track } from '../../src/simulator/objects.ts'
import { build } from '../helpers/build.ts'
import { hold } from '../helpers/hold.ts'
import {
  behindPage,
  endsWhole,
  isInterrupted,
  rowsAPage,
  savedTracks,
} from '../helpers/saved-tracks.ts'

const tracks = '/tables/tracks/read'
const forEver = Number.POSITIVE_INFINITY
const idsOf = (items: readonly { id: string | null }[]) => items.map(({ id }) => id)

type Keyed = { id?: string | null; track?: Keyed; album?: Keyed } | null
/** The ids of rows or items, wherever their table has them. */
const keysOf = (rows: readonly Keyed[]) =>
  rows.map((row) => row?.track?.id ?? row?.album?.id ?? row?.id)
const isList: On = ({ path, query }) => path.startsWith('/me/') && query.offset !== undefined

// Spotify has been seen to send both: the zero page has a limit of 0, too.
for (const limit of [50, 0]) {
  t.test(`an empty page with limit ${limit} that passes is asked again`, async (t) => {
    const { get, simulator } = await build(t, { simulator: { library: savedTracks } })
    for (const skip of [0, 2]) {
      simulator.stats.reset()
      simulator.faults.clear()
      simulator.faults.add({ on: '/me/tracks', skip, fault: { kind: 'empty-page', limit } })
      endsWhole(t, await get(tracks), `at request ${skip + 1}`)
      t.equal(simulator.stats.api, 5 + 1)
    }
  })

  t.test(`a list that is empty with limit ${limit} in its middle is not at its end`, async (t) => {
    const { get, simulator } = await build(t, { simulator: { library: savedTracks } })
    const { faults, stats } = simulator
    const problem = { code: 'upstream-error', status: 502, retryable: true }
    const fault = { kind: 'empty-page', limit } as const
    const asked = new Set<unknown>()
    const isAskedAgain = (place: unknown) => asked.size === asked.add(place).size
    const places: Record<string, [on: On, detail: RegExp]> = {
      'from its third page on': [behindPage(2), /again and again/],
      'everywhere, once two pages are out': [
        (request) => behindPage(2)(request) || isAskedAgain(request.query.offset),
        /empty page/,
      ],
    }
    for (const [where, [on, detail]] of Object.entries(places)) {
      stats.reset()
      faults.clear()
      faults.add({ on, times: forEver, fault })
      const next = isInterrupted(t, await get(tracks), { ...problem, detail })
      t.ok(stats.api <= 28, `${where}: ${stats.api} requests`)
      stats.reset()
      const still = await get(next)
      t.match(still, { status: 502, body: { ...problem, detail } }, `${where}: it lasts`)
      t.ok(stats.api <= 28, `${where}: ${stats.api} requests`)
      faults.clear()
      endsWhole(t, await get(next), where, { from: 2 * rowsAPage })
    }
  })
}

t.test('an empty library is believed when a second request says the same', async (t) => {
  const library = makeLibrary({
    tracks: 0,
    albums: 0,
    playlists: 0,
    artists: 0,
    topTracks: 0,
    topArtists: 0,
    plays: 0,
  })
  const { get, simulator } = await build(t, { simulator: { library } })
  for (const name of ['tracks', 'albums', 'playlists', 'artists', 'top_tracks', 'top_artists']) {
    simulator.stats.reset()
    const { status, body } = await get(`/tables/${name}/read`)
    t.equal(status, 200)
    t.strictSame(body, { records: [], offset: null, has_more: false }, name)
    t.equal(simulator.stats.api, 2, name)
  }
  const { body } = await get('/tables/recently_played/read')
  t.strictSame(body, { records: [], offset: {}, has_more: false })
})

t.test('followed artists end where their cursor ends, whatever total says', async (t) => {
  const library = makeLibrary({ artists: 55 })
  const { get, simulator } = await build(t, { simulator: { library } })
  for (const total of [110, 20, 0]) {
    simulator.faults.clear()
    simulator.faults.add({
      on: '/me/following',
      times: forEver,
      fault: { kind: 'total', total },
    })
    const { status, body } = await get('/tables/artists/read')
    t.equal(status, 200)
    t.strictSame(idsOf(body.records), idsOf(library.artists), `total ${total}`)
    t.equal(body.has_more, false)
    t.equal(body.offset, null)
    t.notOk('interrupted' in body)
  }
})

t.test('the zero page behind the end of a top list is neither an end nor a change', async (t) => {
  const library = makeLibrary({ topTracks: 120 })
  const { get, simulator } = await build(t, { simulator: { library } })
  const { faults, stats } = simulator
  const ids = idsOf(library.topTracks.medium_term)
  const zero = { items: [], total: 0, limit: 0, offset: 0, next: null, previous: null }
  const read = '/tables/top_tracks/read?limit=30'
  for (const [what, isOverstated] of [
    ['by the first page alone', (at: number) => at === 0],
    ['by every page', () => true],
  ] as const) {
    faults.clear()
    stats.reset()
    // A total of 170 leads to the place 150: the read waits until it has been asked for.
    const behind = hold(simulator, ({ query }) => query.offset === '150')
    const second = hold(simulator, ({ query }) => query.offset === '30')
    behind.arrived.then(() => {
      behind.release()
      second.release()
    })
    const edit = (body: EditableBody) => {
      const at = Number(body.offset)
      return at >= 120 ? zero : { ...body, total: isOverstated(at) ? 170 : 120 }
    }
    faults.add({ on: '/me/top/tracks', times: forEver, fault: { kind: 'edit', edit } })
    const { status, body } = await get(read)
    t.equal(status, 200, what)
    t.strictSame(idsOf(body.records), ids)
    t.strictSame([body.offset, body.has_more], [null, false])
    t.notOk('interrupted' in body)
    t.ok(stats.api <= 15, `${stats.api} requests`)
  }
  const first = (await get(`${read}&max_pages=4`)).body
  t.equal(first.has_more, true, 'no more than four pages of 30')
  const rest = (await get(first.next)).body
  t.strictSame(idsOf([...first.records, ...rest.records]), ids, 'over two calls')
  t.strictSame([rest.offset, rest.has_more], [null, false])
})

// The second is what a server says that passes over `limit`.
for (const said of [20, 50]) {
  t.test(`a server that gives pages of 20 and says ${said} loses no row`, async (t) => {
    const library = makeLibrary({ tracks: 237, albums: 90, playlists: 120, topTracks: 110 })
    const { get, simulator } = await build(t, { simulator: { library } })
    const { faults, stats } = simulator
    const short = (skip: number) => {
      stats.reset()
      faults.clear()
      const rule = { on: isList, skip, times: forEver }
      faults.add({ ...rule, fault: { kind: 'page-size', size: 20 } })
      const edit = (body: EditableBody) => ({ ...body, limit: said })
      faults.add({ ...rule, fault: { kind: 'edit', edit } })
    }
    const wanted = {
      tracks: keysOf(library.tracks),
      albums: keysOf(library.albums),
      playlists: keysOf(library.playlists),
      top_tracks: keysOf(library.topTracks.medium_term),
    }
    for (const skip of [0, 2]) {
      for (const [table, keys] of Object.entries(wanted)) {
        short(skip)
        const { status, body } = await get(`/tables/${table}/read`)
        t.equal(status, 200)
        t.strictSame(keysOf(body.records), keys, `${table}, from request ${skip + 1} on`)
        t.strictSame([body.offset, body.has_more], [null, false])
        // Steps of 19, playlists twice, and what was planned before the size was known.
        const pages = Math.ceil(keys.length / 19) * (table === 'playlists' ? 2 : 1)
        t.ok(stats.api <= pages + 3 + 8, `${stats.api} requests for ${pages} pages`)
      }
    }
    short(0)
    const keys: unknown[] = []
    for (let next = '/tables/tracks/read?max_pages=3'; next; ) {
      const { body } = await get(next)
      keys.push(...keysOf(body.records))
      next = body.next
    }
    t.strictSame(keys, wanted.tracks, 'over many calls')
  })
}

t.test('playlists whose pages begin one item too early are read once each', async (t) => {
  const library = makeLibrary({ playlists: 180 })
  const { get, simulator } = await build(t, { simulator: { library } })
  const { faults, stats } = simulator
  faults.beforeAnswer('/me/playlists', ({ query }) => {
    if (Number(query.offset) >= 49) query.offset = String(Number(query.offset) - 1)
  })
  const edit = (body: EditableBody) => ({ ...body, total: 181 })
  faults.add({ on: '/me/playlists', times: forEver, fault: { kind: 'edit', edit } })
  for (const [url, pages] of [
    ['/tables/playlists/read', 4],
    ['/tables/playlists/read?limit=20', 9],
  ] as const) {
    stats.reset()
    const { status, body } = await get(url)
    t.equal(status, 200, url)
    t.strictSame(keysOf(body.records), keysOf(library.playlists))
    t.strictSame([body.offset, body.has_more], [null, false])
    t.ok(stats.api <= 4 * pages, `${stats.api} requests for ${pages} pages`)
  }
})

t.test('a top list that holds an id twice gives it once, at its first place', async (t) => {
  const library = makeLibrary({ topTracks: 120 })
  const list = library.topTracks.medium_term
  // At rank 22 and again at rank 28; at rank 40 and again on the next page.
  list[27] = list[21] as Track
  list[60] = list[39] as Track
  const { get, simulator } = await build(t, { simulator: { library } })
  const wanted = list.flatMap(({ id }, at) => (at === 27 || at === 60 ? [] : [[at + 1, id]]))
  const ranked = (records: { rank: number; id: string }[]) =>
    records.map(({ rank, id }) => [rank, id])

  const { status, body } = await get('/tables/top_tracks/read')
  t.equal(status, 200)
  t.strictSame(ranked(body.records), wanted)
  t.strictSame([body.offset, body.has_more], [null, false])
  t.ok(simulator.stats.api <= 4 * 3, `${simulator.stats.api} requests`)

  const first = (await get('/tables/top_tracks/read?max_pages=2')).body
  const rest = await get(first.next)
  t.equal(rest.status, 200)
  t.strictSame(ranked([...first.records, ...rest.body.records]), wanted, 'over two calls')
  t.strictSame([rest.body.offset, rest.body.has_more], [null, false])
})

t.test('followed artists whose cursor does not move are not read for ever', async (t) => {
  const library = makeLibrary({ artists: 140 })
  const { get, simulator } = await build(t, { simulator: { library } })
  const { faults, stats } = simulator
  faults.beforeAnswer('/me/following', ({ query }) => {
    delete query.after
  })
  const problem = { code: 'upstream-error', status: 502, detail: /does not move on/ }

  const { status, body } = await get('/tables/artists/read')
  t.equal(status, 200)
  t.strictSame(idsOf(body.records), idsOf(library.artists.slice(0, 50)), 'each once')
  t.equal(body.has_more, true)
  t.match(body.interrupted, problem)
  t.ok(stats.api <= 3, `${stats.api} requests`)

  const still = await get(body.next)
  t.equal(still.status, 502)
  t.match(still.body, problem)

  faults.clear()
  const rest = (await get(body.next)).body
  t.strictSame(idsOf(rest.records), idsOf(library.artists.slice(50)))
  t.equal(rest.has_more, false)
})
