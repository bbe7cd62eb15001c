import { Type } from 'typebox'
import type { ConnectionStatus } from '../spotify/connection.ts'

const instant = Type.Unsafe({ type: ['string', 'null'], format: 'date-time' })
const texts = Type.Unsafe({ type: ['array', 'null'], items: { type: 'string' } })

/** The members of the OpenAPI schema of how a connection stands. */
export const statusMembers = {
  name: Type.String(),
  state: Type.Unsafe({
    type: 'string',
    enum: ['ok', 'needs-consent', 'credentials-rejected', 'unknown'],
    description: '`unknown` until Spotify has been asked.',
  }),
  account: Type.Unsafe({
    type: ['string', 'null'],
    description:
      "Whose it is: Spotify's `account_id` where there is one, else `id`. null until a consent, a check or a read of `user_profile` has told it.",
  }),
  scopes: texts,
  missing_scopes: texts,
  consented_at: instant,
  expires_at: instant,
  days_left: Type.Unsafe({ type: ['integer', 'null'] }),
  first_seen_at: Type.Optional(
    Type.String({
      format: 'date-time',
      description:
        'Only where the day of the consent is not known: when its token was first seen here. The consent ends 6 months after this at the latest.',
    }),
  ),
}

/** A connection of which all is known. */
export const statusExample = {
  name: 'default',
  state: 'ok',
  account: '5f2b8c0d9e',
  scopes: ['user-library-read'],
  missing_scopes: ['user-top-read'],
  consented_at: '2026-11-25T00:00:00.000Z',
  expires_at: '2027-05-25T00:00:00.000Z',
  days_left: 181,
}

/** How a connection stands, as answers say it. */
export function statusOf(status: ConnectionStatus) {
  const firstSeenAt = iso(status.firstSeenAtMs)
  return {
    name: status.name,
    state: status.state,
    account: status.account,
    scopes: status.scopes,
    missing_scopes: status.missingScopes,
    consented_at: iso(status.consentedAtMs),
    expires_at: iso(status.expiresAtMs),
    days_left: status.daysLeft,
    ...(firstSeenAt !== null && { first_seen_at: firstSeenAt }),
  }
}

/** An instant as answers say it; null stays null. */
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
