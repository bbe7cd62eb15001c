import { readList, readPosition } from '../reading/list.ts'
import { string, struct } from '../schema/types.ts'
import { Album, keyOf, withKey } from './objects.ts'
import { defineTable } from './table.ts'

/** The saved albums. Source: Web API, "Get User's Saved Albums". */
export const albums = defineTable({
  name: 'albums',
  description: 'Saved albums.',
  ingestionType: 'snapshot',
  primaryKeys: ['album.id'],
  scopes: ['user-library-read'],
  options: ['limit', 'max_pages'],
  record: struct({ added_at: string(), album: Album }),
  key: ({ album }) => keyOf(album),
  row: (item) => ({ ...item, album: withKey(item.album) }),
  place: readPosition,
  read: (spotify, read) => readList(spotify.list('/me/albums'), read),
})
