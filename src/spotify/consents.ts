import { ConnectorError, quote } from '../errors.ts'
import type { Account } from './account.ts'
import { authorisationUrl } from './authorisation.ts'
import type { Backoff } from './backoff.ts'
import { SpotifyClient } from './client.ts'
import { type Exchanged, exchangeCode } from './code-exchange.ts'
import type { Connected, ConnectionParts } from './connections.ts'
import { readAccount } from './objects.ts'
import { PendingConsents } from './pending-consents.ts'
import type { RateGate } from './rate-gate.ts'
import { WaitBudget } from './wait-budget.ts'

/** The addresses that a consent needs. */
export type ConsentLinks = {
  /** The redirect URI. */
  callback(): string
  /** Where a consent for a connection begins. */
  authorize(connection: string): string
  /** The same, good for whoever opens it: it may hold a ticket, and must not be logged. */
  authorizeNow(connection: string): string
}

/** What Spotify sends the browser back with; undefined where it is missing, or no single text. */
export type Callback = {
  state?: string | undefined
  code?: string | undefined
  error?: string | undefined
}

type Parts = Pick<
  ConnectionParts,
  | 'credentials'
  | 'apiUrl'
  | 'accountsUrl'
  | 'readWaitBudgetMs'
  | 'transport'
  | 'secrets'
  | 'clock'
  | 'log'
  | 'links'
> & {
  gate: RateGate
  backoff: Backoff
  accept(name: string, account: Account, exchanged: Exchanged): Promise<Connected>
}

/** The way of a consent: out to Spotify's page and back, exchanged, and taken into a connection. */
export class Consents {
  readonly #parts: Parts
  readonly #pending: PendingConsents

  constructor(parts: Parts) {
    this.#parts = parts
    this.#pending = new PendingConsents(parts.clock)
  }

  /**
   * Begins a consent for a connection, and gives Spotify's page for it. `browser` is a secret of the
   * browser's: what comes back from another one does not count.
   */
  begin(connection: string, browser: string): string {
    const { accountsUrl, credentials, links } = this.#parts
    const begun = this.#pending.begin(connection, links.callback(), browser)
    return authorisationUrl({ ...begun, accountsUrl, clientId: credentials.clientId })
  }

  /**
   * Ends a consent by what came back. Throws `consent-failed` where it does not count, and what
   * Spotify's answers come to; nothing is changed then.
   */
  async finish({ state, code, error }: Callback, browser: string | null): Promise<Connected> {
    if (state === undefined || state === '') {
      throw new ConnectorError(
        'consent-failed',
        'No consent comes back here without its state. Nothing was changed. To consent, begin again.',
      )
    }
    const begun = this.#pending.take(state, browser)
    const { connection, redirectUri, verifier } = begun
    const details = { members: { connection } }
    if (error !== undefined) {
      const why = error === 'access_denied' ? 'was denied' : `failed: Spotify says ${quote(error)}`
      throw new ConnectorError(
        'consent-failed',
        `The consent for connection ${connection} ${why}. Nothing was changed. To consent, begin again.`,
        details,
      )
    }
    if (code === undefined || code === '') {
      throw new ConnectorError(
        'consent-failed',
        `Spotify sent no code for connection ${connection}. Nothing was changed. To consent, begin again.`,
        details,
      )
    }
    const { credentials, secrets, readWaitBudgetMs } = this.#parts
    // Whatever quotes what was sent is not to tell them.
    for (const secret of [code, state, verifier]) secrets.add(secret)
    const exchanged = await exchangeCode(
      { ...this.#parts, waitBudgetMs: readWaitBudgetMs },
      { ...credentials, code, redirectUri, verifier },
    )
    const { refreshToken, accessToken } = exchanged.refreshed
    secrets.addPermanent(refreshToken)
    secrets.add(accessToken)
    const account = await this.#whoGave(exchanged)
    return this.#parts.accept(connection, account, exchanged)
  }

  async #whoGave({ refreshed: { accessToken: value, scopes } }: Exchanged): Promise<Account> {
    const tokens = { requireConsent() {}, drop() {}, get: async () => ({ value, scopes }) }
    return new SpotifyClient({ ...this.#parts, tokens }).get(
      { path: '/me', query: {}, read: readAccount },
      {
        scopes: [],
        plays: false,
        budget: new WaitBudget(this.#parts.readWaitBudgetMs, this.#parts.clock),
        signal: new AbortController().signal,
      },
    )
  }
}
