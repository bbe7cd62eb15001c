import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Origin, Store } from '../database/store.ts'
import { ConnectorError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Secrets } from '../secrets.ts'
import { abortable } from './abortable.ts'
import type { Backoff } from './backoff.ts'
import { UpstreamFault } from './fault.ts'
import type { SpotifyObserver } from './observer.ts'
import type { RateGate } from './rate-gate.ts'
import {
  basic,
  judgeRefresh,
  type Refreshed,
  sendRefresh,
  tokenEndpoint,
} from './token-endpoint.ts'
import type { Answer, Transport } from './transport.ts'
import { WaitBudget } from './wait-budget.ts'

const attempts = 4
const marginMs = 60_000
const storeAgainMs = 5_000
const refreshAgainMs = 5_000

/** The credentials of one connection, as configured. */
export type Credentials = { clientId: string; clientSecret: string; refreshToken: string | null }

/** An access token, and the scopes its answer named; null where it named none. */
export type AccessToken = { value: string; scopes: readonly string[] | null }

/** How a connection stands. `unknown` until Spotify has been asked. */
export type TokenState = {
  state: 'ok' | 'needs-consent' | 'credentials-rejected' | 'unknown'
  scopes: readonly string[] | null
  /** True while a rotated refresh token is held in memory only, because it can't be stored. */
  unstored: boolean
}

type Parts = {
  connection: string
  credentials: Credentials
  accountsUrl: string
  transport: Transport
  gate: RateGate
  store: Store
  secrets: Secrets
  clock: Clock
  backoff: Backoff
  waitBudgetMs: number
  log: Log
  observer?: SpotifyObserver
}

/** Who waits for a token. */
type Caller = { budget: WaitBudget; signal: AbortSignal }

type Held = AccessToken & { refreshAtMs: number; endsAtMs: number }

/**
 * The tokens of one connection: one access token, refreshed a minute before it ends, by one
 * request whoever waits for it. A refresh token that Spotify rotates is stored before the access
 * token that came with it is given out: lose it, and the owner is locked out.
 */
