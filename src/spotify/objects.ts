import { isObject } from '../json.ts'
import type { Account } from './account.ts'
import { UpstreamFault } from './fault.ts'

/** A page of a list that is paged by position. `total` is what Spotify says, true or not. */
export type Page = { items: unknown[]; total: number; hasNext: boolean }

/** A page of a list that is paged by cursor; `after` is null at the list's end. */
export type CursorPage = { items: unknown[]; after: string | null; total: number | null }

/** The window of the last plays, or a part of it, newest first. */
export type PlaysPage = { items: unknown[]; hasNext: boolean }

// Printable ASCII: what goes into our offset and comes back has to be told from rubbish.
const cursor = /^[\x21-\x7e]{1,200}$/

/** Reads the body of `/me/tracks` and its like. Throws UpstreamFault for another shape. */
export function readPage(body: unknown): Page {
  const { items, next, page } = itemsOf(body)
  const { total } = page
  if (!Number.isSafeInteger(total) || (total as number) < 0) throw misshapen('total is not a count')
  return { items, total: total as number, hasNext: next }
}

/** Reads the body of `/me/following`, where all lies under `artists`. Throws UpstreamFault. */
export function readFollowing(body: unknown): CursorPage {
  if (!isObject(body)) throw misshapen('it is not an object')
  const { items, next, page } = itemsOf(body.artists)
  const after = isObject(page.cursors) ? (page.cursors.after ?? null) : null
  if (after !== null && !(typeof after === 'string' && cursor.test(after))) {
    throw misshapen('cursors.after is no cursor')
  }
  if (next && after === null) throw misshapen('there is a next page and no cursor to ask for it')
  const total = typeof page.total === 'number' ? page.total : null
  return { items, after, total }
}

/** Reads the body of `/me/player/recently-played`. Throws UpstreamFault for another shape. */
export function readPlays(body: unknown): PlaysPage {
  const { items, next } = itemsOf(body)
  return { items, hasNext: next }
}

/** Reads the body of `/me`. Without an id it is malformed, not an empty table. */
export function readProfile(body: unknown): Record<string, unknown> {
  if (!isObject(body)) throw misshapen('it is not an object')
  if (typeof body.id !== 'string' || body.id === '') throw misshapen('the profile has no id')
  return body
}

/** Whose profile it is. Source: Web API, "Get Current User's Profile". */
export function accountOf(profile: Record<string, unknown>): Account {
  const { account_id, id, display_name } = profile
  return { accountId: textOf(account_id), userId: textOf(id), displayName: textOf(display_name) }
}

/** Reads whose access token it is, of `/me`. Without `account_id` and `id` it is malformed. */
export function readAccount(body: unknown): Account {
  if (!isObject(body)) throw misshapen('it is not an object')
  const account = accountOf(body)
  if (account.accountId ?? account.userId) return account
  throw misshapen('the profile has neither account_id nor id')
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** True for what may stand as a cursor in an offset of ours. */
export function isCursor(value: unknown): value is string {
  return typeof value === 'string' && cursor.test(value)
}

function itemsOf(page: unknown): {
  items: unknown[]
  next: boolean
  page: Record<string, unknown>
} {
  if (!isObject(page)) throw misshapen('it is not a page')
  if (!Array.isArray(page.items)) throw misshapen('items is not a list')
  // `next` is only a yes or no: its address may be of an endpoint that is gone, or of another host.
  return { items: page.items, next: typeof page.next === 'string' && page.next !== '', page }
}

function misshapen(what: string): UpstreamFault {
  return new UpstreamFault('error', `it answered 200 with a body of another shape (${what})`)
}
