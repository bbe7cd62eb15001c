import type { AccountOptions } from './account.ts'
import { makeLibrary } from './library.ts'

/**
 * The accounts of the demo: somebody as most are, a collector whose library takes more than one
 * read, and somebody who has just begun. `nowMs` is what their libraries were before.
 */
export function demoAccounts(nowMs: number): AccountOptions[] {
  return [
    { library: makeLibrary({ nowMs }) },
    {
      library: makeLibrary({
        nowMs,
        seed: 1,
        owner: { id: 'collector-odette', name: 'Odette the Collector' },
        tracks: 6_840,
        albums: 731,
        playlists: 212,
        artists: 968,
        topTracks: 1_400,
        topArtists: 620,
        oddities: true,
      }),
    },
    {
      library: makeLibrary({
        nowMs,
        seed: 2,
        owner: { id: 'newcomer-nils', name: 'Nils, New Here' },
        tracks: 23,
        albums: 2,
        playlists: 3,
        artists: 6,
        topTracks: 18,
        topArtists: 9,
        plays: 11,
      }),
    },
  ]
}
