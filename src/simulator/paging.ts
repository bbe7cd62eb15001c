import { ApiError } from './answer.ts'

/** A part of a list as most endpoints give it. */
export type Page<T> = {
  href: string
  items: T[]
  limit: number
  next: string | null
  offset: number
  previous: string | null
  total: number
}

/** The paging parameters of a request. */
export type Query = Record<string, string>

/** How pages are cut: `pageSize` is the most that the server gives, whatever is asked for. */
export type Cut = { url: string; query: Query; pageSize: number }

/** `limit`: 1 to 50, 20 when absent. Anything else is a 400. */
export function limitOf({ query, pageSize }: Cut): number {
  return Math.min(pageSize, wholeNumber(query, 'limit', 20, 1, 50))
}

/**
 * One page of a list by `offset` and `limit`. `keep` are parameters that its links repeat.
 * Behind the end of the list it has no items and still tells the total.
 */
export function offsetPage<T>(
  list: readonly T[],
  cut: Cut,
  { maxOffset = Number.MAX_SAFE_INTEGER, keep = [] as string[] } = {},
): Page<T> {
  const limit = limitOf(cut)
  const offset = wholeNumber(cut.query, 'offset', 0, 0, maxOffset)
  const link = (at: number) => linkTo(cut, { offset: at, limit }, keep)
  return {
    href: link(offset),
    items: list.slice(offset, offset + limit),
    limit,
    next: offset + limit < list.length ? link(offset + limit) : null,
    offset,
    previous: offset > 0 ? link(Math.max(0, offset - limit)) : null,
    total: list.length,
  }
}

/** An absolute link to another page of the same list. */
export function linkTo(cut: Cut, parameters: Record<string, unknown>, keep: string[] = []): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) search.set(name, String(value))
  for (const name of keep) if (cut.query[name] !== undefined) search.set(name, cut.query[name])
  return `${cut.url}?${search}`
}

/** A parameter that is a whole number, or a 400 in Spotify's words. */
export function wholeNumber(
  query: Query,
  name: string,
  absent: number,
  least: number,
  most: number,
): number {
  const given = query[name]
  if (given === undefined) return absent
  const number = Number(given)
  if (!/^\d+$/.test(given) || number < least || number > most) {
    throw new ApiError(400, `Invalid ${name}`)
  }
  return number
}
