import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { judge, type Verdict } from './answer.ts'
import type { Backoff } from './backoff.ts'
import { UpstreamFault } from './fault.ts'
import type { SpotifyObserver } from './observer.ts'
import type { RateGate } from './rate-gate.ts'
import { requireScopes } from './scopes.ts'
import type { AccessToken, TokenManager } from './token-manager.ts'
import type { Transport } from './transport.ts'
import type { WaitBudget } from './wait-budget.ts'

const attempts = 4

type Parts = {
  apiUrl: string
  transport: Transport
  tokens: TokenManager
  gate: RateGate
  clock: Clock
  backoff: Backoff
  log: Log
  observer?: SpotifyObserver
}

/** One question to the Web API. `read` turns the JSON body into T, or throws UpstreamFault. */
export type ApiRequest<T> = {
  /** The path behind the API's base URL: also the endpoint's name in the gate and in messages. */
  path: string
  query: Record<string, string | number>
  read(body: unknown): T
}

/** For whom a request is made: what one read of a table hands down to each of its requests. */
export type Call = {
  scopes: readonly string[]
  plays: boolean
  budget: WaitBudget
  signal: AbortSignal
}

/**
 * Asks the Web API as one connection: past the gate, with a token, again where another attempt
 * may help. Throws ConnectorError, or the signal's reason once it is aborted.
 */
export class SpotifyClient {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The answer to one request, judged and read. At most 4 attempts; 429s end with the budget. */
  async get<T>(request: ApiRequest<T>, call: Call): Promise<T> {
    const { tokens, gate, clock, log, observer } = this.#parts
    const endpoint = request.path
    let failed = 0
    let dropped = false
    let again: string | null = null
    for (;;) {
      tokens.requireConsent()
      await gate.enter({ endpoint, plays: call.plays, budget: call.budget, signal: call.signal })
      const token = await tokens.get(call)
      requireScopes(call.scopes, token.scopes)
      // It may have shut while the token was fetched; then nothing is sent.
      if (gate.isShut(endpoint)) continue
      if (again !== null) observer?.retried(endpoint, again)
      const sentAtMs = clock.now()
      const outcome = await this.#attempt(request, call, token)
      // One new token for one request: a 401 that lasts must not become a storm of refreshes.
      if (outcome.kind === 'unauthorised' && !dropped) {
        tokens.drop(token)
        dropped = true
        again = 'unauthorised'
        continue
      }
      if (outcome.kind === 'limited') {
        const scope = outcome.quota ? 'endpoint' : 'everything'
        gate.refused({ ...outcome, endpoint, scope, sentAtMs })
        again = outcome.quota ? 'quota-exceeded' : 'rate-limited'
        continue
      }
      if (outcome.kind === 'read') {
        gate.succeeded({ endpoint, scope: 'everything', sentAtMs })
        return outcome.value
      }
      failed += 1
      const waitMs = this.#parts.backoff(failed)
      if (failed === attempts || waitMs > call.budget.remainingMs) {
        throw outcome.fault.toError(endpoint, failed)
      }
      log.warn(
        { endpoint, attempt: failed, waitMs, fault: outcome.fault.message },
        'a request to Spotify failed, trying again',
      )
      again = outcome.fault.code
      await call.budget.wait(waitMs, call.signal, outcome.fault.code)
    }
  }

  async #attempt<T>(
    { path, query, read }: ApiRequest<T>,
    { scopes, signal }: Call,
    token: AccessToken,
  ): Promise<Outcome<T>> {
    const { apiUrl, transport, clock } = this.#parts
    try {
      const answer = await transport.send(
        {
          method: 'GET',
          url: urlOf(apiUrl, path, query),
          headers: { authorization: `Bearer ${token.value}`, accept: 'application/json' },
        },
        signal,
      )
      const verdict = judge(answer, path, scopes, clock.now())
      return verdict.kind === 'ok' ? { kind: 'read', value: read(verdict.body) } : verdict
    } catch (error) {
      if (error instanceof UpstreamFault) return { kind: 'failed', fault: error }
      throw error
    }
  }
}

type Outcome<T> =
  | Exclude<Verdict, { kind: 'ok' }>
  | { kind: 'read'; value: T }
  | { kind: 'failed'; fault: UpstreamFault }

function urlOf(apiUrl: string, path: string, query: Record<string, string | number>): string {
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]) => [name, String(value)]),
  )
  return search.size === 0 ? apiUrl + path : `${apiUrl}${path}?${search}`
}
