import type { Call, SpotifyClient } from './client.ts'
import { withEither } from './either-signal.ts'
import {
  type CursorPage,
  type Page,
  type PlaysPage,
  readFollowing,
  readPage,
  readPlays,
  readProfile,
} from './objects.ts'

/**
 * Gets the page of a list that begins at `position` (from 0), of at most `size` items. The signal
 * ends this one request, for a page that nobody needs any more.
 */
export type GetPage = (position: number, size: number, signal: AbortSignal) => Promise<Page>

/** Gets the page of a list that begins behind `after` (null: the list's begin). */
export type GetCursorPage = (after: string | null, size: number) => Promise<CursorPage>

/** Gets plays, newest first; those before the instant `beforeMs` where one is given. */
export type GetPlays = (size: number, beforeMs: number | null) => Promise<PlaysPage>

/** What one read of a table may ask of Spotify. */
export type Spotify = {
  /** A list paged by position. Source: Web API, "Get User's Saved Tracks" and its like. */
  list(path: string, query?: Record<string, string>): GetPage
  /** The artists the account follows. Source: Web API, "Get Followed Artists". */
  following: GetCursorPage
  /** The last plays. Source: Web API, "Get Recently Played Tracks". */
  plays: GetPlays
  /** The account's profile. Source: Web API, "Get Current User's Profile". */
  profile(): Promise<Record<string, unknown>>
}

/** The requests of one read: each carries its scopes, budget and signal. */
export function openSession(client: SpotifyClient, call: Call): Spotify {
  return {
    list:
      (path, query = {}) =>
      (position, size, signal) =>
        withEither(call.signal, signal, (either) =>
          client.get(
            { path, query: { ...query, limit: size, offset: position }, read: readPage },
            { ...call, signal: either },
          ),
        ),
    following: (after, size) =>
      client.get(
        {
          path: '/me/following',
          query: { type: 'artist', limit: size, ...(after === null ? {} : { after }) },
          read: readFollowing,
        },
        call,
      ),
    plays: (size, beforeMs) =>
      client.get(
        {
          path: '/me/player/recently-played',
          query: { limit: size, ...(beforeMs === null ? {} : { before: beforeMs }) },
          read: readPlays,
        },
        call,
      ),
    profile: () => client.get({ path: '/me', query: {}, read: readProfile }, call),
  }
}
