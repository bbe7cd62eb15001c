import { readList, readPosition } from '../reading/list.ts'
import { string, struct } from '../schema/types.ts'
import { keyOf, Track, withKey } from './objects.ts'
import { defineTable } from './table.ts'

/** The tracks of "Liked Songs". Source: Web API, "Get User's Saved Tracks". */
export const tracks = defineTable({
  name: 'tracks',
  description: 'Saved tracks ("Liked Songs"), newest first.',
  ingestionType: 'snapshot',
  primaryKeys: ['track.id'],
  scopes: ['user-library-read'],
  options: ['limit', 'max_pages'],
  record: struct({ added_at: string(), track: Track }),
  key: ({ track }) => keyOf(track),
  row: (item) => ({ ...item, track: withKey(item.track) }),
  place: readPosition,
  read: (spotify, read) => readList(spotify.list('/me/tracks'), read),
})
