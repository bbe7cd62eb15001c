import { readPlays, readPlaysOffset } from '../reading/plays.ts'
import { string, struct } from '../schema/types.ts'
import { Context, keyOf, Track, withKey } from './objects.ts'
import { defineTable } from './table.ts'

/** The play history, of which Spotify keeps 50. Source: Web API, "Get Recently Played Tracks". */
export const recentlyPlayed = defineTable({
  name: 'recently_played',
  description:
    'Tracks played, oldest first: those of the last 50 plays that the offset does not know. Spotify keeps no more than 50, so read it more often than 50 tracks are played.',
  ingestionType: 'cdc',
  primaryKeys: ['played_at', 'track.id'],
  cursorField: 'played_at',
  scopes: ['user-read-recently-played'],
  options: ['limit', 'max_pages'],
  record: struct({ played_at: string(), track: Track, context: Context }),
  key: ({ track }) => keyOf(track),
  row: (item) => ({ ...item, track: withKey(item.track) }),
  place: readPlaysOffset,
  read: (spotify, read) => readPlays(spotify.plays, read),
})
