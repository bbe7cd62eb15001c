import t from 'tap'
import { makeAlbum, makeLibrary, makeSavedAlbum } from '../../src/simulator/library.ts'
import { build } from '../helpers/build.ts'

type Record = { added_at: string; album: { [field: string]: unknown } }

const addedAt = '2026-11-20T12:00:00Z'

t.test('albums come in the order of the list, whatever their dates', async (t) => {
  const library = makeLibrary({ albums: 90 })
  const { get } = await build(t, { simulator: { library } })
  const { body } = await get('/tables/albums/read')
  t.strictSame(
    body.records.map(({ added_at, album }: Record) => [added_at, album.id]),
    library.albums.map((item) => [item?.added_at, item?.album.id]),
  )
  t.match(body, { offset: null, has_more: false })
})

t.test('items that are null are skipped and counted', async (t) => {
  const library = makeLibrary({ albums: 60 })
  for (const place of [7, 49, 50]) library.albums[place] = null
  const { get } = await build(t, { simulator: { library } })
  const { body } = await get('/tables/albums/read')
  t.equal(body.records.length, 57)
  t.match(body, { skipped: 3, has_more: false })
})

t.test('an album without a name, date, pictures or artists is a row', async (t) => {
  const odd = makeAlbum(1, {
    album_type: null,
    artists: [],
    external_urls: {},
    external_ids: {},
    images: [],
    name: '',
    release_date: null,
    release_date_precision: null,
  })
  const library = makeLibrary({ albums: 1, mode: 'extended' })
  library.albums.push(makeSavedAlbum(addedAt, odd))
  const { get } = await build(t, { simulator: { library } })
  const { records } = (await get('/tables/albums/read')).body
  t.strictSame(records[1], {
    added_at: addedAt,
    album: {
      id: odd.id,
      name: '',
      uri: odd.uri,
      href: odd.href,
      album_type: null,
      total_tracks: odd.total_tracks,
      release_date: null,
      release_date_precision: null,
      label: odd.label,
      popularity: odd.popularity,
      genres: [],
      images: [],
      artists: [],
      copyrights: odd.copyrights,
      external_ids: null,
      external_urls: null,
    },
  })
})

t.test('an album that has no id is known by its uri, and by nothing without one', async (t) => {
  const library = makeLibrary({ albums: 1 })
  library.albums.push(
    makeSavedAlbum(addedAt, makeAlbum(1, { id: null, uri: 'spotify:local:album:x' })),
    makeSavedAlbum(addedAt, makeAlbum(2, { id: null, uri: 'spotify:album:null' })),
    makeSavedAlbum(addedAt, makeAlbum(3, { id: null, uri: null })),
  )
  const { get } = await build(t, { simulator: { library } })
  const { body } = await get('/tables/albums/read')
  t.strictSame(
    body.records.map(({ album }: Record) => album.id),
    [library.albums[0]?.album.id, 'spotify:local:album:x'],
  )
  t.equal(body.skipped, 2)
})

t.test('what development mode does not send is null', async (t) => {
  const { get } = await build(t, { simulator: { library: makeLibrary({ albums: 3 }) } })
  const { records } = (await get('/tables/albums/read')).body
  t.equal(records.length, 3)
  for (const { album } of records) t.match(album, { label: null, popularity: null })
})
