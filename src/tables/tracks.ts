import { readList, readListPlace } from '../reading/list.ts'
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
  // What is saved again is another item: by its key alone the move would go unseen.
  identity: ({ track, added_at }) => `${keyOf(track)} ${added_at}`,
  row: (item) => ({ ...item, track: withKey(item.track) }),
  place: readListPlace,
  read: (spotify, read) => readList(spotify.list('/me/tracks'), read),
})
