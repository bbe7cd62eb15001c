import t from 'tap'
import type { EditableBody } from '../../src/simulator/faults.ts'
import { makeLibrary } from '../../src/simulator/library.ts'
import { build } from '../helpers/build.ts'
import { endsWhole, isInterrupted, savedTracks } from '../helpers/saved-tracks.ts'

const tracks = '/tables/tracks/read'
const forEver = Number.POSITIVE_INFINITY
const idsOf = (items: readonly { id: string | null }[]) => items.map(({ id }) => id)

// Spotify has been seen to send both: the zero page has a limit of 0, too.
for (const limit of [50, 0]) {
  t.test(`an empty page with limit ${limit} that passes is asked again`, async (t) => {
    const { get, simulator } = await build(t, { simulator: { library: savedTracks } })
    for (const skip of [0, 2]) {
      simulator.stats.reset()
      simulator.faults.clear()
      simulator.faults.add({ on: '/me/tracks', skip, fault: { kind: 'empty-page', limit } })
      endsWhole(t, await get(tracks), 0, `at page ${skip + 1}`)
      t.equal(simulator.stats.api, 5 + 1)
    }
  })

  t.test(`a list that is empty with limit ${limit} in its middle is not at its end`, async (t) => {
    const { get, simulator } = await build(t, { simulator: { library: savedTracks } })
    const { faults, stats } = simulator
    const problem = { code: 'upstream-error', status: 502, retryable: true, detail: /empty page/ }
    faults.add({
      on: '/me/tracks',
      skip: 2,
      times: forEver,
      fault: { kind: 'empty-page', limit },
    })
    const next = isInterrupted(t, await get(tracks), problem)
    t.equal(stats.api, 2 + 4)
    const still = await get(next)
    t.equal(still.status, 502)
    t.match(still.body, problem)
    t.equal(stats.api, 2 + 2 * 4)
    faults.clear()
    endsWhole(t, await get(next), 100)
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
  const zeroPage = (body: EditableBody) => {
    const behind = Number(body.offset) >= 120
    return behind ? { items: [], total: 0, limit: 0, offset: 0, next: null, previous: null } : body
  }
  simulator.faults.add({
    on: '/me/top/tracks',
    times: forEver,
    fault: { kind: 'edit', edit: zeroPage },
  })

  const { status, body } = await get('/tables/top_tracks/read')
  t.equal(status, 200)
  t.strictSame(idsOf(body.records), idsOf(library.topTracks.medium_term))
  t.equal(body.has_more, false)
  t.notOk('interrupted' in body)

  const behind = { table: 'top_tracks', connection: 'default', time_range: 'medium_term' }
  const offset = encodeURIComponent(JSON.stringify({ ...behind, position: 150 }))
  const answer = await get(`/tables/top_tracks/read?offset=${offset}`)
  t.equal(answer.status, 502, 'not believed to be the end')
  t.match(answer.body, { code: 'upstream-error', retryable: true, detail: /empty page/ })
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
