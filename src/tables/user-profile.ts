import { readSingle, requireStart } from '../reading/single.ts'
import { keyOf, UserProfile, withKey } from './objects.ts'
import { defineTable } from './table.ts'

/** The account itself. Source: Web API, "Get Current User's Profile". */
export const userProfile = defineTable({
  name: 'user_profile',
  description: "The account's profile, one row. account_id never changes; id may be given up.",
  ingestionType: 'snapshot',
  primaryKeys: ['id'],
  // `email` comes with user-read-email; without it the column is null and the row is whole.
  scopes: ['user-read-private'],
  options: ['limit'],
  record: UserProfile,
  key: keyOf,
  row: withKey,
  place: requireStart,
  read: (spotify, { toRow }) => readSingle(spotify.profile, toRow),
})
