import { makeImage, makeTrack } from './catalogue.ts'
import { artistName, playlistName, title } from './names.ts'
import type { Album, Play, Playlist, SavedAlbum, SavedTrack, Track, User } from './objects.ts'
import { Random } from './random.ts'

/** A user's id, and the name that others see. */
export type Named = { id: string; name: string }

/** The `n`th playlist; every third belongs to somebody else than the account's owner. */
export function makePlaylist(
  n: number,
  change: Partial<Playlist> = {},
  accountOwner = makeOwner(),
): Playlist {
  const random = new Random('playlist', n)
  const id = random.id()
  const href = `https://api.spotify.com/v1/playlists/${id}`
  const own = n % 3 !== 2
  const collaborative = own && random.chance(0.1)
  const owner = own ? accountOwner : makeUser(random.below(40) + 1)
  const total = random.below(400)
  return {
    collaborative,
    description: random.pick(['', 'Rock &amp; roll, and what came after', null]),
    external_urls: { spotify: `https://open.spotify.com/playlist/${id}` },
    href,
    id,
    images: random.pick([null, [], [{ ...makeImage(random, 300), height: null, width: null }]]),
    // Development mode may keep the size of other people's playlists to itself.
    ...(own || random.chance(0.5) ? { items: { href: `${href}/items`, total } } : {}),
    name: playlistName(random),
    owner: {
      display_name: owner.display_name,
      external_urls: owner.external_urls,
      href: owner.href,
      id: owner.id,
      type: 'user',
      uri: owner.uri,
    },
    primary_color: null,
    public: collaborative ? false : random.pick([true, true, false, null]),
    snapshot_id: `AAAA${random.id()}`,
    tracks: { href: `${href}/tracks`, total },
    type: 'playlist',
    uri: `spotify:playlist:${id}`,
    ...change,
  }
}

/** A track as an item of the saved tracks; `addedAt` is ISO or Unix ms, kept in whole seconds. */
export function makeSavedTrack(addedAt: string | number, track: Track | null): SavedTrack {
  return { added_at: isoSeconds(addedAt), track }
}

/** An album as an item of the saved albums; `addedAt` is ISO or Unix ms, kept in whole seconds. */
export function makeSavedAlbum(addedAt: string | number, album: Album): SavedAlbum {
  return { added_at: isoSeconds(addedAt), album }
}

/** A play; a string is kept as `played_at` to the letter, a number is Unix ms. */
export function makePlay(
  playedAt: string | number,
  track: Track,
  context: Play['context'] = null,
): Play {
  const played_at = typeof playedAt === 'string' ? playedAt : new Date(playedAt).toISOString()
  return { context, played_at, track }
}

/**
 * A file of the owner's own that Spotify does not know: no id, no links.
 * Source: spotipy-dev/spotipy#553, which shows one whole.
 */
export function makeLocalTrack(n: number): Track {
  const random = new Random('local', n)
  const artist = artistName(random)
  const album = title(random)
  const name = title(random)
  const duration_ms = (random.below(300) + 60) * 1000
  const nothing = { external_urls: {}, href: null, id: null, uri: null }
  const words = [artist, album, name].map((word) => encodeURIComponent(word).replaceAll('%20', '+'))
  return {
    ...makeTrack(0),
    album: {
      ...nothing,
      album_type: null,
      artists: [],
      available_markets: [],
      images: [],
      name: album,
      release_date: null,
      release_date_precision: null,
      total_tracks: 0,
      type: 'album',
    },
    artists: [{ ...nothing, name: artist, type: 'artist' }],
    available_markets: [],
    disc_number: 0,
    duration_ms,
    explicit: false,
    external_ids: {},
    external_urls: {},
    href: null,
    id: null,
    is_local: true,
    name,
    popularity: 0,
    track_number: 0,
    uri: `spotify:local:${words.join(':')}:${duration_ms / 1000}`,
  }
}

/** The `n`th user; 0 is the account's owner. */
export function makeUser(n = 0): User {
  if (n === 0) return makeOwner()
  const random = new Random('user', n)
  const accountId = random.id()
  const id = `listener${random.below(1e9)}`
  return user(random, accountId, { id, name: artistName(random) })
}

/** The owner of the `seed`th library: the same `account_id`, whatever the name. */
export function makeOwner(seed = 0, named?: Named): User {
  const random = new Random(seed === 0 ? 'user' : 'owner', seed)
  const nth = seed === 0 ? '' : `-${seed + 1}`
  const id = `simulated-listener${nth}`
  const name = `Simulated Listener${nth.replace('-', ' ')}`
  return user(random, random.id(), named ?? { id, name })
}

function user(random: Random, account_id: string, { id, name }: Named): User {
  return {
    account_id,
    country: 'NL',
    display_name: name,
    email: `${id}@example.com`,
    explicit_content: { filter_enabled: false, filter_locked: false },
    external_urls: { spotify: `https://open.spotify.com/user/${id}` },
    followers: { href: null, total: random.below(300) },
    href: `https://api.spotify.com/v1/users/${id}`,
    id,
    images: [makeImage(random, 300), makeImage(random, 64)],
    product: 'premium',
    type: 'user',
    uri: `spotify:user:${id}`,
  }
}

function isoSeconds(time: string | number) {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')
}
