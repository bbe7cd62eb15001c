import { long, string, struct } from '../../src/schema/types.ts'
import { Album, Artist, Context, Playlist, Track, UserProfile } from '../../src/tables/objects.ts'

export const TracksRecord = struct({ added_at: string(), track: Track })
export const AlbumsRecord = struct({ added_at: string(), album: Album })
export const PlaylistsRecord = Playlist
export const ArtistsRecord = Artist
export const TopTracksRecord = struct({ time_range: string(), ...Track.properties, rank: long() })
export const TopArtistsRecord = struct({ time_range: string(), ...Artist.properties, rank: long() })
export const RecentlyPlayedRecord = struct({ played_at: string(), track: Track, context: Context })
export const UserProfileRecord = UserProfile

/** The records of all tables, built from the shared shapes as the tables build them. */
export const records = {
  tracks: TracksRecord,
  albums: AlbumsRecord,
  playlists: PlaylistsRecord,
  artists: ArtistsRecord,
  top_tracks: TopTracksRecord,
  top_artists: TopArtistsRecord,
  recently_played: RecentlyPlayedRecord,
  user_profile: UserProfileRecord,
}
