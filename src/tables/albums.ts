import { readList, readListPlace } from '../reading/list.ts'
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
  // What is saved again is another item: by its key alone the move would go unseen.
  identity: ({ album, added_at }) => `${keyOf(album)} ${added_at}`,
  row: (item) => ({ ...item, album: withKey(item.album) }),
  place: readListPlace,
  read: (spotify, read) => readList(spotify.list('/me/albums'), read),
})
