import { makeLocalTrack } from './items.ts'
import type { Playlist, SavedAlbum, SavedTrack } from './objects.ts'

/** What becomes of the item at a place; the places lie on the first pages of a list. */
type Changes<T> = Record<number, (item: T) => T | null>

/**
 * Saved tracks as Spotify has been seen to send some: local files, an item without a track, names
 * that are empty, cut inside an emoji or break lines, dates and sizes that are not known.
 * Sources: spotify/web-api#214, Peter-Schorn/SpotifyAPI#37, mikez/spotify-folders#5.
 */
export function oddTracks(items: SavedTrack[]): (SavedTrack | null)[] {
  return changed(items, {
    3: named(''),
    11: named('Song \ud83d'),
    17: named('First line\u2028second line\u0000\u007f'),
    19: named(`${'Symphony in every key, '.repeat(40)}finale`),
    23: (item) => ({ ...item, track: null }),
    29: (item) => ({ ...item, track: makeLocalTrack(29) }),
    30: (item) => ({ ...item, track: makeLocalTrack(30) }),
    41: withAlbum({ release_date: '0000', release_date_precision: 'year' }),
    47: withAlbum({
      images: [{ url: 'https://i.scdn.co/image/ab67none', height: null, width: null }],
    }),
  })
}

/** Saved albums with two nulls among them, one without a date and one without a name. */
export function oddAlbums(items: SavedAlbum[]): (SavedAlbum | null)[] {
  const nothing = () => null
  return changed(items, {
    7: nothing,
    33: nothing,
    12: ({ added_at, album }) => ({
      added_at,
      album: { ...album, release_date: '0000', release_date_precision: 'year' },
    }),
    20: ({ added_at, album }) => ({ added_at, album: { ...album, images: [] } }),
    26: ({ added_at, album }) => ({ added_at, album: { ...album, name: '' } }),
  })
}

/**
 * Playlists with two nulls among them, an owner of whom nothing is known, half an emoji, and a
 * size that is not known. Sources: spotify/web-api#896, aome510/spotify-player#398.
 */
export function oddPlaylists(items: Playlist[]): (Playlist | null)[] {
  const nothing = () => null
  return changed(items, {
    4: nothing,
    40: nothing,
    9: (item) => ({
      ...item,
      owner: {
        display_name: null,
        external_urls: { spotify: null },
        href: null,
        id: null,
        type: 'user',
        uri: null,
      },
    }),
    15: (item) => ({ ...item, name: '\udc00x' }),
    21: (item) => ({
      ...item,
      items: { href: `${item.href}/items`, total: null },
      tracks: { href: `${item.href}/tracks`, total: null },
    }),
  })
}

function changed<T>(items: T[], changes: Changes<T>): (T | null)[] {
  return items.map((item, at) => changes[at]?.(item) ?? (at in changes ? null : item))
}

function named(name: string) {
  return ({ added_at, track }: SavedTrack) => ({ added_at, track: track && { ...track, name } })
}

function withAlbum(change: Partial<NonNullable<SavedTrack['track']>['album']>) {
  return ({ added_at, track }: SavedTrack) => ({
    added_at,
    track: track && { ...track, album: { ...track.album, ...change } },
  })
}
