import { spawnSync } from 'node:child_process'
import t from 'tap'
import {
  type Library,
  makeAlbum,
  makeLibrary,
  makeLocalTrack,
  makePlaylist,
  makeSavedAlbum,
  makeSavedTrack,
  makeTrack,
} from '../../src/simulator/library.ts'
import type { SavedTrack, Track } from '../../src/simulator/objects.ts'
import { build } from '../helpers/build.ts'

type Row = Record<string, unknown>

const savedAt = '2026-11-20T12:00:00Z'
const saved = (track: Track | null) => makeSavedTrack(savedAt, track)

const trackIdOf = ({ track }: { track: { id: string } }) => track.id
const emptyLibrary = (): Library =>
  makeLibrary({ tracks: 0, albums: 0, playlists: 0, artists: 0, plays: 0 })

// In the middle of a page, and over a page's edge.
for (const place of [4, 47]) {
  t.test(`items without a key at place ${place} are skipped, local files are not`, async (t) => {
    const locals = [makeLocalTrack(1), makeLocalTrack(2)]
    const nameless = { id: null, is_local: false, uri: 'spotify:track:null' }
    const odd: SavedTrack[] = [
      ...locals.map(saved),
      saved(null),
      saved({ ...makeTrack(1), ...nameless }),
      saved({ ...makeTrack(2), ...nameless }),
    ]
    const library = makeLibrary({ tracks: 237 })
    const ids = library.tracks.map((item) => item?.track?.id)
    library.tracks.splice(place, odd.length, ...odd)
    ids.splice(place, odd.length, ...locals.map(({ uri }) => uri))

    const { get, log } = await build(t, { simulator: { library } })
    const { status, body } = await get('/tables/tracks/read')
    t.equal(status, 200)
    t.equal(body.records.length, 234)
    t.strictSame(body.records.map(trackIdOf), ids)
    t.equal(body.skipped, 3)
    t.equal(body.has_more, false)
    t.notOk('interrupted' in body)
    const warnings = log.filter(({ level, skipped }) => level === 40 && skipped === 3)
    t.equal(warnings.length, 1, 'one warning')
  })
}

t.test('odd objects keep their rows, and no record has an empty object', async (t) => {
  const longUri = `spotify:local:${'%5B%E2%96%A0+'.repeat(26)}:album:title:215`.padEnd(400, '5')
  const nobody = { id: null, href: null, uri: null }
  const library = emptyLibrary()
  const local = {
    ...makeLocalTrack(1),
    uri: longUri,
    external_urls: {},
    album: {
      ...makeLocalTrack(1).album,
      album_type: null,
      artists: [{ ...nobody, name: '', type: 'artist', external_urls: {} }],
      external_urls: {},
      images: [],
      name: '',
      release_date: null,
    },
    artists: [],
  }
  library.tracks.push(saved(local))
  library.albums.push(
    makeSavedAlbum(savedAt, {
      ...makeAlbum(1),
      artists: [],
      images: [],
      name: '',
      release_date: '0000',
      release_date_precision: 'year',
    }),
  )
  const noOwner = { ...nobody, type: 'user', display_name: null, external_urls: { spotify: null } }
  const href = 'https://api.spotify.com/v1/playlists/p/tracks'
  const noSize = { items: { href, total: null }, tracks: { href, total: null } }
  library.playlists.push(makePlaylist(1, { owner: noOwner, ...noSize, images: [] }))

  const { get } = await build(t, { simulator: { library } })
  const rowOf = async (table: string) => {
    const { status, body } = await get(`/tables/${table}/read`)
    t.equal(status, 200)
    t.equal(body.records.length, 1, table)
    t.notOk('skipped' in body)
    t.strictSame(emptyObjectsIn(body.records[0]), [], table)
    return body.records[0]
  }

  const { track } = await rowOf('tracks')
  t.equal(longUri.length, 400)
  t.equal(track.id, longUri)
  t.equal(track.uri, longUri)
  t.strictSame(track.artists, [])
  t.match(track, { external_urls: null, external_ids: null })
  t.match(track.album, { album_type: null, external_urls: null, name: '', release_date: null })
  t.strictSame(track.album.images, [])
  t.strictSame(track.album.artists, [
    { id: null, name: '', uri: null, href: null, external_urls: null },
  ])

  const { album } = await rowOf('albums')
  t.match(album, { name: '', release_date: '0000', release_date_precision: 'year' })
  t.strictSame([album.artists, album.images], [[], []])

  const playlist = await rowOf('playlists')
  t.strictSame(playlist.tracks, { href, total: null })
  t.strictSame(playlist.owner, {
    id: null,
    display_name: null,
    uri: null,
    href: null,
    external_urls: { spotify: null },
  })
})

t.test('half an emoji becomes U+FFFD, and whole ones stay', async (t) => {
  const good = 'a 👩‍👩‍👧 b שלום \u200f \ud83d\ude00'
  const library = emptyLibrary()
  library.tracks.push(
    saved({ ...makeTrack(1), name: 'Song \ud83d' }),
    saved({ ...makeTrack(2), name: good }),
    saved({ ...makeTrack(3), id: 'id\ud83d', uri: 'spotify:track:\udc00' }),
  )
  library.playlists.push(makePlaylist(1, { name: '\udc00x' }), makePlaylist(2, { name: good }))
  const { get } = await build(t, { simulator: { library } })
  const tracks = await get('/tables/tracks/read')
  const playlists = await get('/tables/playlists/read')

  const names = tracks.body.records.map(({ track }: { track: Row }) => track.name)
  t.strictSame(names.slice(0, 2), ['Song \ufffd', good])
  t.match(tracks.body.records[2].track, { id: 'id\ufffd', uri: 'spotify:track:\ufffd' })
  t.strictSame(
    playlists.body.records.map(({ name }: Row) => name),
    ['\ufffdx', good],
  )
  for (const { text } of [tracks, playlists]) t.notMatch(text, /\\ud[89a-f]/i, 'no half is left')

  const python = 'import json, sys; json.dumps(json.load(sys.stdin), ensure_ascii=False).encode()'
  const parse = (input: string) => spawnSync('python3', ['-c', python], { input })
  const { error, status } = parse('"\\ud83d"')
  t.test('Python encodes every string', { skip: error ? 'no python3' : false }, async (t) => {
    t.not(status, 0, 'a half would fail')
    for (const { text } of [tracks, playlists]) t.equal(parse(text).status, 0)
  })
})

/** The paths of all empty objects in a value. */
function emptyObjectsIn(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  const fields = Object.entries(value)
  if (fields.length === 0) return Array.isArray(value) ? [] : [path]
  return fields.flatMap(([name, field]) => emptyObjectsIn(field, `${path}.${name}`))
}
