import { makeAlbum, makeArtist, makeTrack, seedStride } from './catalogue.ts'
import { makeOwner, makePlaylist, makeSavedAlbum, makeSavedTrack, type Named } from './items.ts'
import type { Artist, Play, Playlist, SavedAlbum, SavedTrack, Track, User } from './objects.ts'
import { oddAlbums, oddPlaylists, oddTracks } from './oddities.ts'
import { playsUntil } from './plays.ts'
import { Random } from './random.ts'

export { makeAlbum, makeArtist, makeTrack } from './catalogue.ts'
export {
  makeLocalTrack,
  makePlay,
  makePlaylist,
  makeSavedAlbum,
  makeSavedTrack,
  makeUser,
} from './items.ts'

/** Over how long an account's owner has listened: about four weeks, six months, a year. */
export type TimeRange = 'short_term' | 'medium_term' | 'long_term'

/**
 * What an account holds: plain lists of the Web API's items, to be changed at will. No two items
 * share an object, so a change of one shows in no other.
 */
export type Library = {
  /** Which fields the Web API sends: what an app in development mode gets, or all of them. */
  mode: 'development' | 'extended'
  me: User
  /** Newest first by `added_at`, as Spotify keeps them. */
  tracks: (SavedTrack | null)[]
  /** Not in order of `added_at`, as at Spotify. */
  albums: (SavedAlbum | null)[]
  playlists: (Playlist | null)[]
  /** The followed artists. */
  artists: Artist[]
  topTracks: Record<TimeRange, Track[]>
  topArtists: Record<TimeRange, Artist[]>
  /**
   * Newest first. The simulator puts them in order of their instants, so a play that comes late
   * may be put in anywhere; it answers with the 50 newest.
   */
  plays: Play[]
}

/** How much to make. A list whose size is given holds regular items alone, unless `oddities`. */
export type LibrarySize = {
  /** Saved tracks; 1,200. */
  tracks?: number
  /** Saved albums; 90. */
  albums?: number
  /** 60. */
  playlists?: number
  /** Followed artists; 140. */
  artists?: number
  /** In each time range; otherwise 160, 240 and 320. */
  topTracks?: number
  /** In each time range; otherwise 120, 180 and 240. */
  topArtists?: number
  /** 60. */
  plays?: number
  /** Who it belongs to; otherwise it comes of the seed. */
  owner?: Named
  /** Another one gives other items; 0 by default, where `tracks[n].track` equals `makeTrack(n)`. */
  seed?: number
  /** Unix ms that everything was before; 2026-11-24T12:00:00Z. */
  nowMs?: number
  /** Default `development`. */
  mode?: Library['mode']
  /** Items as Spotify has been seen to send them: null, local files, half an emoji, no dates. */
  oddities?: boolean
}

const defaultNowMs = Date.UTC(2026, 10, 24, 12)
const dayMs = 86_400_000
/** Over how long the library was put together. */
const collectedMs = 9 * 365 * dayMs

/**
 * A made-up library: the same size and seed give the same one. Each list is made when it is
 * first looked at, for nothing that starts should wait for lists that nobody reads.
 */
export function makeLibrary(size: LibrarySize = {}): Library {
  const { seed = 0, nowMs = defaultNowMs } = size
  const first = seed * seedStride
  const odd = (given: number | undefined) => size.oddities ?? given === undefined

  return lazily<Library>({
    mode: () => size.mode ?? 'development',
    me: () => makeOwner(seed, size.owner),
    tracks: () => {
      const count = size.tracks ?? 1_200
      const times = timesBefore(nowMs, count, new Random('track saved', seed))
      const items = times.map((time, at) => makeSavedTrack(time, makeTrack(first + at)))
      return odd(size.tracks) ? oddTracks(items) : items
    },
    albums: () => {
      const count = size.albums ?? 90
      const times = timesBefore(nowMs, count, new Random('album saved', seed))
      // One in six stands where a date of its own would not put it.
      const random = new Random('album order', seed)
      const items = times.map((time, at) =>
        makeSavedAlbum(
          random.chance(1 / 6) ? nowMs - random.below(9 * 365) * dayMs : time,
          makeAlbum(first + at),
        ),
      )
      return odd(size.albums) ? oddAlbums(items) : items
    },
    playlists: () => {
      const items = listOf(size.playlists ?? 60, (at) =>
        makePlaylist(first + at, {}, makeOwner(seed, size.owner)),
      )
      return odd(size.playlists) ? oddPlaylists(items) : items
    },
    artists: () => listOf(size.artists ?? 140, (at) => makeArtist(first + at)),
    topTracks: () =>
      lazily({
        short_term: () => top(size.topTracks ?? 160, 'short_term', makeTrack),
        medium_term: () => top(size.topTracks ?? 240, 'medium_term', makeTrack),
        long_term: () => top(size.topTracks ?? 320, 'long_term', makeTrack),
      }),
    topArtists: () =>
      lazily({
        short_term: () => top(size.topArtists ?? 120, 'short_term', makeArtist),
        medium_term: () => top(size.topArtists ?? 180, 'medium_term', makeArtist),
        long_term: () => top(size.topArtists ?? 240, 'long_term', makeArtist),
      }),
    plays: () => playsUntil(nowMs, size.plays ?? 60, seed),
  })

  /** A choice from half as many again, so that the ranges have some items in common, not all. */
  function top<T>(count: number, range: TimeRange, make: (n: number) => T) {
    const chosen = new Random(range, seed).shuffled(Math.ceil(count * 1.5)).slice(0, count)
    return chosen.map((at) => make(first + at))
  }
}

/** Unix ms, newest first, spread over the years; some share a second, as things saved together. */
function timesBefore(nowMs: number, count: number, random: Random) {
  // One draw reaches no further than 2 ** 32.
  const gapMs = Math.min((2 * collectedMs) / count, 2 ** 32)
  let time = nowMs
  return listOf(count, () => {
    if (!random.chance(0.05)) time -= random.below(gapMs)
    return time
  })
}

function listOf<T>(count: number, make: (at: number) => T) {
  return Array.from({ length: count }, (_, at) => make(at))
}

/** An object whose values are made when they are first read; they may be set, too. */
function lazily<T extends object>(makers: { [Key in keyof T]: () => T[Key] }): T {
  const made = {} as T
  for (const key of Object.keys(makers) as (keyof T)[]) {
    const keep = (value: T[keyof T]) => {
      Object.defineProperty(made, key, { value, enumerable: true, writable: true })
      return value
    }
    Object.defineProperty(made, key, {
      configurable: true,
      enumerable: true,
      get: () => keep(makers[key]()),
      set: keep,
    })
  }
  return made
}