export class TokenManager {
  readonly #parts: Parts
  readonly #origin: Origin | null
  #refreshToken: string | null
  #needsConsent: string | null = null
  #rejected = false
  #isClosing = false
  #held: Held | undefined
  #refreshing: Promise<Held | 'limited'> | undefined
  #unstored: { token: string; triedAtMs: number } | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    const { clientId, clientSecret, refreshToken } = parts.credentials
    parts.secrets.addPermanent(clientSecret)
    const authorization = basic(clientId, clientSecret)
    parts.secrets.addPermanent(authorization)
    // Without the scheme, too: who sends it back may write that in another way.
    parts.secrets.addPermanent(authorization.slice('Basic '.length))
    this.#refreshToken = refreshToken
    this.#origin = refreshToken === null ? null : originOf(parts.connection, clientId, refreshToken)
    if (this.#origin === null) {
      parts.log.warn({ connection: parts.connection }, this.#consentError()?.message)
      return
    }
    const stored = parts.store.openConsent(this.#origin, parts.clock.now())
    this.#refreshToken = stored.refreshToken ?? refreshToken
    this.#needsConsent = stored.needsConsent?.reason ?? null
    for (const token of [refreshToken, stored.refreshToken]) {
      if (token !== null) parts.secrets.addPermanent(token)
    }
  }

  /**
   * A token that is good for at least a moment. Throws `reauthorisation-required`,
   * `credentials-rejected`, the gate's errors, or what is left of a refresh that failed four times.
   */
  async get({ budget, signal }: Caller): Promise<AccessToken> {
    const { clock, gate } = this.#parts
    for (;;) {
      this.requireConsent()
      this.#storeAgain()
      if (this.#held && clock.now() < this.#held.refreshAtMs) return this.#held
      if (gate.isShut(tokenEndpoint)) {
        if (this.#isGood(this.#held)) return this.#held
        await gate.enter({ endpoint: tokenEndpoint, plays: false, bucket: false, budget, signal })
        continue // What others have found out meanwhile counts.
      }
      // Nothing is awaited since the token was looked at, so nobody asks for one that is there.
      this.#refreshing ??= this.#observedRefresh().finally(() => {
        this.#refreshing = undefined
      })
      const token = await abortable(this.#refreshing, signal)
      if (token !== 'limited') return token
    }
  }

  /**
   * Forgets the token that a 401 came back for. A late 401 for an older token does not touch the
   * newer one.
   */
  drop(token: AccessToken): void {
    if (this.#held?.value === token.value) this.#held = undefined
  }

  /**
   * Waits for a refresh that is under way: the answer may bring a rotated token, and whoever closes
   * the connection under it locks the owner out. Then stores what could not be stored before.
   */
  async close(): Promise<void> {
    this.#isClosing = true
    // Whoever waits for it is told of its failure.
    await this.#refreshing?.catch(() => undefined)
    this.#storeAgain(true)
    if (!this.#unstored) return
    this.#parts.log.error(
      { connection: this.#parts.connection },
      'the rotated refresh token is lost with this process: the owner has to consent again',
    )
  }

  /** Throws `reauthorisation-required` when it is known that no token can be had; asks nobody. */
  requireConsent(): void {
    const error = this.#consentError()
    if (error) throw error
  }

  /** For `/health`; asks nobody. */
  state(): TokenState {
    this.#storeAgain()
    return {
      state: this.#stateName(),
      scopes: this.#held?.scopes ?? null,
      unstored: this.#unstored !== undefined,
    }
  }

  /** The last minute of a token that could not be refreshed is still good. */
  #isGood(held: Held | undefined): held is Held {
    return held !== undefined && this.#parts.clock.now() < held.endsAtMs
  }

  /** It is not refreshed again at every request of its last minute. */
  #putOff(token: Held): Held {
    const refreshAtMs = Math.min(this.#parts.clock.now() + refreshAgainMs, token.endsAtMs)
    this.#held = { ...token, refreshAtMs }
    return this.#held
  }

  #stateName(): TokenState['state'] {
    if (this.#refreshToken === null || this.#needsConsent !== null) return 'needs-consent'
    if (this.#rejected) return 'credentials-rejected'
    return this.#held ? 'ok' : 'unknown'
  }

  #consentError(): ConnectorError | null {
    const { connection } = this.#parts
    const details = { members: { connection } }
    if (this.#refreshToken === null) {
      return new ConnectorError(
        'reauthorisation-required',
        `Connection ${connection} has no refresh token yet. Authorise the app for the account, set SPOTIFY_REFRESH_TOKEN (or SPOTIFY_REFRESH_TOKEN_FILE) to the refresh token, and restart.`,
        details,
      )
    }
    if (this.#needsConsent === null) return null
    return new ConnectorError(
      'reauthorisation-required',
      `Spotify no longer accepts the refresh token of connection ${connection} (${this.#needsConsent}): the consent was revoked, or is over 6 months old. Authorise the app again, set SPOTIFY_REFRESH_TOKEN (or SPOTIFY_REFRESH_TOKEN_FILE) to the new refresh token, and restart. If you are sure that the present token is good: stop the service, run "npm run clear-mark -- ${connection}", start it again, and it is tried once more.`,
      details,
    )
  }

  async #observedRefresh(): Promise<Held | 'limited'> {
    const { observer, connection } = this.#parts
    const before = this.#held?.value
    try {
      const token = await this.#refresh()
      const outcome = token === 'limited' ? 'rate-limited' : 'refreshed'
      const isOld = token !== 'limited' && token.value === before
      observer?.refreshed(connection, isOld ? 'put-off' : outcome)
      return token
    } catch (error) {
      observer?.refreshed(connection, error instanceof ConnectorError ? error.code : 'internal')
      throw error
    }
  }

  async #refresh(): Promise<Held | 'limited'> {
    const { clock, backoff, waitBudgetMs, log, connection, observer } = this.#parts
    // A refresh serves many callers, so it has a budget of its own and outlives each of them.
    const budget = new WaitBudget(waitBudgetMs, clock)
    const { signal } = new AbortController()
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#refreshOnce()
      } catch (error) {
        if (!(error instanceof UpstreamFault)) throw error
        const waitMs = backoff(attempt)
        if (attempt === attempts || waitMs > budget.remainingMs || this.#isClosing) {
          if (this.#isGood(this.#held)) return this.#putOff(this.#held)
          throw error.toError(tokenEndpoint, attempt)
        }
        log.warn(
          { connection, attempt, waitMs, fault: error.message },
          'a token refresh failed, trying again',
        )
        await budget.wait(waitMs, signal, error.code)
        observer?.retried(tokenEndpoint, error.code)
      }
    }
  }

  async #refreshOnce(): Promise<Held | 'limited'> {
    const { transport, accountsUrl, credentials, clock, gate, connection, log } = this.#parts
    const refreshToken = this.#refreshToken as string
    const sentAtMs = clock.now()
    const answer = await sendRefresh(transport, accountsUrl, { ...credentials, refreshToken })
    const verdict = this.#judge(answer)
    const about = { endpoint: tokenEndpoint, scope: 'endpoint', sentAtMs } as const
    if ('retryAfterMs' in verdict) {
      gate.refused({ ...about, quota: false, retryAfterMs: verdict.retryAfterMs })
      return 'limited'
    }
    gate.succeeded(about)
    if ('refused' in verdict) {
      this.#mark(verdict.reason)
      throw this.#consentError()
    }
    this.#rotate(verdict.refreshToken)
    this.#rejected = false
    this.#held = held(verdict, sentAtMs)
    this.#parts.secrets.add(verdict.accessToken)
    log.info({ connection, scopes: verdict.scopes }, 'access token refreshed')
    return this.#held
  }

