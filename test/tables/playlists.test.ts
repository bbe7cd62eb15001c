import t from 'tap'
import { type Library, makeLibrary, makePlaylist } from '../../src/simulator/library.ts'
import { allScopes } from '../../src/spotify/scopes.ts'
import { build } from '../helpers/build.ts'

type Record = { [field: string]: unknown }

/** A library of these playlists alone. */
function libraryOf(playlists: Library['playlists'], mode: Library['mode'] = 'extended') {
  return { ...makeLibrary({ mode }), playlists }
}

const href = 'https://api.spotify.com/v1/playlists/x'

t.test('in development mode, tracks is filled from items', async (t) => {
  const items = { href: `${href}/items`, total: 12 }
  const library = libraryOf([makePlaylist(0, { items })], 'development')
  const { get } = await build(t, { simulator: { library } })
  t.strictSame((await get('/tables/playlists/read')).body.records[0].tracks, items)
})

t.test('where both are sent, tracks is tracks', async (t) => {
  const items = { href: `${href}/items`, total: 12 }
  const tracks = { href: `${href}/tracks`, total: 11 }
  const { get } = await build(t, {
    simulator: { library: libraryOf([makePlaylist(0, { items, tracks })]) },
  })
  t.strictSame((await get('/tables/playlists/read')).body.records[0].tracks, tracks)
})

t.test("another's playlist that says no size is a row, its tracks null", async (t) => {
  const { items: _, ...playlist } = makePlaylist(2)
  const { get } = await build(t, { simulator: { library: libraryOf([playlist], 'development') } })
  const { body } = await get('/tables/playlists/read')
  t.equal(body.records.length, 1)
  t.equal(body.records[0].tracks, null)
  t.notOk('skipped' in body)
})

t.test('a size, an owner and a name that are not known lose no row', async (t) => {
  const unknown = { display_name: null, href: null, id: null, uri: null }
  const owner = { ...unknown, external_urls: { spotify: null }, type: 'user' }
  const tracks = { href: `${href}/tracks`, total: null }
  const playlists = [
    makePlaylist(0, { owner }),
    makePlaylist(1, { tracks }),
    makePlaylist(3, { name: '\udc00x', description: '\u{1f600}' }),
    makePlaylist(4, { images: null, description: null, public: null, name: '' }),
  ]
  const { get } = await build(t, { simulator: { library: libraryOf(playlists) } })
  const { records } = (await get('/tables/playlists/read')).body
  t.equal(records.length, 4)
  t.strictSame(records[0].owner, { ...unknown, external_urls: { spotify: null } })
  t.strictSame(records[1].tracks, tracks)
  t.match(records[2], { name: '\ufffdx', description: '\u{1f600}' })
  t.match(records[3], { images: null, description: null, public: null, name: '' })
})

t.test('items that are null are skipped and counted', async (t) => {
  const playlists: Library['playlists'] = [null, makePlaylist(0), null, makePlaylist(1)]
  const { get } = await build(t, { simulator: { library: libraryOf(playlists) } })
  const { body } = await get('/tables/playlists/read')
  t.strictSame(
    body.records.map(({ id }: Record) => id),
    [playlists[1]?.id, playlists[3]?.id],
  )
  t.equal(body.skipped, 2)
})

t.test('pages are asked for where we were told to, not where next points', async (t) => {
  const { get, simulator } = await build(t, {
    simulator: { library: makeLibrary({ playlists: 120 }) },
  })
  const { body } = await get('/tables/playlists/read')
  t.equal(body.records.length, 120)
  const paths = simulator.stats.requests.map(({ path }) => path)
  t.strictSame([...new Set(paths)], ['/api/token', '/me/playlists'])
})

t.test('a playlist that later pages repeat is given once, at its first place', async (t) => {
  const library = makeLibrary({ playlists: 120 })
  const { get, simulator } = await build(t, { simulator: { library } })
  // As Spotify has done: from some place on, every page begins one item too early.
  simulator.faults.beforeAnswer('/me/playlists', ({ query }) => {
    if (Number(query.offset) >= 49) query.offset = String(Number(query.offset) - 1)
  })
  const { body } = await get('/tables/playlists/read')
  t.strictSame(
    body.records.map(({ id }: Record) => id),
    library.playlists.map((item) => item?.id),
  )
  t.match(body, { has_more: false, offset: null })
})

for (const missing of ['playlist-read-private', 'playlist-read-collaborative']) {
  t.test(`without ${missing} no part of the list passes for the whole`, async (t) => {
    const scopes = allScopes.filter((scope) => scope !== missing)
    const { get, simulator } = await build(t, { simulator: { scopes } })
    const { status, body } = await get('/tables/playlists/read')
    t.equal(status, 403)
    t.match(body, { code: 'insufficient-scope', detail: new RegExp(missing) })
    t.equal(simulator.stats.api, 0)
  })
}
