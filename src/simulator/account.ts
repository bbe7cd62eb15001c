import type { Clock } from '../clock.ts'
import { allScopes, consentEndsAtMs, type Grants } from './grants.ts'
import { type Library, makeLibrary } from './library.ts'

/** How an account begins. */
export type AccountOptions = {
  library?: Library
  /** A good one from the start, of a consent that does not end by itself. */
  refreshToken?: string
  /** What the owner has granted; all by default. null: all, and token answers have no `scope`. */
  scopes?: string[] | null
}

/** One account of the simulated Spotify: what it holds, and what its owner has granted. */
export class Account {
  /** What is changed here, or set, the next answer shows. */
  library: Library
  /** The one that was given out last. */
  refreshToken: string
  /** Its place among the accounts, from 0; its own plays and default library come of it. */
  readonly number: number
  /** Whether token answers name their scopes. */
  readonly tellsScopes: boolean
  readonly #scopes: readonly string[]
  readonly #grants: Grants
  readonly #clock: Clock

  constructor(number: number, options: AccountOptions, parts: { grants: Grants; clock: Clock }) {
    this.number = number
    this.library = options.library ?? makeLibrary({ nowMs: parts.clock.now(), seed: number })
    this.tellsScopes = options.scopes !== null
    this.#scopes = options.scopes ?? allScopes
    this.#grants = parts.grants
    this.#clock = parts.clock
    const ordinal = number === 0 ? '' : `-${number + 1}`
    this.refreshToken = options.refreshToken ?? `simulated-refresh-token${ordinal}`
    this.#issue(this.#scopes, Number.POSITIVE_INFINITY, this.refreshToken)
  }

  /**
   * The owner consents again, to the same scopes by default: gives the new refresh token, which
   * ends six months later. Those before it stay as they are.
   */
  consent(scopes = this.#scopes): string {
    return this.#issue(scopes, consentEndsAtMs(this.#clock.now()))
  }

  /** The refresh token given out last is refused from now on: "Refresh token revoked". */
  revokeRefreshToken(): void {
    this.#grants.endRefreshToken(this.refreshToken, 'Refresh token revoked')
  }

  /** As `revokeRefreshToken`, six months after consent: "Refresh token expired". */
  expireRefreshToken(): void {
    this.#grants.endRefreshToken(this.refreshToken, 'Refresh token expired')
  }

  #issue(scopes: readonly string[], endsAtMs: number, token?: string) {
    const grant = { account: this, scopes, endsAtMs, isPublic: false }
    return this.#grants.issueRefreshToken(grant, token)
  }
}
