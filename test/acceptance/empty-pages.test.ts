import t from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { build } from '../helpers/build.ts'
import { endsWhole, isInterrupted, savedTracks } from '../helpers/saved-tracks.ts'

const tracks = '/tables/tracks/read'

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
      times: Number.POSITIVE_INFINITY,
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
