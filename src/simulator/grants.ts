import { randomBytes } from 'node:crypto'
import type { Account } from './account.ts'

/** Every scope that one of the simulated endpoints asks for. */
export const allScopes = [
  'user-read-private',
  'user-read-email',
  'user-library-read',
  'playlist-read-private',
  'playlist-read-collaborative',
  'user-follow-read',
  'user-top-read',
  'user-read-recently-played',
]

/** What an account's owner has agreed to: it stands behind every token that comes of it. */
export type Grant = {
  account: Account
  scopes: readonly string[]
  /** Unix ms: from then on its refresh tokens have expired. */
  endsAtMs: number
  /** The code was exchanged without the app's secret, so its tokens are refreshed without it. */
  isPublic: boolean
}

/** The tokens there are, of all accounts, and what came of them. */
export class Grants {
  readonly #refreshTokens = new Map<string, { grant: Grant; refusal: string | null }>()
  readonly #accessTokens = new Map<string, { grant: Grant; endsAtMs: number }>()
  readonly #lifetimeS: number

  constructor({ lifetimeS }: { lifetimeS: number }) {
    this.#lifetimeS = lifetimeS
  }

  /** The grant behind a refresh token, or why the token is refused, in Spotify's words. */
  refreshable(refreshToken: string, nowMs: number): Grant | string {
    const known = this.#refreshTokens.get(refreshToken)
    if (!known) return 'Invalid refresh token'
    if (known.refusal !== null) return known.refusal
    return known.grant.endsAtMs > nowMs ? known.grant : 'Refresh token expired'
  }

  /** A new access token, which ends by itself. */
  issueAccessToken(grant: Grant, nowMs: number): string {
    const token = randomToken('BQ')
    this.#accessTokens.set(token, { grant, endsAtMs: nowMs + this.#lifetimeS * 1000 })
    return token
  }

  /** A new refresh token, or the one given, good from now on. Those there are stay as they are. */
  issueRefreshToken(grant: Grant, token = randomToken('AQ')): string {
    this.#refreshTokens.set(token, { grant, refusal: null })
    grant.account.refreshToken = token
    return token
  }

  /** Ends a refresh token that was given out. It is refused with `refusal` from now on. */
  endRefreshToken(token: string, refusal: string): void {
    const known = this.#refreshTokens.get(token)
    if (!known) throw new Error('no such refresh token was given out')
    known.refusal = refusal
  }

  /** The grant of an access token: null once it has expired, undefined for an unknown one. */
  grantOf(accessToken: string, nowMs: number): Grant | null | undefined {
    const token = this.#accessTokens.get(accessToken)
    if (!token) return undefined
    return token.endsAtMs > nowMs ? token.grant : null
  }

  /** Ends every access token there is. */
  expireAccessTokens(): void {
    for (const token of this.#accessTokens.values()) token.endsAtMs = Number.NEGATIVE_INFINITY
  }
}

/** A token as Spotify's look: two letters that tell what it is, and what nobody can guess. */
export function randomToken(prefix: string): string {
  return `${prefix}${randomBytes(60).toString('base64url')}`
}

/**
 * When the refresh tokens of a consent end, Unix ms: six months after it, whatever comes of them.
 * Source: Web API changelog, "Refresh token expiration", June 2026.
 */
export function consentEndsAtMs(consentedAtMs: number): number {
  const end = new Date(consentedAtMs)
  end.setUTCMonth(end.getUTCMonth() + 6)
  return end.getTime()
}
