import t from 'tap'
import {
  type Library,
  makeArtist,
  makeLibrary,
  makeLocalTrack,
  makeTrack,
  type TimeRange,
} from '../../src/simulator/library.ts'
import { timeRanges } from '../../src/tables/table.ts'
import { build } from '../helpers/build.ts'

type Record = { id: string; time_range: TimeRange; rank: number; [field: string]: unknown }
type Get = Awaited<ReturnType<typeof build>>['get']

const lists: { table: string; path: string; listOf: (library: Library) => Library['topTracks'] }[] =
  [
    { table: 'top_tracks', path: '/me/top/tracks', listOf: ({ topTracks }) => topTracks },
    {
      table: 'top_artists',
      path: '/me/top/artists',
      listOf: ({ topArtists }) => topArtists as unknown as Library['topTracks'],
    },
  ]

/** Reads call after call, with one small page each. */
async function inCalls(get: Get, url: string): Promise<Record[]> {
  const records: Record[] = []
  let next: string | undefined = `${url}?limit=3&max_pages=1`
  while (next) {
    const { body }: { body: { records: Record[]; next?: string } } = await get(next)
    records.push(...body.records)
    next = body.next
  }
  return records
}

for (const { table, path, listOf } of lists) {
  const url = `/tables/${table}/read`

  t.test(`${table}: each time range is a list of its own, and says so in its rows`, async (t) => {
    const library = makeLibrary()
    const { get } = await build(t, { simulator: { library } })
    for (const range of timeRanges) {
      const { records } = (await get(`${url}?time_range=${range}`)).body
      t.strictSame(
        records.map(({ id, time_range, rank }: Record) => [id, time_range, rank]),
        listOf(library)[range].map(({ id }, at) => [id, range, at + 1]),
        range,
      )
    }
  })

  t.test(`${table}: without a time range it is the medium one`, async (t) => {
    const { get, simulator } = await build(t)
    const { records } = (await get(`${url}?max_pages=1`)).body
    t.equal(records[0].time_range, 'medium_term')
    t.equal(simulator.stats.requests.at(-1)?.query.time_range, 'medium_term')
  })

  t.test(`${table}: an offset holds for its time range, named or meant`, async (t) => {
    const { get, simulator } = await build(t)
    const { offset } = (await get(`${url}?max_pages=1`)).body
    t.match(offset, { table, connection: 'default', time_range: 'medium_term', position: 49 })
    const sent = encodeURIComponent(JSON.stringify(offset))
    t.equal((await get(`${url}?offset=${sent}&time_range=medium_term`)).status, 200)
    const asked = simulator.stats.api
    const refused = await get(`${url}?offset=${sent}&time_range=long_term`)
    t.equal(refused.status, 400)
    t.match(refused.body, { code: 'invalid-offset', detail: /medium_term.*long_term/ })
    t.equal(simulator.stats.api, asked)
  })

  t.test(`${table}: rank counts skipped and repeated items, over all calls`, async (t) => {
    const library = makeLibrary({ topTracks: 8, topArtists: 8 })
    const { get, simulator } = await build(t, { simulator: { library } })
    const ids = listOf(library).medium_term.map(({ id }) => id)
    const at = (place: number) => listOf(library).medium_term[place]
    const list = [at(0), null, at(1), at(0), at(2), null, at(3), at(4)]
    listOf(library).medium_term = list as Library['topTracks']['medium_term']
    const ranks = ({ id, rank }: Record) => [id, rank]
    const whole = (await get(url)).body
    t.strictSame(whole.records.map(ranks), [
      [ids[0], 1],
      [ids[1], 3],
      [ids[2], 5],
      [ids[3], 7],
      [ids[4], 8],
    ])
    t.match(whole, { skipped: 2, has_more: false })
    const asked = simulator.stats.api
    const all = (await inCalls(get, url)).map(ranks)
    // Three pages, the first again, and all again: is the item that came twice there again?
    t.equal(simulator.stats.api - asked, 3 + 1 + 3)
    t.strictSame(all, whole.records.map(ranks))
  })

  t.test(`${table}: an id that Spotify lists twice is a row at its first place`, async (t) => {
    const library = makeLibrary({ topTracks: 60, topArtists: 60 })
    const list = listOf(library).medium_term
    if (list[21]) list[27] = list[21]
    const { get } = await build(t, { simulator: { library } })
    const { body } = await get(url)
    t.equal(body.records.length, 59)
    t.equal(body.records.find(({ id }: Record) => id === list[21]?.id).rank, 22)
    t.equal(body.records[27].rank, 29)
    t.match(body, { has_more: false, offset: null })
  })

  t.test(`${table}: a zero page behind the end is neither an end nor a change`, async (t) => {
    const library = makeLibrary({ topTracks: 120, topArtists: 120 })
    const { get, simulator } = await build(t, { simulator: { library } })
    simulator.faults.add({
      on: ({ path: asked, query }) => asked === path && Number(query.offset) >= 120,
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'empty-page', limit: 0 },
    })
    const { status, body } = await get(url)
    t.equal(status, 200)
    t.equal(body.records.length, 120)
    t.match(body, { has_more: false, offset: null })
  })
}

t.test('top_tracks: a local file is a row under its uri', async (t) => {
  const local = makeLocalTrack(1)
  const library = makeLibrary()
  library.topTracks.medium_term = [makeTrack(0), local]
  const { get } = await build(t, { simulator: { library } })
  const { records } = (await get('/tables/top_tracks/read')).body
  t.match(records[1], { id: local.uri, rank: 2, time_range: 'medium_term', is_local: true })
})

t.test('what development mode does not send is null', async (t) => {
  const library = makeLibrary()
  library.topArtists.medium_term = [makeArtist(0)]
  library.topTracks.medium_term = [makeTrack(0)]
  const { get } = await build(t, { simulator: { library } })
  const artist = (await get('/tables/top_artists/read')).body.records[0]
  t.match(artist, { followers: null, popularity: null, rank: 1 })
  t.match((await get('/tables/top_tracks/read')).body.records[0], { popularity: null, rank: 1 })
})
