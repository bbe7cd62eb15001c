import { ConnectorError, quote } from '../errors.ts'
import { type Account, accountKey } from './account.ts'
import { type Call, SpotifyClient, type TokenSource } from './client.ts'
import type { Exchanged } from './code-exchange.ts'
import type { ConnectionParts } from './connections.ts'
import { consentEnd } from './consent.ts'
import { accountOf } from './objects.ts'
import type { RateGate } from './rate-gate.ts'
import { allScopes } from './scopes.ts'
import { openSession, type Spotify } from './session.ts'
import { type Remedy, TokenManager, type TokenState } from './token-manager.ts'
import { WaitBudget } from './wait-budget.ts'

/** What a connection reads by. Times are Unix ms; null where it is not known. */
export type Grant = {
  /** Whether a consent here brought it, rather than the environment. */
  isConsent: boolean
  /** null: there is none, so consent is waited for. */
  refreshToken: string | null
  account: Account | null
  scopes: readonly string[] | null
  consentedAtMs: number | null
  /** What came with the refresh token, where it came just now. */
  first?: Exchanged
}

/** How a connection stands; null where it is not known. Times are Unix ms. */
export type ConnectionStatus = {
  name: string
  state: TokenState['state']
  /** `account_id` where there is one, else `id`. */
  account: string | null
  scopes: readonly string[] | null
  missingScopes: readonly string[] | null
  consentedAtMs: number | null
  /** Since when the refresh token is known here, where the day of its consent is not. */
  firstSeenAtMs: number | null
  expiresAtMs: number | null
  daysLeft: number | null
  /** True while a rotated refresh token is in memory only. */
  unstored: boolean
}

/** The requests of one read, and the budget that they wait in. */
export type OpenRead = { spotify: Spotify; budget: WaitBudget }

type ReadOf = Pick<Call, 'scopes' | 'plays' | 'signal'> & { waitBudgetMs: number }

type Parts = Omit<ConnectionParts, 'backoff'> & Required<Pick<ConnectionParts, 'backoff'>>

/**
 * One account, to be read from. What it reads by may be replaced by another consent, or taken away,
 * while reads are under way: they go on with the new tokens, or end as `connection-not-found`.
 */
export class Connection {
  readonly name: string
  readonly #parts: Parts
  readonly #gate: RateGate
  readonly #client: SpotifyClient
  #grant: Grant
  /** null: deleted. */
  #tokens: TokenManager | null
  #account: Account | null

  constructor(name: string, grant: Grant, parts: Parts, gate: RateGate) {
    this.name = name
    this.#parts = parts
    this.#gate = gate
    this.#client = new SpotifyClient({ ...parts, tokens: this.#source(), gate })
    this.#grant = grant
    this.#tokens = this.#tokensOf(grant)
    this.#account = grant.account ?? this.#tokens.stored?.account ?? null
  }

  /** Whether a consent made here is what it reads by. */
  get isConsent(): boolean {
    return this.#grant.isConsent
  }

  /** Whose it is; null: not known yet. */
  get account(): Account | null {
    return this.#account
  }

