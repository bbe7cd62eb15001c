import { statSync } from 'node:fs'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import packageJson from '../package.json' with { type: 'json' }
import { buildApp } from './app.ts'
import type { Clock } from './clock.ts'
import { type Config, isLoopbackHost, resolveMode } from './config.ts'
import { observeStore } from './database/observe-store.ts'
import { openStore } from './database/open.ts'
import { ConfigError, quote } from './errors.ts'
import { LastReads } from './last-reads.ts'
import type { Pressure } from './load.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { secretsOf } from './proxies.ts'
import type { Secrets } from './secrets.ts'
import type { Backoff } from './spotify/backoff.ts'
import { type ConnectionParts, createConnections } from './spotify/connections.ts'
import { observeTransport } from './spotify/observe-transport.ts'
import { createTransport, type Timeouts } from './spotify/transport.ts'

const demoClientId = 'demo'

/** What a service is started with. */
export type ServiceParts = {
  /** Of requests to Spotify. */
  timeouts?: Timeouts
  /** Between attempts. */
  backoff?: Backoff
  /** When the event loop does not keep up. */
  pressure?: Pressure
  config: Config
  secrets: Secrets
  clock: Clock
  logger: FastifyBaseLogger
  /** What counts; by default metrics of its own. */
  metrics?: Metrics
}

/** A service that is put together, and does not listen yet. */
export type Service = {
  app: FastifyInstance
  mode: 'demo' | 'spotify'
  /** Lets the running requests end, then lets go of everything. */
  close(): Promise<void>
}

/** Where Spotify is and as whom it is asked: the real one, or the demo's own. */
type Upstream = Pick<ConnectionParts, 'apiUrl' | 'accountsUrl' | 'credentials'> & {
  close(): Promise<void>
}

/** Puts the service together. Throws ConfigError. */
export async function createService(parts: ServiceParts): Promise<Service> {
  const { config, clock, logger } = parts
  const mode = resolveMode(config, () => holdsConnections(config.databaseUrl, logger))
  const inMemory = mode === 'demo' && !config.databaseUrlGiven
  const { version } = packageJson
  const nowMs = () => clock.now()
  const metrics = parts.metrics ?? createMetrics(nowMs)
  const lastReads = new LastReads(nowMs)
  const { store, trouble } = observeStore(
    openStore(inMemory ? 'sqlite::memory:' : config.databaseUrl, logger),
    metrics.databaseFailed,
  )
  const upstream = mode === 'demo' ? await demoUpstream(clock) : spotifyUpstream(config)
  const { proxies } = config
  for (const proxy of [proxies.http, proxies.https]) {
    for (const secret of proxy ? secretsOf(proxy) : []) parts.secrets.addPermanent(secret)
  }
  const transport = observeTransport(
    createTransport(parts.timeouts, { proxies, isDirect: isLoopbackHost }),
    { bases: [upstream.apiUrl, upstream.accountsUrl], observer: metrics.spotify },
  )
  const connections = createConnections({
    ...parts,
    ...config,
    ...upstream,
    transport,
    store,
    log: logger,
    observer: metrics.spotify,
  })
  metrics.watch({
    ...{ mode, version, connections, lastReads },
    isDatabaseOk: () =>
      trouble() === null && !connections.all().some((one) => one.status().unstored),
  })
  const app = await buildApp({
    ...parts,
    ...config,
    ...{ connections, mode, version, metrics, lastReads },
    databaseTrouble: trouble,
    reads: {
      begun: metrics.reads.begun,
      ended(report) {
        metrics.reads.ended(report)
        lastReads.ended(report)
      },
    },
  })
  return {
    app,
    mode,
    async close() {
      await app.close()
      await connections.close()
      await transport.close()
      await upstream.close()
      store.close()
    },
  }
}

/** Whether a real account was read from this database before; makes none where there is none. */
function holdsConnections(databaseUrl: string, logger: FastifyBaseLogger): boolean {
  const path = databaseUrl.replace(/^sqlite:/i, '')
  if (path === ':memory:' || sizeOf(path) === 0) return false
  const store = openStore(databaseUrl, logger, { create: false })
  try {
    return store.holdsConnections(demoClientId)
  } finally {
    store.close()
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0
  } catch (error) {
    // What can't be looked at may hold a connection.
    const why = error instanceof Error ? error.message : String(error)
    throw new ConfigError(
      `DATABASE_URL: ${quote(path)} can't be opened (${quote(why)}): name a file where this user may write`,
      { cause: error },
    )
  }
}

function spotifyUpstream({ credentials, spotifyApiUrl, spotifyAccountsUrl }: Config): Upstream {
  if (!credentials) throw new Error('resolveMode lets no configuration without credentials pass')
  return {
    apiUrl: spotifyApiUrl,
    accountsUrl: spotifyAccountsUrl,
    credentials,
    close: async () => {},
  }
}

/** Spotify made up, on a loopback port of its own. */
async function demoUpstream(clock: Clock): Promise<Upstream> {
  // Loaded here, so that a service of the real one never holds it.
  const [{ startSimulator }, { demoAccounts }] = await Promise.all([
    import('./simulator/simulator.ts'),
    import('./simulator/demo-accounts.ts'),
  ])
  const simulator = await startSimulator({
    clock,
    accounts: demoAccounts(clock.now()),
    clientId: demoClientId,
    livePlays: true,
    rateLimit: { requests: 400, windowMs: 30_000 },
  })
  const { apiUrl, accountsUrl, clientId, clientSecret, refreshToken } = simulator
  return {
    apiUrl,
    accountsUrl,
    credentials: { clientId, clientSecret, refreshToken, consentedAtMs: clock.now() },
    close: () => simulator.close(),
  }
}
