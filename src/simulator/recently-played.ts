import { ApiError } from './answer.ts'
import type { Play } from './objects.ts'
import { type Cut, limitOf, linkTo, wholeNumber } from './paging.ts'
import { instantOf, newestFirst } from './plays.ts'

/** Spotify keeps no more plays than these. */
export const keptPlays = 50

/**
 * One page of `/me/player/recently-played`, newest first, without a total: the plays next to
 * `after` or `before`, Unix ms, the play at that instant left out. A full page has a `next`, even
 * when nothing is left: the page that it leads to is empty and its cursors are null, as recorded
 * in spotify/web-api#1405.
 */
export function recentlyPlayed(plays: readonly Play[], cut: Cut) {
  const { after, before } = cut.query
  if (after !== undefined && before !== undefined) {
    throw new ApiError(400, 'Only one of after and before can be given')
  }
  const limit = limitOf(cut)
  const items = chosen(newestFirst(plays).slice(0, keptPlays), cut, limit)
  const instants = items.map(instantOf).filter((instant) => !Number.isNaN(instant))
  const cursors = instants.length
    ? { after: String(Math.max(...instants)), before: String(Math.min(...instants)) }
    : null
  const onward = after === undefined ? { before: cursors?.before } : { after: cursors?.after }
  const given = after === undefined ? (before === undefined ? {} : { before }) : { after }
  return {
    items,
    next: cursors && items.length === limit ? linkTo(cut, { ...onward, limit }) : null,
    cursors,
    limit,
    href: linkTo(cut, { ...given, limit }),
  }
}

function chosen(window: Play[], { query }: Cut, limit: number) {
  const instant = (name: string) => wholeNumber(query, name, 0, 0, Number.MAX_SAFE_INTEGER)
  if (query.after !== undefined) {
    const after = instant('after')
    return window.filter((play) => instantOf(play) > after).slice(-limit)
  }
  if (query.before === undefined) return window.slice(0, limit)
  const before = instant('before')
  return window.filter((play) => instantOf(play) < before).slice(0, limit)
}
