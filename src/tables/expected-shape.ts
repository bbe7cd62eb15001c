// What Spotify is known to send beyond our schemas, and what it is known to leave out, so that only
// a change of Spotify's is alarming. Sources: Spotify's published schema of 2026-05-30, its changelogs
// of February and March 2026, recorded answers.

const artist = ['type']
const album = [
  ...['type', 'available_markets', 'is_playable', 'restrictions', 'album_group'],
  ...under('artists', artist),
]
const track = [
  ...[
    'type',
    'available_markets',
    'is_playable',
    'linked_from',
    'restrictions',
    'episode',
    'track',
  ],
  ...under('album', album),
  ...under('artists', artist),
]
const savedAlbum = [...album, 'tracks']
const owner = ['type']

/** The fields that are dropped on purpose, by table; a field stands for all that is in it. */
export const droppedFields: Record<string, readonly string[]> = {
  tracks: under('track', track),
  albums: under('album', savedAlbum),
  playlists: ['type', 'primary_color', 'items', ...under('owner', owner)],
  artists: artist,
  top_tracks: track,
  top_artists: artist,
  recently_played: under('track', track),
  user_profile: ['type'],
}

// Apps in development mode get no popularity, followers and label; previews are gone for new apps.
const nullOfTrack = ['popularity', 'preview_url', 'external_ids.ean', 'external_ids.upc']
const nullOfArtist = ['popularity', 'followers', 'followers.href']

/** The columns that are null in every row for many accounts, by table. */
export const emptyColumns: Record<string, readonly string[]> = {
  tracks: under('track', nullOfTrack),
  albums: under('album', ['label', 'popularity', 'external_ids.isrc', 'external_ids.ean']),
  playlists: ['tracks', 'images.height', 'images.width'],
  artists: nullOfArtist,
  top_tracks: nullOfTrack,
  top_artists: nullOfArtist,
  recently_played: under('track', nullOfTrack),
}

/** Whether a field that the schema lacks is one that is dropped on purpose. */
export function isDroppedField(table: string, field: string): boolean {
  return droppedFields[table]?.includes(field) ?? false
}

/** Whether it is nothing new that a column is null in every row. */
export function isEmptyColumn(table: string, column: string): boolean {
  return emptyColumns[table]?.includes(column) ?? false
}

function under(field: string, names: readonly string[]): string[] {
  return names.map((name) => `${field}.${name}`)
}
