import type { Library } from './library.ts'
import type {
  Album,
  Artist,
  Play,
  Playlist,
  SavedAlbum,
  SavedTrack,
  Track,
  User,
} from './objects.ts'

/** What an app is sent of each object. */
export type View = {
  user(user: Partial<User>): object
  track(track: Track): object
  savedTrack(item: SavedTrack): object
  savedAlbum(item: SavedAlbum): object
  playlist(item: Playlist): object
  artist(artist: Artist): object
  play(play: Play): object
}

const same = <T extends object>(object: T) => object

const extended: View = {
  user: same,
  track: same,
  savedTrack: same,
  savedAlbum: same,
  playlist: same,
  artist: same,
  play: same,
}

/** Since February 2026 an app in development mode is sent fewer fields. */
const development: View = {
  user: (user) => without(user, ['country', 'email', 'explicit_content', 'followers', 'product']),
  track: reducedTrack,
  savedTrack: (item) => ({ ...item, track: item.track && reducedTrack(item.track) }),
  savedAlbum: (item) => ({ ...item, album: item.album && reducedAlbum(item.album) }),
  playlist: (item) => without(item, ['tracks']),
  artist: (artist) => without(artist, ['followers', 'popularity']),
  play: (play) => ({ ...play, track: play.track && reducedTrack(play.track) }),
}

/** The objects as an app of the library's mode is sent them. */
export function viewOf({ mode }: Library): View {
  return mode === 'development' ? development : extended
}

/** A copy of an object that lacks the fields. */
export function without<T extends object>(object: T, fields: (keyof T)[]): Partial<T> {
  const copy: Partial<T> = { ...object }
  for (const field of fields) delete copy[field]
  return copy
}

function reducedTrack(track: Track) {
  return {
    ...without(track, ['available_markets', 'linked_from', 'popularity']),
    album: track.album && without(track.album, ['available_markets']),
  }
}

function reducedAlbum(album: Album) {
  return {
    ...without(album, ['available_markets', 'label', 'popularity']),
    tracks: album.tracks && {
      ...album.tracks,
      items: album.tracks.items.map((track) =>
        without(track, ['available_markets', 'linked_from']),
      ),
    },
  }
}
