import t from 'tap'
import { makeLibrary, makeTrack } from '../../src/simulator/library.ts'

t.test('a library has the size of a real one', async (t) => {
  const library = makeLibrary()
  t.equal(library.tracks.length, 1_200)
  t.equal(library.albums.length, 90)
  t.equal(library.playlists.length, 60)
  t.equal(library.artists.length, 140)
  t.equal(library.plays.length, 60)
  const { short_term, medium_term, long_term } = library.topTracks
  t.same([short_term.length, medium_term.length, long_term.length], [160, 240, 320])
  t.same(
    Object.values(library.topArtists).map(({ length }) => length),
    [120, 180, 240],
  )
})

t.test('the same seed gives the same library, another one another', async (t) => {
  t.equal(JSON.stringify(makeLibrary()), JSON.stringify(makeLibrary()))
  const small = { tracks: 5, albums: 5, artists: 5, playlists: 5 }
  const ids = (seed: number) => {
    const { tracks, albums, artists, playlists } = makeLibrary({ ...small, seed })
    return [
      ...tracks.map((item) => item?.track?.id),
      ...albums.map((item) => item?.album.id),
      ...artists.map(({ id }) => id),
      ...playlists.map((item) => item?.id),
    ]
  }
  t.equal(new Set([...ids(0), ...ids(1)]).size, 40)
})

t.test('a library is there at once: its lists are made when they are looked at', async (t) => {
  const library = makeLibrary({ tracks: 2 })
  const made = () => 'value' in (Object.getOwnPropertyDescriptor(library, 'tracks') ?? {})
  t.notOk(made())
  t.equal(library.tracks, library.tracks)
  t.ok(made())
  library.tracks = []
  library.topTracks.long_term = [makeTrack(1)]
  t.same(library.tracks, [])
  t.equal(library.topTracks.long_term.length, 1)
})

t.test('a list whose size is given holds regular items alone', async (t) => {
  const { tracks, albums, playlists } = makeLibrary({ tracks: 237, albums: 40, playlists: 41 })
  t.same([tracks.length, albums.length, playlists.length], [237, 40, 41])
  const ids = tracks.map((item) => item?.track?.id)
  t.equal(new Set(ids).size, 237)
  t.ok(ids.every((id) => /^[0-9A-Za-z]{22}$/.test(String(id))))
  t.notOk(albums.includes(null))
  t.notOk(playlists.includes(null))
  t.same(tracks[5]?.track, makeTrack(5))
})

t.test('a list whose size is not given holds what Spotify has been seen to send', async (t) => {
  const { tracks, albums, playlists } = makeLibrary()
  const names = tracks.map((item) => item?.track?.name)
  t.ok(names.includes(''))
  t.ok(names.some((name) => name && !name.isWellFormed()))
  t.ok(names.some((name) => name?.includes('\u2028')))
  t.ok(names.some((name) => name && name.length > 500))
  t.ok(names.some((name) => /\p{Script=Hebrew}|\p{Script=Arabic}/u.test(name ?? '')))
  t.ok(names.some((name) => /\p{Extended_Pictographic}/u.test(name ?? '')))
  t.ok(tracks.some((item) => item?.track === null))
  t.ok(tracks.some((item) => item?.track?.album.release_date === '0000'))
  t.ok(tracks.some((item) => item?.track?.album.images[0]?.height === null))
  t.ok(tracks.some((item) => (item?.track?.artists.length ?? 0) > 2))
  t.equal(albums.filter((item) => item === null).length, 2)
  t.equal(playlists.filter((item) => item === null).length, 2)
  t.ok(playlists.some((item) => item && item.owner.id === null))
  t.ok(makeLibrary({ tracks: 50, oddities: true }).tracks.some((item) => item?.track === null))
})

t.test('a local file has no id and no links, and its own address', async (t) => {
  const local = makeLibrary().tracks.filter((item) => item?.track?.is_local)
  t.equal(local.length, 2)
  for (const item of local) {
    t.match(item?.track, { id: null, href: null, external_ids: {}, external_urls: {} })
    t.match(item?.track?.uri, /^spotify:local:[^:]+:[^:]+:[^:]+:\d+$/)
  }
  t.not(local[0]?.track?.uri, local[1]?.track?.uri)
})

t.test('saved tracks come newest first, in whole seconds; albums out of order', async (t) => {
  const { tracks, albums } = makeLibrary()
  const times = tracks.map((item) => item?.added_at ?? '')
  t.ok(times.every((time) => /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time)))
  t.same(times, times.toSorted().reverse())
  const albumTimes = albums.flatMap((item) => (item ? [item.added_at] : []))
  t.notSame(albumTimes, albumTimes.toSorted().reverse())
})

t.test('the top lists differ between time ranges, and repeat nothing in themselves', async (t) => {
  for (const lists of [makeLibrary().topTracks, makeLibrary().topArtists]) {
    const [short, medium, long] = Object.values(lists).map((list: { id: string | null }[]) =>
      list.map(({ id }) => id),
    )
    t.notSame(short?.slice(0, 20), medium?.slice(0, 20))
    t.notSame(medium?.slice(0, 20), long?.slice(0, 20))
    t.equal(new Set(long).size, long?.length)
  }
})

t.test('no two items share an object', async (t) => {
  const library = makeLibrary({ tracks: 3 })
  const [first, second] = library.tracks
  if (!first?.track || !second?.track) throw new Error('no tracks')
  t.equal(first.track.album.id, second.track.album.id)
  first.track.album.name = 'Changed'
  t.not(second.track.album.name, 'Changed')
})
