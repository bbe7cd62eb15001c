import { readAfter, readCursorList } from '../reading/cursor-list.ts'
import { isCursor } from '../spotify/objects.ts'
import { Artist, keyOf, withKey } from './objects.ts'
import { defineTable } from './table.ts'

/** The artists that the account follows. Source: Web API, "Get Followed Artists". */
export const artists = defineTable({
  name: 'artists',
  description: 'Artists that the account follows.',
  ingestionType: 'snapshot',
  primaryKeys: ['id'],
  scopes: ['user-follow-read'],
  options: ['limit', 'max_pages'],
  record: Artist,
  key: keyOf,
  row: withKey,
  place: (offset) => readAfter(offset, isCursor),
  read: (spotify, read) => readCursorList(spotify.following, read),
})
