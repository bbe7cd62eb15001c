import type { Clock } from '../clock.ts'
import type { Store } from '../database/store.ts'
import { ConnectorError, quote } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Secrets } from '../secrets.ts'
import { type Account, describeAccount, isSameAccount } from './account.ts'
import { type Backoff, fullJitter } from './backoff.ts'
import type { Exchanged } from './code-exchange.ts'
import { Connection, type Grant } from './connection.ts'
import { type ConsentLinks, Consents } from './consents.ts'
import type { SpotifyObserver } from './observer.ts'
import { type GateLoad, type GateState, RateGate } from './rate-gate.ts'
import { type Credentials, originOf } from './token-manager.ts'
import type { Transport } from './transport.ts'

const fromEnvironment = 'default'

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
  links: ConsentLinks
  backoff?: Backoff
  observer?: SpotifyObserver
}

/** A consent that counted. `alsoAs`: the other connections of the same account. */
export type Connected = { connection: Connection; account: Account; alsoAs: string[] }

/** The accounts that can be read, and the gate of the app that they share. */
export type Connections = {
  /** Throws `connection-not-found`. */
  get(name: string): Connection
  /** `default` first, then by name. */
  all(): readonly Connection[]
  gate(): GateState
  /** The way by which connections are added, and by which one gets another refresh token. */
  consents: Consents
  /**
   * Takes what a consent brought into a connection, which may be new. Throws `consent-failed` where
   * the connection is another account's, or where it can't be stored: then nothing is changed.
   */
  accept(name: string, account: Account, exchanged: Exchanged): Promise<Connected>
  /**
   * Deletes a connection that a consent made; false where there is no consent to delete: that of
   * `default` comes from the environment. Throws `connection-not-found`.
   */
  remove(name: string): boolean
  /** Logs what the operator should know from the start; links have to be good by then. */
  announce(): void
  gateLoad(): GateLoad
  /** To be called before the transport and the store are closed. */
  close(): Promise<void>
}

/**
 * The connections of one app: `default`, whose credentials come from the configuration unless a
 * consent took their place, and those that consents made.
 */
export function createConnections(given: ConnectionParts): Connections {
  const parts = { ...given, backoff: given.backoff ?? fullJitter() }
  const { credentials, store, secrets, log } = parts
  const { clientId } = credentials
  const gate = new RateGate({ ...parts, clientId })
  const configured: Grant = { isConsent: false, account: null, scopes: null, ...credentials }
  const configuredPrint =
    credentials.refreshToken === null
      ? null
      : originOf(fromEnvironment, clientId, credentials.refreshToken).fingerprint
  const byName = new Map<string, Connection>()
  add(fromEnvironment, configured)
  for (const { origin, replaced, ...stored } of store.connections(clientId)) {
    const name = origin.connection
    const grant = { isConsent: true, ...stored }
    if (name !== fromEnvironment) add(name, grant)
    // Another token than the one that it took the place of is newer than the consent.
    else if (configuredPrint === null || configuredPrint === replaced) get(name).use(grant)
    else
      log.warn(
        { connection: name },
        'SPOTIFY_REFRESH_TOKEN is used: it is another one than the consent in the database took the place of',
      )
  }
  const connections: Connections = {
    get,
    all: () => [...byName.values()].toSorted(inOrder),
    gate: () => gate.state(),
    consents: new Consents({ ...parts, gate, accept }),
    accept,
    remove(name) {
      const connection = get(name)
      if (!connection.isConsent) return false
      store.deleteConnection(clientId, name)
      if (name === fromEnvironment) connection.use(configured)
      else {
        byName.delete(name)
        connection.delete()
      }
      log.info({ connection: name }, 'connection deleted')
      return true
    },
    announce() {
      for (const connection of connections.all()) tellOf(connection)
    },
    gateLoad: () => gate.load(),
    async close() {
      for (const one of byName.values()) await one.close()
    },
  }
  return connections

  function add(name: string, grant: Grant): Connection {
    const connection = new Connection(name, grant, parts, gate)
    byName.set(name, connection)
    return connection
  }

  function get(name: string): Connection {
    const found = byName.get(name)
    if (found) return found
    const names = [...byName.values()].toSorted(inOrder).map((connection) => connection.name)
    throw connectionNotFound(name, names)
  }

  async function accept(name: string, account: Account, exchanged: Exchanged): Promise<Connected> {
    const { refreshToken, scopes } = exchanged.refreshed
    secrets.addPermanent(refreshToken)
    const found = await byName.get(name)?.findAccount()
    // From here on nothing is awaited: of two consents at once the second one meets the first.
    const existing = byName.get(name)
    const its = existing?.account ?? found
    if (its && !isSameAccount(its, account)) throw anotherAccount(name, its, account, existing)
    const consentedAtMs = exchanged.sentAtMs
    const consent = { refreshToken, account, scopes, consentedAtMs }
    const origin = originOf(name, clientId, refreshToken)
    const replaced = name === fromEnvironment ? configuredPrint : null
    try {
      store.saveConnection({ ...consent, origin, replaced })
    } catch (error) {
      log.error({ connection: name, err: error }, 'a consent could not be stored')
      throw new ConnectorError(
        'consent-failed',
        `The consent for connection ${name} could not be stored, and nothing was changed: see the log. Make the database writable, then begin again.`,
        { members: { connection: name }, cause: error },
      )
    }
    const grant = { isConsent: true, ...consent, first: exchanged }
    existing?.use(grant)
    const connection = existing ?? add(name, grant)
    const alsoAs = connections
      .all()
      .filter((other) => other !== connection && other.account !== null)
      .filter((other) => isSameAccount(other.account as Account, account))
      .map((other) => other.name)
    log.info({ connection: name, scopes, also_as: alsoAs }, 'a consent was given')
    return { connection, account, alsoAs }
  }

  function tellOf(connection: Connection): void {
    const { name, state, daysLeft, firstSeenAtMs } = connection.status()
    if (state === 'needs-consent') {
      log.warn({ connection: name }, connection.consentNeeded() ?? '')
    } else if (daysLeft === null && firstSeenAtMs !== null) {
      log.info(
        { connection: name, first_seen_at: new Date(firstSeenAtMs).toISOString() },
        'the day of the consent is not known (SPOTIFY_CONSENTED_AT): it ends at the latest 6 months after its token was first seen here',
      )
    }
  }
}

/** The error for a name that is none of `names`: those that the asker may know of. */
export function connectionNotFound(name: string, names: readonly string[]): ConnectorError {
  const there = names.length === 0 ? 'There are none' : `The connections are: ${names.join(', ')}`
  return new ConnectorError(
    'connection-not-found',
    `There is no connection ${quote(name)}. ${there}.`,
    { members: { connections: names } },
  )
}

function anotherAccount(
  name: string,
  its: Account,
  account: Account,
  existing: Connection | undefined,
): ConnectorError {
  const way =
    existing && !existing.isConsent
      ? 'take SPOTIFY_REFRESH_TOKEN out of the environment and restart'
      : `delete the connection first (DELETE /connections/${name})`
  return new ConnectorError(
    'consent-failed',
    `The consent was given by ${describeAccount(account)}, and connection ${name} is of ${describeAccount(its)}: its rows would all be replaced. Nothing was changed. Sign in to Spotify as ${describeAccount(its)} and begin again, consent under another name, or ${way}.`,
    { members: { connection: name } },
  )
}

function inOrder(one: Connection, other: Connection): number {
  const rank = ({ name }: Connection) => (name === fromEnvironment ? '' : name)
  return rank(one) < rank(other) ? -1 : 1
}
