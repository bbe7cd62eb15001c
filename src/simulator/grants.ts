import { randomBytes } from 'node:crypto'

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

type AccessToken = { scopes: string[]; expiresAtMs: number }

/** What the account's owner has granted: the refresh tokens there are, and what came of them. */
export class Grants {
  /** Each refresh token with the reason why it is refused, null while it is good. */
  readonly #refreshTokens = new Map<string, string | null>()
  readonly #accessTokens = new Map<string, AccessToken>()
  readonly #scopes: string[]
  readonly #lifetimeS: number
  #current: string

  constructor(options: { scopes: string[]; lifetimeS: number; refreshToken: string }) {
    this.#scopes = options.scopes
    this.#lifetimeS = options.lifetimeS
    this.#current = options.refreshToken
    this.#refreshTokens.set(options.refreshToken, null)
  }

  /** The refresh token that was given out last. */
  get refreshToken(): string {
    return this.#current
  }

  /** Why a refresh token is refused, in Spotify's words; null when it is good. */
  refusal(refreshToken: string): string | null {
    const refusal = this.#refreshTokens.get(refreshToken)
    return refusal === undefined ? 'Invalid refresh token' : refusal
  }

  /** A new access token, which ends by itself. */
  issueAccessToken(nowMs: number): string {
    const token = `BQ${randomBytes(60).toString('base64url')}`
    this.#accessTokens.set(token, {
      scopes: this.#scopes,
      expiresAtMs: nowMs + this.#lifetimeS * 1000,
    })
    return token
  }

  /** A new refresh token, as after another consent. Those there are stay as they are. */
  issueRefreshToken(): string {
    this.#current = `AQ${randomBytes(60).toString('base64url')}`
    this.#refreshTokens.set(this.#current, null)
    return this.#current
  }

  /** Ends a refresh token, the last one by default. It is refused with `reason` from now on. */
  endRefreshToken(reason: string, token = this.#current): void {
    this.#refreshTokens.set(token, reason)
  }

  /** The scopes of an access token: null once it has expired, undefined for an unknown one. */
  scopesOf(accessToken: string, nowMs: number): string[] | null | undefined {
    const token = this.#accessTokens.get(accessToken)
    if (!token) return undefined
    return token.expiresAtMs > nowMs ? token.scopes : null
  }

  /** Ends every access token there is. */
  expireAccessTokens(): void {
    for (const token of this.#accessTokens.values()) token.expiresAtMs = Number.NEGATIVE_INFINITY
  }
}
