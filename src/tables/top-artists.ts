import { readLookedAtPlace } from '../reading/second-look.ts'
import { long, string, struct } from '../schema/types.ts'
import { Artist, keyOf } from './objects.ts'
import { defineTable } from './table.ts'
import { rankedRow, readTop } from './top.ts'

/** The artists that the account listens to most. Source: Web API, "Get User's Top Items". */
export const topArtists = defineTable({
  name: 'top_artists',
  description: 'Most played artists of a time range, best first; rank is the place in the list.',
  ingestionType: 'snapshot',
  primaryKeys: ['id', 'time_range'],
  scopes: ['user-top-read'],
  options: ['time_range', 'limit', 'max_pages'],
  record: struct({ time_range: string(), ...Artist.properties, rank: long() }),
  key: keyOf,
  row: rankedRow,
  place: readLookedAtPlace,
  read: readTop('/me/top/artists'),
})
