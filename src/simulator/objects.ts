/**
 * The objects of the Web API as the simulated library keeps them: every field that any kind of
 * app gets, with null wherever Spotify has been seen to send it.
 * Source: Spotify's published schema of 2026-05-30, and recorded answers.
 */

/** Where people find it; `{}` on local files. */
export type ExternalUrls = { spotify?: string | null }

/** A picture in one size, in pixels; the size is often not known. */
export type Image = { url: string; height: number | null; width: number | null }

export type Followers = { href: string | null; total: number }

export type SimplifiedArtist = {
  external_urls: ExternalUrls
  href: string | null
  id: string | null
  name: string
  type: string
  uri: string | null
}

export type Artist = SimplifiedArtist & {
  followers: Followers
  genres: string[]
  images: Image[]
  popularity: number
}

export type SimplifiedAlbum = {
  album_type: string | null
  artists: SimplifiedArtist[]
  available_markets: string[]
  external_urls: ExternalUrls
  href: string | null
  id: string | null
  images: Image[]
  name: string
  release_date: string | null
  release_date_precision: string | null
  total_tracks: number
  type: string
  uri: string | null
}

export type SimplifiedTrack = {
  artists: SimplifiedArtist[]
  available_markets: string[]
  disc_number: number
  duration_ms: number
  explicit: boolean
  external_urls: ExternalUrls
  href: string | null
  id: string | null
  is_local: boolean
  /** The track that was asked for, where another one is given in its place. */
  linked_from?: object
  name: string
  preview_url: string | null
  track_number: number
  type: string
  uri: string
}

export type Track = SimplifiedTrack & {
  album: SimplifiedAlbum
  external_ids: { isrc?: string }
  is_playable?: boolean
  popularity: number
}

export type Album = SimplifiedAlbum & {
  tracks: {
    href: string
    items: SimplifiedTrack[]
    limit: number
    next: string | null
    offset: number
    previous: string | null
    total: number
  }
  copyrights: { text: string; type: string }[]
  external_ids: { upc?: string }
  genres: string[]
  label: string
  popularity: number
}

export type PlaylistOwner = {
  display_name: string | null
  external_urls: ExternalUrls
  href: string | null
  id: string | null
  type: string
  uri: string | null
}

/** How many items a playlist has, and where they are. */
export type PlaylistItemsRef = { href: string; total: number | null }

export type Playlist = {
  collaborative: boolean
  description: string | null
  external_urls: ExternalUrls
  href: string
  id: string
  images: Image[] | null
  /** Absent for some playlists of other people. */
  items?: PlaylistItemsRef
  name: string
  owner: PlaylistOwner
  primary_color: null
  public: boolean | null
  snapshot_id: string
  tracks: PlaylistItemsRef
  type: string
  uri: string
}

/** `added_at` is ISO in UTC, in whole seconds. */
export type SavedTrack = { added_at: string; track: Track | null }

/** `added_at` is ISO in UTC, in whole seconds. */
export type SavedAlbum = { added_at: string; album: Album }

/** Where a play was started from; null when Spotify does not know. */
export type PlayContext = {
  type: string
  external_urls: ExternalUrls
  href: string
  uri: string
} | null

/** `played_at` is ISO in UTC, with milliseconds or without a fraction. */
export type Play = { context: PlayContext; played_at: string; track: Track }

export type User = {
  account_id: string
  country: string
  display_name: string | null
  email: string
  explicit_content: { filter_enabled: boolean; filter_locked: boolean }
  external_urls: ExternalUrls
  followers: Followers
  href: string
  id: string
  images: Image[]
  product: string
  type: string
  uri: string
}
