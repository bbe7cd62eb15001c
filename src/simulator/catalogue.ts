import { artistName, title } from './names.ts'
import type {
  Album,
  Artist,
  Image,
  SimplifiedAlbum,
  SimplifiedArtist,
  SimplifiedTrack,
  Track,
} from './objects.ts'
import { Random } from './random.ts'

/** How far apart the items of two libraries' seeds begin. */
export const seedStride = 300_000

const markets = ['AR', 'BR', 'DE', 'ES', 'FR', 'GB', 'IN', 'JP', 'KR', 'MX', 'NL', 'US']
/** How many artists make the albums of the catalogue; those followed may be more. */
const recordingArtists = 400
/** Tracks `3a`, `3a + 1` and `3a + 2` are the first three of album `a`. */
const numberedTracksAnAlbum = 3

/**
 * The `n`th track of an endless made-up catalogue: the same `n` gives an equal track every time,
 * and nothing is shared between two of them, so that a test may change one alone.
 */
export function makeTrack(n: number, change: Partial<Track> = {}): Track {
  const albumNumber = Math.floor(n / numberedTracksAnAlbum)
  const random = new Random('track', n)
  return {
    ...simplifiedTrack(random, albumNumber, (n % numberedTracksAnAlbum) + 1),
    album: simplifiedAlbum(albumNumber),
    external_ids: { isrc: `QZSIM${String(n % 1e7).padStart(7, '0')}` },
    is_playable: true,
    popularity: random.below(100),
    ...change,
  }
}

/** The `n`th artist of the catalogue. */
export function makeArtist(n: number, change: Partial<Artist> = {}): Artist {
  const random = new Random('artist', n)
  const artist = simplifiedArtist(random)
  return {
    ...artist,
    followers: { href: null, total: random.below(2_000_000) },
    genres: [],
    images: images(random),
    popularity: random.below(100),
    ...change,
  }
}

/** The `n`th album of the catalogue, with its tracks. */
export function makeAlbum(n: number, change: Partial<Album> = {}): Album {
  const album = simplifiedAlbum(n)
  const random = new Random('whole album', n)
  return {
    ...album,
    tracks: {
      href: `${album.href}/tracks?offset=0&limit=50`,
      items: Array.from({ length: album.total_tracks }, (_, at) => albumTrack(n, at)),
      limit: 50,
      next: null,
      offset: 0,
      previous: null,
      total: album.total_tracks,
    },
    copyrights: [
      { text: `${random.below(30) + 1995} Simulated Records`, type: 'C' },
      { text: `${random.below(30) + 1995} Simulated Records & Söhne`, type: 'P' },
    ],
    external_ids: { upc: String(8e11 + n) },
    genres: [],
    label: 'Simulated Records',
    popularity: random.below(100),
    ...change,
  }
}

/** A picture of `size` by `size` pixels. */
export function makeImage(random: Random, size: number): Image {
  return { url: `https://i.scdn.co/image/ab67${random.id()}`, height: size, width: size }
}

function simplifiedTrack(
  random: Random,
  albumNumber: number,
  trackNumber: number,
): SimplifiedTrack {
  const id = random.id()
  const main = albumArtist(albumNumber)
  const guests = random.chance(0.2) ? random.below(3) + 1 : 0
  const artists = [main, ...Array.from({ length: guests }, (_, at) => main + 7 * (at + 1))]
  return {
    artists: artists.map((n) => simplifiedArtist(new Random('artist', n % recordingArtists))),
    available_markets: [...markets],
    disc_number: 1,
    duration_ms: 60_000 + random.below(360_000),
    explicit: random.chance(0.1),
    external_urls: { spotify: `https://open.spotify.com/track/${id}` },
    href: `https://api.spotify.com/v1/tracks/${id}`,
    id,
    is_local: false,
    name: title(random),
    preview_url: null,
    track_number: trackNumber,
    type: 'track',
    uri: `spotify:track:${id}`,
  }
}

/** The track at place `at` of an album: numbered ones first, then those that only albums show. */
function albumTrack(albumNumber: number, at: number) {
  const random =
    at < numberedTracksAnAlbum
      ? new Random('track', albumNumber * numberedTracksAnAlbum + at)
      : new Random('album track', albumNumber * 100 + at)
  return simplifiedTrack(random, albumNumber, at + 1)
}

function simplifiedAlbum(n: number): SimplifiedAlbum {
  const random = new Random('album', n)
  const id = random.id()
  const tracks = numberedTracksAnAlbum + random.below(12)
  const day = new Date(Date.UTC(1965 + random.below(61), random.below(12), 1 + random.below(28)))
  const precision = random.pick(['day', 'day', 'day', 'month', 'year'])
  return {
    album_type: tracks > 6 ? 'album' : random.pick(['single', 'single', 'compilation']),
    artists: [simplifiedArtist(new Random('artist', albumArtist(n)))],
    available_markets: [...markets],
    external_urls: { spotify: `https://open.spotify.com/album/${id}` },
    href: `https://api.spotify.com/v1/albums/${id}`,
    id,
    images: images(random),
    name: title(random),
    release_date: day.toISOString().slice(0, { day: 10, month: 7, year: 4 }[precision]),
    release_date_precision: precision,
    total_tracks: tracks,
    type: 'album',
    uri: `spotify:album:${id}`,
  }
}

function albumArtist(albumNumber: number) {
  return new Random('album artist', albumNumber).below(recordingArtists)
}

function simplifiedArtist(random: Random): SimplifiedArtist {
  const id = random.id()
  return {
    external_urls: { spotify: `https://open.spotify.com/artist/${id}` },
    href: `https://api.spotify.com/v1/artists/${id}`,
    id,
    name: artistName(random),
    type: 'artist',
    uri: `spotify:artist:${id}`,
  }
}

function images(random: Random) {
  return [makeImage(random, 640), makeImage(random, 300), makeImage(random, 64)]
}
