import { ApiError } from './answer.ts'
import { Following } from './following.ts'
import type { Library, TimeRange } from './library.ts'
import { type View, without } from './mode.ts'
import { type Cut, offsetPage } from './paging.ts'
import { instantOf, playsUntil } from './plays.ts'
import { keptPlays, recentlyPlayed } from './recently-played.ts'

/** A request that has been let in. */
export type Call = {
  cut: Cut
  library: Library
  view: View
  scopes: readonly string[]
  nowMs: number
  baseUrl: string
}

/** One path of the Web API: the scope that its token needs, and the answer's body. */
export type Endpoint = { scope?: string; answer: (call: Call) => object }

/** Spotify refuses to look further into the playlists. */
const maxPlaylistOffset = 100_000

/**
 * The endpoints of one account by path. `livePlaysSinceMs` is the Unix ms since when plays, those
 * of the seed, go on happening by themselves; null when they don't.
 */
export function makeEndpoints(livePlaysSinceMs: number | null, seed = 0): Record<string, Endpoint> {
  const following = new Following()
  return {
    '/me': {
      scope: 'user-read-private',
      answer: ({ library: { me }, view, scopes }) =>
        view.user(scopes.includes('user-read-email') ? me : without(me, ['email'])),
    },
    '/me/tracks': {
      scope: 'user-library-read',
      answer: ({ cut, library, view }) => shown(offsetPage(library.tracks, cut), view.savedTrack),
    },
    '/me/albums': {
      scope: 'user-library-read',
      answer: ({ cut, library, view }) => shown(offsetPage(library.albums, cut), view.savedAlbum),
    },
    '/me/playlists': { answer: playlists },
    '/me/following': {
      scope: 'user-follow-read',
      answer: ({ cut, library, view }) => ({
        artists: shown(following.page(library.artists, cut), view.artist),
      }),
    },
    '/me/top/tracks': {
      scope: 'user-top-read',
      answer: ({ cut, library, view }) => shown(top(library.topTracks, cut), view.track),
    },
    '/me/top/artists': {
      scope: 'user-top-read',
      answer: ({ cut, library, view }) => shown(top(library.topArtists, cut), view.artist),
    },
    '/me/player/recently-played': {
      scope: 'user-read-recently-played',
      answer: ({ cut, library, view, nowMs }) => {
        const live = livePlaysSinceMs === null ? [] : playsSince(livePlaysSinceMs, nowMs, seed)
        return shown(recentlyPlayed([...live, ...library.plays], cut), view.play)
      },
    },
  }
}

/**
 * Without one of its two scopes Spotify does not refuse: it leaves out what is not for everybody
 * to see. The links of a page lead to another endpoint.
 */
export function playlists({ cut, library, view, scopes, baseUrl }: Call): object {
  const all = ['playlist-read-private', 'playlist-read-collaborative']
  const list = all.every((scope) => scopes.includes(scope))
    ? library.playlists
    : library.playlists.filter((item) => item?.public && !item.collaborative)
  const url = `${baseUrl}/users/${encodeURIComponent(library.me.id)}/playlists`
  return shown(offsetPage(list, { ...cut, url }, { maxOffset: maxPlaylistOffset }), view.playlist)
}

/** Of the plays that happened since, those that Spotify still has. */
function playsSince(sinceMs: number, nowMs: number, seed: number) {
  return playsUntil(nowMs, keptPlays, seed).filter((play) => instantOf(play) > sinceMs)
}

function top<T>(lists: Record<TimeRange, T[]>, cut: Cut) {
  const range = cut.query.time_range ?? 'medium_term'
  if (!Object.hasOwn(lists, range)) throw new ApiError(400, 'Invalid time_range')
  return offsetPage(lists[range as TimeRange], cut, { keep: ['time_range'] })
}

/** A page with its items as the app is sent them; what is no object stays as it is. */
function shown<T extends object, P extends { items: readonly (T | null)[] }>(
  page: P,
  show: (item: T) => object,
): P {
  const items = page.items.map((item) => (item instanceof Object ? show(item) : item))
  return { ...page, items }
}
