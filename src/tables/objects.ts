import { array, boolean, long, string, struct } from '../schema/types.ts'

// The shapes of Spotify's objects that tables share: the fields of theirs that we keep, in the order
// that their tables have. Source: Spotify's Web API reference, "Objects".

export const ExternalUrls = struct({ spotify: string() })

export const ExternalIds = struct({ isrc: string(), ean: string(), upc: string() })

export const Image = struct({ url: string(), height: long(), width: long() })

/** Where something that is counted is found: an artist's or a user's followers, a playlist's tracks. */
export const Count = struct({ href: string(), total: long() })

export const SimpleArtist = struct({
  id: string(),
  name: string(),
  uri: string(),
  href: string(),
  external_urls: ExternalUrls,
})

export const AlbumOfTrack = struct({
  id: string(),
  name: string(),
  uri: string(),
  href: string(),
  album_type: string(),
  total_tracks: long(),
  release_date: string(),
  release_date_precision: string(),
  images: array(Image),
  artists: array(SimpleArtist),
  external_urls: ExternalUrls,
})

export const Track = struct({
  id: string(),
  name: string(),
  uri: string(),
  href: string(),
  disc_number: long(),
  track_number: long(),
  duration_ms: long(),
  explicit: boolean(),
  is_local: boolean(),
  popularity: long(),
  preview_url: string(),
  external_urls: ExternalUrls,
  external_ids: ExternalIds,
  album: AlbumOfTrack,
  artists: array(SimpleArtist),
})

export const Album = struct({
  id: string(),
  name: string(),
  uri: string(),
  href: string(),
  album_type: string(),
  total_tracks: long(),
  release_date: string(),
  release_date_precision: string(),
  label: string(),
  popularity: long(),
  genres: array(string()),
  images: array(Image),
  artists: array(SimpleArtist),
  copyrights: array(struct({ text: string(), type: string() })),
  external_ids: ExternalIds,
  external_urls: ExternalUrls,
})

export const Artist = struct({
  id: string(),
  name: string(),
  uri: string(),
  href: string(),
  popularity: long(),
  genres: array(string()),
  images: array(Image),
  followers: Count,
  external_urls: ExternalUrls,
})

export const Playlist = struct({
  id: string(),
  name: string(),
  uri: string(),
  href: string(),
  description: string(),
  public: boolean(),
  collaborative: boolean(),
  snapshot_id: string(),
  owner: struct({
    id: string(),
    display_name: string(),
    uri: string(),
    href: string(),
    external_urls: ExternalUrls,
  }),
  images: array(Image),
  tracks: Count,
  external_urls: ExternalUrls,
})

export const Context = struct({
  type: string(),
  uri: string(),
  href: string(),
  external_urls: ExternalUrls,
})

/** The account's owner. `account_id` never changes; Spotify gives it since May 2026. */
export const UserProfile = struct({
  id: string(),
  display_name: string(),
  uri: string(),
  href: string(),
  email: string(),
  country: string(),
  product: string(),
  explicit_content: struct({ filter_enabled: boolean(), filter_locked: boolean() }),
  followers: Count,
  images: array(Image),
  external_urls: ExternalUrls,
  account_id: string(),
})

// A uri of a null id, such as `spotify:track:null`, or of nothing but colons names no object.
const realUri = /^spotify:[a-z]+:(?!null$).*[^:]/s

/**
 * The key of a Spotify object: its id, else its uri, as for a local file, which has no id. Null
 * where it has neither: such an object can't be a row. Lone surrogates become U+FFFD, as in records.
 */
export function keyOf(object: unknown): string | null {
  const uri = textOf(object, 'uri')
  const key = textOf(object, 'id') ?? (uri !== null && realUri.test(uri) ? uri : null)
  return key === null ? null : key.toWellFormed()
}

/** The object with its key as `id`: itself where it has an id or no key at all, else a shallow copy. */
export function withKey(object: unknown): unknown {
  if (textOf(object, 'id') !== null) return object
  const key = keyOf(object)
  return key === null ? object : { ...(object as object), id: key }
}

function textOf(object: unknown, name: 'id' | 'uri'): string | null {
  const value = (object as Record<string, unknown> | null | undefined)?.[name]
  return typeof value === 'string' && value !== '' ? value : null
}
