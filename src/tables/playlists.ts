import { readSwept, readSweptPlace } from '../reading/sweeps.ts'
import { keyOf, Playlist, withKey } from './objects.ts'
import { defineTable } from './table.ts'

/** Spotify refuses to look further into this list. */
const furthestPosition = 100_000

/**
 * The playlists that the account owns or follows.
 * Source: Web API, "Get Current User's Playlists".
 */
export const playlists = defineTable({
  name: 'playlists',
  description: 'Playlists that the account owns or follows.',
  ingestionType: 'snapshot',
  primaryKeys: ['id'],
  // Without one of the two, Spotify answers 200 with a part of the list.
  scopes: ['playlist-read-private', 'playlist-read-collaborative'],
  options: ['limit', 'max_pages'],
  record: Playlist,
  key: keyOf,
  // Apps in development mode get `items` where `tracks` was (Web API changelog, February 2026).
  row: (item) => withKey({ ...item, tracks: item.tracks ?? item.items }),
  place: (offset) => readSweptPlace(offset, furthestPosition),
  read: (spotify, read) => readSwept(spotify.list('/me/playlists'), read),
})