  #judge(answer: Answer): ReturnType<typeof judgeRefresh> {
    try {
      return judgeRefresh(answer, this.#parts.clock.now())
    } catch (error) {
      if (error instanceof ConnectorError && error.code === 'credentials-rejected') {
        this.#rejected = true
        this.#parts.log.error({ connection: this.#parts.connection }, error.message)
      }
      throw error
    }
  }

  #mark(reason: string): void {
    const { store, clock, log, connection } = this.#parts
    this.#needsConsent = reason
    log.error(
      { connection, reason },
      'the refresh token is refused: the owner has to consent again',
    )
    try {
      store.markNeedsConsent(this.#origin as Origin, reason, clock.now())
    } catch (error) {
      log.warn(
        { connection, err: error },
        'the mark could not be stored: a restart asks Spotify once more',
      )
    }
  }

  #rotate(token: string | null): void {
    // Absent, null, empty and unchanged all mean: the old one stays.
    if (token === null || token === this.#refreshToken) return
    this.#parts.secrets.addPermanent(token)
    this.#refreshToken = token
    this.#unstored = { token, triedAtMs: Number.NEGATIVE_INFINITY }
    this.#storeAgain()
  }

  /** Stores a rotated token; what fails is tried again at the next chance, seconds later. */
  #storeAgain(atOnce = false): void {
    const { store, clock, log, connection } = this.#parts
    const nowMs = clock.now()
    if (!this.#unstored) return
    const sinceMs = nowMs - this.#unstored.triedAtMs
    // A clock set back must not put it off.
    if (!atOnce && sinceMs >= 0 && sinceMs < storeAgainMs) return
    this.#unstored.triedAtMs = nowMs
    try {
      store.saveRefreshToken(this.#origin as Origin, this.#unstored.token, nowMs)
      this.#unstored = undefined
      log.info({ connection }, 'rotated refresh token stored')
    } catch (error) {
      log.error(
        { connection, err: error },
        'Spotify rotated the refresh token and it could not be stored: reads go on, but do not stop the service before the database can be written, or the owner has to consent again',
      )
    }
  }
}

/** Which row of the database a configured refresh token owns. */
function originOf(connection: string, clientId: string, refreshToken: string): Origin {
  const fingerprint = createHash('sha256').update(`${clientId}\n${refreshToken}`).digest('hex')
  return { connection, clientId, fingerprint }
}

function held({ accessToken, scopes, expiresInS }: Refreshed, sentAtMs: number): Held {
  const lifetimeMs = expiresInS * 1000
  return {
    value: accessToken,
    scopes,
    // Half the life of a token that lives so short that a minute would be all of it.
    refreshAtMs: sentAtMs + lifetimeMs - Math.min(marginMs, lifetimeMs / 2),
    endsAtMs: sentAtMs + lifetimeMs,
  }
}
