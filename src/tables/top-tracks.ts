import { readLookedAtPlace } from '../reading/second-look.ts'
import { long, string, struct } from '../schema/types.ts'
import { keyOf, Track } from './objects.ts'
import { defineTable } from './table.ts'
import { rankedRow, readTop } from './top.ts'

/** The tracks that the account listens to most. Source: Web API, "Get User's Top Items". */
export const topTracks = defineTable({
  name: 'top_tracks',
  description: 'Most played tracks of a time range, best first; rank is the place in the list.',
  ingestionType: 'snapshot',
  primaryKeys: ['id', 'time_range'],
  scopes: ['user-top-read'],
  options: ['time_range', 'limit', 'max_pages'],
  record: struct({ time_range: string(), ...Track.properties, rank: long() }),
  key: keyOf,
  row: rankedRow,
  place: readLookedAtPlace,
  read: readTop('/me/top/tracks'),
})
