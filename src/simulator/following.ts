import { ApiError } from './answer.ts'
import type { Artist } from './objects.ts'
import { type Cut, limitOf, linkTo } from './paging.ts'

/**
 * The pages of `/me/following`: a cursor names the artist behind whom a page begins. It holds
 * when that artist is no longer followed: the page then begins behind the last one before it
 * that still is, so that no unfollowing makes a reader miss another artist.
 */
export class Following {
  /** Who stood before an artist when the list was last seen; null for the first. */
  readonly #before = new Map<string, string | null>()

  /** One page. Of the cursors there is only `after`: null on the last page. */
  page(artists: readonly Artist[], cut: Cut) {
    const { type, after } = cut.query
    if (type === undefined) throw new ApiError(400, 'Missing parameter type')
    if (type !== 'artist') throw new ApiError(400, 'Invalid type')
    const limit = limitOf(cut)
    const ids = artists.map(({ id }) => id)
    this.#remember(ids)

    const start = after === undefined ? 0 : this.#placeBehind(after, ids)
    const items = artists.slice(start, start + limit)
    const last = start + limit < artists.length ? (items.at(-1)?.id ?? null) : null
    return {
      href: linkTo(cut, { type, limit, ...(after === undefined ? {} : { after }) }),
      limit,
      next: last === null ? null : linkTo(cut, { type, limit, after: last }),
      cursors: { after: last },
      total: artists.length,
      items,
    }
  }

  #remember(ids: readonly (string | null)[]) {
    let before: string | null = null
    for (const id of ids) {
      if (id === null) continue
      this.#before.set(id, before)
      before = id
    }
  }

  #placeBehind(after: string, ids: readonly (string | null)[]) {
    if (!this.#before.has(after)) return ids.length
    let id: string | null = after
    while (id !== null && !ids.includes(id)) id = this.#before.get(id) ?? null
    return id === null ? 0 : ids.indexOf(id) + 1
  }
}
