import type { Reading } from '../reading/reading.ts'
import { type LookedAtRead, readLookedAt } from '../reading/second-look.ts'
import type { Spotify } from '../spotify/session.ts'
import { withKey } from './objects.ts'
import type { Item, Options } from './table.ts'

/** Reads a top list of the time range that was asked for. */
export function readTop(path: string) {
  return (spotify: Spotify, read: LookedAtRead & Options): Reading =>
    readLookedAt(spotify.list(path, { time_range: read.timeRange }), read)
}

/**
 * A top item with what its place in the list tells: a table has no order of its own. The rank
 * counts from 1, skipped and repeated items too.
 */
export function rankedRow(item: Item, place: number, { timeRange }: Options): Item {
  return { ...(withKey(item) as Item), time_range: timeRange, rank: place + 1 }
}