  /** Begins a read. */
  open({ waitBudgetMs, ...call }: ReadOf): OpenRead {
    const budget = new WaitBudget(waitBudgetMs, this.#parts.clock)
    const spotify = openSession(this.#client, { ...call, budget })
    const profile = async () => {
      const body = await spotify.profile()
      this.#learn(accountOf(body))
      return body
    }
    return { spotify: { ...spotify, profile }, budget }
  }

  /**
   * Asks Spotify whether a token can be had now, and whose it is. Throws what a read would throw.
   */
  async check(signal: AbortSignal): Promise<void> {
    const { readWaitBudgetMs: waitBudgetMs, clock } = this.#parts
    const budget = new WaitBudget(waitBudgetMs, clock)
    await (this.#tokens ?? gone(this.name)).renew({ budget, signal })
    await this.open({ scopes: [], plays: false, signal, waitBudgetMs }).spotify.profile()
  }

  /**
   * Whose it is, asked with the token it has where it is not known; null where that can't be told
   * any more, since no token can be had. Throws what may pass.
   */
  async findAccount(): Promise<Account | null> {
    if (this.#account) return this.#account
    const { readWaitBudgetMs: waitBudgetMs } = this.#parts
    const { signal } = new AbortController()
    try {
      await this.open({ scopes: [], plays: false, signal, waitBudgetMs }).spotify.profile()
    } catch (error) {
      if (error instanceof ConnectorError && !error.retryable) return null
      throw error
    }
    return this.#account
  }

  /** How it stands, without asking anybody. */
  status(): ConnectionStatus {
    const { name } = this
    const { state, scopes: told, unstored } = (this.#tokens ?? gone(name)).state()
    const { consentedAtMs } = this.#grant
    const scopes = told ?? this.#grant.scopes
    const end = consentedAtMs === null ? null : consentEnd(consentedAtMs, this.#parts.clock.now())
    return {
      name,
      state,
      account: this.#account && accountKey(this.#account),
      scopes,
      missingScopes: scopes && allScopes.filter((scope) => !scopes.includes(scope)),
      consentedAtMs,
      firstSeenAtMs: consentedAtMs === null ? (this.#tokens?.stored?.firstSeenAtMs ?? null) : null,
      expiresAtMs: end?.expiresAtMs ?? null,
      daysLeft: end?.daysLeft ?? null,
      unstored,
    }
  }

  /** What to do for another consent, in words. */
  remedy(): string {
    return this.#remedy().detail()
  }

  /** Why it needs consent and what to do, in words; null where it needs none. */
  consentNeeded(): string | null {
    return this.#tokens?.consentNeeded() ?? null
  }

  /** Reads by another grant from now on. Nothing of the one before is written any more. */
  use(grant: Grant): void {
    this.#tokens?.retire()
    this.#grant = grant
    this.#tokens = this.#tokensOf(grant)
    this.#account = grant.account ?? this.#tokens.stored?.account ?? null
  }

  /** Ends the reads that are under way, and writes nothing any more. */
  delete(): void {
    this.#tokens?.retire()
    this.#tokens = null
  }

  /** Lets what may bring a new refresh token end, and stores it. */
  async close(): Promise<void> {
    await this.#tokens?.close()
  }

  /** The tokens as reads see them: whoever waits for one while they are replaced gets a new one. */
  #source(): TokenSource {
    return {
      requireConsent: () => (this.#tokens ?? gone(this.name)).requireConsent(),
      // A token of the ones before is none of these, so nothing is dropped by it.
      drop: (token) => this.#tokens?.drop(token),
      get: async (caller) => {
        for (;;) {
          const tokens = this.#tokens ?? gone(this.name)
          try {
            const token = await tokens.get(caller)
            if (tokens === this.#tokens) return token
          } catch (error) {
            if (tokens === this.#tokens || caller.signal.aborted) throw error
          }
        }
      },
    }
  }

  #tokensOf({ refreshToken, first }: Grant): TokenManager {
    const { credentials, readWaitBudgetMs } = this.#parts
    return new TokenManager({
      ...this.#parts,
      credentials: { ...credentials, refreshToken },
      connection: this.name,
      gate: this.#gate,
      waitBudgetMs: readWaitBudgetMs,
      remedy: this.#remedy(),
      ...(first && { first }),
    })
  }

  #remedy(): Remedy {
    const { name } = this
    const { links } = this.#parts
    // Only the one connection can come from there.
    const environment =
      name === 'default'
        ? ', or set SPOTIFY_REFRESH_TOKEN (or SPOTIFY_REFRESH_TOKEN_FILE) to a new refresh token and restart'
        : ''
    return {
      detail: () =>
        `Authorise the app for the account: open ${links.authorize(name)} in a browser, or run "npm run authorize -- ${name}" in a terminal${environment}.`,
      url: () => links.authorizeNow(name),
    }
  }

  #learn(account: Account): void {
    const origin = this.#tokens?.origin
    if (this.#account || !origin) return
    const { store, clock, log } = this.#parts
    this.#account = account
    try {
      store.saveAccount(origin, account, clock.now())
    } catch (error) {
      log.warn(
        { connection: this.name, err: error },
        'the account could not be stored: it is known until the next start',
      )
    }
  }
}

function gone(name: string): never {
  throw new ConnectorError(
    'connection-not-found',
    `Connection ${quote(name)} was deleted while it was read. To connect an account by that name, authorise it anew.`,
  )
}
