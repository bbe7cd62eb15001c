import { ConnectorError, quote } from '../errors.ts'
import { albums } from './albums.ts'
import { artists } from './artists.ts'
import { playlists } from './playlists.ts'
import { recentlyPlayed } from './recently-played.ts'
import type { Table } from './table.ts'
import { topArtists } from './top-artists.ts'
import { topTracks } from './top-tracks.ts'
import { tracks } from './tracks.ts'
import { userProfile } from './user-profile.ts'

/** The tables there are, in the order in which they are listed. */
export const tables: readonly Table[] = [
  tracks,
  albums,
  playlists,
  artists,
  topTracks,
  topArtists,
  recentlyPlayed,
  userProfile,
]

const byName = new Map(tables.map((table) => [table.name, table]))

/** The table of that name. Throws `table-not-found`. */
export function getTable(name: string): Table {
  const table = byName.get(name)
  if (table) return table
  throw new ConnectorError(
    'table-not-found',
    `There is no table ${quote(name)}. The tables are: ${[...byName.keys()].join(', ')}.`,
    { members: { tables: [...byName.keys()] } },
  )
}
