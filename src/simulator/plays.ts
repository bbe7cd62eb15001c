import { makeTrack, seedStride } from './catalogue.ts'
import { makePlay } from './items.ts'
import type { Play } from './objects.ts'
import { Random } from './random.ts'

/** From the start of one stretch of listening to the next: plays lie 3 to 4 minutes apart. */
const everyMs = 210_000
const spreadMs = 30_000
/** The catalogue's tracks that are played: those that a library of the default size has saved. */
const playedTracks = 1_200

/**
 * The last `count` plays up to `nowMs` of somebody who never stops listening, newest first. They
 * come from the time and the seed alone: who asks again later, or after a restart, finds the same
 * plays, and those that have come since. One in seven has a `played_at` without a fraction.
 */
export function playsUntil(nowMs: number, count: number, seed = 0): Play[] {
  const plays: Play[] = []
  for (let nth = Math.floor(nowMs / everyMs); plays.length < count; nth--) {
    const random = new Random(seed === 0 ? 'play' : `play ${seed}`, nth)
    const playedAtMs = nth * everyMs + random.below(spreadMs)
    const playedAt = new Date(playedAtMs).toISOString()
    if (playedAtMs > nowMs) continue
    const track = makeTrack(seed * seedStride + random.below(playedTracks))
    const whole = random.below(7) === 0
    plays.push(
      makePlay(
        whole ? playedAt.replace(/\.\d+Z$/, 'Z') : playedAt,
        track,
        contextOf(track, random),
      ),
    )
  }
  return plays
}

/** When a play was, in Unix ms; NaN when its `played_at` is no time. */
export function instantOf(play: Play): number {
  return Date.parse(play.played_at)
}

/**
 * The plays newest first, whatever order they are in. One without a readable time stays behind
 * the play that it stood behind.
 */
export function newestFirst(plays: readonly Play[]): Play[] {
  let instant = Number.POSITIVE_INFINITY
  return plays
    .map((play) => {
      const own = instantOf(play)
      if (!Number.isNaN(own)) instant = own
      return { instant, play }
    })
    .sort((a, b) => (a.instant === b.instant ? 0 : b.instant - a.instant))
    .map(({ play }) => play)
}

function contextOf(track: Play['track'], random: Random): Play['context'] {
  const { external_urls, href, uri } = track.album
  if (random.chance(0.2) || href === null || uri === null) return null
  return { type: 'album', external_urls, href, uri }
}
