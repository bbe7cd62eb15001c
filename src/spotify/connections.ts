import type { Clock } from '../clock.ts'
import type { Store } from '../database/store.ts'
import { ConnectorError, quote } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Secrets } from '../secrets.ts'
import { type Backoff, fullJitter } from './backoff.ts'
import { type Call, SpotifyClient } from './client.ts'
import { consentEnd } from './consent.ts'
import type { SpotifyObserver } from './observer.ts'
import { type GateLoad, type GateState, RateGate } from './rate-gate.ts'
import { allScopes } from './scopes.ts'
import { openSession, type Spotify } from './session.ts'
import { type Credentials, TokenManager, type TokenState } from './token-manager.ts'
import type { Transport } from './transport.ts'
import { WaitBudget } from './wait-budget.ts'

/** What the connections of one app are made of. */
export type ConnectionParts = {
  credentials: Credentials & { consentedAtMs: number | null }
  apiUrl: string
  accountsUrl: string
  requestsPerMinute: number
  burst: number
  readWaitBudgetMs: number
  transport: Transport
  store: Store
  secrets: Secrets
  clock: Clock
  log: Log
  backoff?: Backoff
  observer?: SpotifyObserver
}

/** One account, to be read from. */
export type Connection = {
  name: string
  /** The requests of one read, and the budget that they wait in. */
  open(read: Pick<Call, 'scopes' | 'plays' | 'signal'> & { waitBudgetMs: number }): {
    spotify: Spotify
    budget: WaitBudget
  }
  /** How it stands, without asking anybody. */
  status(): ConnectionStatus
  /** Lets what may bring a new refresh token end, and stores it. */
  close(): Promise<void>
}

/** How a connection stands; null where it is not known. Times are Unix ms. */
export type ConnectionStatus = {
  name: string
  state: TokenState['state']
  scopes: readonly string[] | null
  missingScopes: readonly string[] | null
  consentedAtMs: number | null
  expiresAtMs: number | null
  daysLeft: number | null
  /** True while a rotated refresh token is in memory only. */
  unstored: boolean
}

/** The accounts that can be read, and the gate of the app that they share. */
export type Connections = {
  /** Throws `connection-not-found`. */
  get(name: string): Connection
  all(): readonly Connection[]
  gate(): GateState
  gateLoad(): GateLoad
  /** To be called before the transport and the store are closed. */
  close(): Promise<void>
}

/** The connections of one app: today `default`, whose credentials come from the configuration. */
export function createConnections(parts: ConnectionParts): Connections {
  const { credentials, clock, backoff = fullJitter() } = parts
  const gate = new RateGate({ ...parts, clientId: credentials.clientId })
  const connection = createConnection('default', { ...parts, backoff }, gate)
  const byName = new Map([[connection.name, connection]])
  return {
    get(name) {
      const found = byName.get(name)
      if (found) return found
      throw new ConnectorError(
        'connection-not-found',
        `There is no connection ${quote(name)}. The connections are: ${[...byName.keys()].join(', ')}.`,
        { members: { connections: [...byName.keys()] } },
      )
    },
    all: () => [...byName.values()],
    gate: () => gate.state(),
    gateLoad: () => gate.load(),
    async close() {
      for (const one of byName.values()) await one.close()
    },
  }

  function createConnection(
    name: string,
    its: ConnectionParts & { backoff: Backoff },
    itsGate: RateGate,
  ): Connection {
    const tokens = new TokenManager({
      ...its,
      connection: name,
      gate: itsGate,
      waitBudgetMs: its.readWaitBudgetMs,
    })
    const client = new SpotifyClient({ ...its, tokens, gate: itsGate })
    return {
      name,
      open({ waitBudgetMs, ...call }) {
        const budget = new WaitBudget(waitBudgetMs, clock)
        return { spotify: openSession(client, { ...call, budget }), budget }
      },
      close: () => tokens.close(),
      status: () => statusOf(name, tokens.state(), its.credentials.consentedAtMs, clock.now()),
    }
  }
}

function statusOf(
  name: string,
  { state, scopes, unstored }: TokenState,
  consentedAtMs: number | null,
  nowMs: number,
): ConnectionStatus {
  const end = consentedAtMs === null ? null : consentEnd(consentedAtMs, nowMs)
  return {
    name,
    state,
    scopes,
    missingScopes: scopes && allScopes.filter((scope) => !scopes.includes(scope)),
    consentedAtMs,
    expiresAtMs: end?.expiresAtMs ?? null,
    daysLeft: end?.daysLeft ?? null,
    unstored,
  }
}
