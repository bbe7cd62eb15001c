import type { Account } from './account.ts'
import { randomToken } from './grants.ts'

/** What a code was given out for, and what its exchange has to repeat or prove. */
export type Consent = {
  account: Account
  scopes: readonly string[]
  redirectUri: string
  /** The S256 challenge; null where the request had none. */
  codeChallenge: string | null
  consentedAtMs: number
}

const lifetimeMs = 10 * 60_000

/** The codes that wait for their exchange. Source: RFC 6749 §4.1.2, ten minutes and once. */
export class Codes {
  readonly #consents = new Map<string, Consent>()

  /** A code that stands for the consent. */
  issue(consent: Consent): string {
    const code = randomToken('AQ')
    this.#consents.set(code, consent)
    return code
  }

  /** The consent of a code, or why it is refused, in Spotify's words. Either way it is used up. */
  redeem(code: string, nowMs: number): Consent | string {
    const consent = this.#consents.get(code)
    if (!consent) return 'Invalid authorization code'
    this.#consents.delete(code)
    const isOld = nowMs - consent.consentedAtMs >= lifetimeMs
    return isOld ? 'Authorization code expired' : consent
  }
}
