import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, systemClock } from '../clock.ts'
import { Account, type AccountOptions } from './account.ts'
import { accountsService } from './accounts.ts'
import { type Answer, type SimulatedRequest, text } from './answer.ts'
import { type Choice, chooseOnConsentPage } from './choose.ts'
import { Codes } from './codes.ts'
import { deliver } from './deliver.ts'
import { type Fault, Faults, isReplacement } from './faults.ts'
import { Grants } from './grants.ts'
import type { Library } from './library.ts'
import { RateLimit } from './rate-limit.ts'
import { buildServer, prefixes } from './server.ts'
import { replacementAnswer, spoilt } from './spoil.ts'
import { Stats } from './stats.ts'
import { webApi } from './web-api.ts'

/** How the simulator behaves. Without options it never fails, waits or limits. */
export type SimulatorOptions = AccountOptions & {
  /** For token lifetimes, the rate limit and the plays; network delays take real time. */
  clock?: Clock
  clientId?: string
  clientSecret?: string
  /** At least one; by default one, as the three options of its kind beside this one make it. */
  accounts?: AccountOptions[]
  /** 3600 by default. */
  tokenLifetimeS?: number
  /** Each refresh answers a new refresh token and ends the old one. */
  rotate?: boolean
  rateLimit?: { requests: number; windowMs: number } | null
  /** How long each answer of the Web API is held back. */
  latencyMs?: number | ((request: SimulatedRequest) => number)
  /** Plays go on happening, one every 3 to 4 minutes of the clock. */
  livePlays?: boolean
  /** 0, the default, takes a free one. */
  port?: number
}

/** A running simulation of Spotify, reached over the loopback alone. */
export type Simulator = {
  /** The Web API's base URL, as `https://api.spotify.com/v1` is. */
  apiUrl: string
  /** The accounts service's base URL, as `https://accounts.spotify.com` is. */
  accountsUrl: string
  clientId: string
  clientSecret: string
  /** All accounts there are; `library`, `refreshToken` and what ends them are the first one's. */
  accounts: readonly [Account, ...Account[]]
  /** The one that was given out last. */
  readonly refreshToken: string
  /** What is changed here, or set, the next answer shows. */
  library: Library
  stats: Stats
  faults: Faults
  /** Every access token issued so far is refused from now on. */
  expireAccessTokens(): void
  /** The refresh token given out last is refused from now on: "Refresh token revoked". */
  revokeRefreshToken(): void
  /** As `revokeRefreshToken`, six months after consent: "Refresh token expired". */
  expireRefreshToken(): void
  /** The owner consents again: gives the new refresh token. Those before it stay as they are. */
  consent(scopes?: readonly string[]): string
  /**
   * Consents as a browser would at this address of `/authorize`: gives the address that it is sent
   * to. Throws an Error with what the page says when it is sent nowhere.
   */
  authorise(url: string | URL, choice?: Choice): Promise<string>
  /** Ends everything at once, open sockets and delayed answers too. */
  close(): Promise<void>
}

/** Starts a simulated Spotify: accounts service and Web API on one loopback port. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const {
    clock = systemClock,
    clientId = 'simulated-client-id',
    clientSecret = 'simulated-client-secret',
    tokenLifetimeS: lifetimeS = 3600,
    latencyMs = 0,
  } = options
  const stopped = new AbortController()
  const faults = new Faults()
  const stats = new Stats()
  const grants = new Grants({ lifetimeS })
  const [firstOptions = {}, ...otherOptions] = options.accounts ?? []
  const first = new Account(0, { ...options, ...firstOptions }, { grants, clock })
  const others = otherOptions.map((its, at) => new Account(at + 1, its, { grants, clock }))
  const accounts = accountsService({
    accounts: [first, ...others],
    codes: new Codes(),
    grants,
    clientId,
    clientSecret,
    lifetimeS,
    rotate: options.rotate ?? false,
  })
  const api = webApi({
    grants,
    rateLimit: options.rateLimit ? new RateLimit(options.rateLimit) : null,
    livePlaysSinceMs: options.livePlays ? clock.now() : null,
  })

  const app = buildServer(async (request, response) => {
    const { record, ended } = stats.came(request, clock.now())
    if (response.closed) ended()
    else response.once('close', ended)
    const due = faults.take(request)
    await pause(waitMs(request, due))
    await faults.before(request)

    const answer = answerTo(request, due)
    if (answer) {
      record.status = answer.status
      await deliver(response, answer, due, stopped.signal)
    } else if (due.some(({ kind }) => kind === 'reset')) {
      response.socket?.resetAndDestroy()
    }
  })
  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  const { port } = app.server.address() as AddressInfo
  const apiUrl = `http://127.0.0.1:${port}${prefixes.api}`

  const simulator: Simulator = {
    apiUrl,
    accountsUrl: `http://127.0.0.1:${port}${prefixes.accounts}`,
    clientId,
    clientSecret,
    accounts: [first, ...others],
    get refreshToken() {
      return first.refreshToken
    },
    get library() {
      return first.library
    },
    set library(library) {
      first.library = library
    },
    stats,
    faults,
    expireAccessTokens: () => grants.expireAccessTokens(),
    revokeRefreshToken: () => first.revokeRefreshToken(),
    expireRefreshToken: () => first.expireRefreshToken(),
    consent: (scopes) => first.consent(scopes),
    authorise: chooseOnConsentPage,
    async close() {
      // The sockets first: what the abort wakes up must not be answered any more.
      app.server.closeAllConnections()
      stopped.abort()
      await app.close()
    },
  }
  return simulator

  function waitMs(request: SimulatedRequest, due: Fault[]) {
    const slow = due.reduce((ms, fault) => ms + (fault.kind === 'slow-headers' ? fault.ms : 0), 0)
    if (request.service !== 'api') return slow
    return slow + (typeof latencyMs === 'number' ? latencyMs : latencyMs(request))
  }

  async function pause(ms: number) {
    if (ms > 0) await delay(ms, undefined, { signal: stopped.signal })
  }

  /** The answer after all its faults; null when none is to be sent. */
  function answerTo(request: SimulatedRequest, due: Fault[]): Answer | null {
    const replacement = due.find(isReplacement)
    const answer = replacement ? replacementAnswer(replacement) : serviceAnswer(request, due)
    return answer && due.reduce((good, fault) => spoilt(good, fault, request), answer)
  }

  function serviceAnswer(request: SimulatedRequest, due: Fault[]): Answer {
    switch (request.service) {
      case 'api': {
        const sizes = due.map((fault) => (fault.kind === 'page-size' ? fault.size : 50))
        return api(request, apiUrl, clock.now(), Math.min(50, ...sizes))
      }
      case 'accounts':
        return accounts(request, clock.now())
      case 'none':
        return text(404, 'Not Found')
    }
  }
}
