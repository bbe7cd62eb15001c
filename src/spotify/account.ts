import type { StoredAccount } from '../database/store.ts'

/** An account of Spotify's: `account_id` is immutable, `id` (`userId`) may be given up. */
export type Account = StoredAccount

/** What an account is called by: `account_id` where there is one, else `id`. */
export function accountKey({ accountId, userId }: Account): string {
  return (accountId ?? userId) as string
}

/**
 * Whether both are the same account: by `account_id` where both have one, else by `id`. Spotify
 * began to send `account_id` in May 2026, so one that is known from before may lack it.
 */
export function isSameAccount(one: Account, other: Account): boolean {
  if (one.accountId !== null && other.accountId !== null) return one.accountId === other.accountId
  return one.userId !== null && one.userId === other.userId
}

/** An account for people to read: its name, where it has one, and what it is called by. */
export function describeAccount(account: Account): string {
  const { displayName } = account
  return displayName === null ? accountKey(account) : `${displayName} (${accountKey(account)})`
}
