import { statSync } from 'node:fs'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import packageJson from '../package.json' with { type: 'json' }
import { buildApp } from './app.ts'
import type { Clock } from './clock.ts'
import { type Config, isLoopbackHost, resolveMode } from './config.ts'
import { ConsentWatch } from './consent-watch.ts'
import { observeStore } from './database/observe-store.ts'
import { openStore } from './database/open.ts'
import type { Store } from './database/store.ts'
import { ConfigError, quote } from './errors.ts'
import { LastReads } from './last-reads.ts'
import { createLinks } from './links.ts'
import type { Pressure } from './load.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { secretsOf } from './proxies.ts'
import type { Secrets } from './secrets.ts'
import type { Backoff } from './spotify/backoff.ts'
import { type ConnectionParts, createConnections } from './spotify/connections.ts'
import { observeTransport } from './spotify/observe-transport.ts'
import { createTransport, type Timeouts } from './spotify/transport.ts'
import { Tickets } from './tickets.ts'

const demoClientId = 'demo'
const consentLookMs = 3600_000

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
  const { config, secrets, clock, logger } = parts
  for (const { key } of config.accessKeys) secrets.addPermanent(key)
  for (const key of config.encryptionKeys) secrets.addPermanent(key.export().toString('base64'))
  const mode = resolveMode(config, () => holdsConnections(config.databaseUrl, logger))
  const inMemory = mode === 'demo' && !config.databaseUrlGiven
  const { version } = packageJson
  const nowMs = () => clock.now()
  const metrics = parts.metrics ?? createMetrics(nowMs)
  const lastReads = new LastReads(nowMs)
  const { store, trouble } = observeStore(
    openStore(inMemory ? 'sqlite::memory:' : config.databaseUrl, logger, {
      keys: config.encryptionKeys,
    }),
    metrics.databaseFailed,
  )
  // Where nobody has to show an access key, nobody needs a ticket in place of one.
  const tickets = config.accessKeys.length > 0 ? new Tickets(clock) : null
  const upstream = mode === 'demo' ? await demoUpstream(clock) : spotifyUpstream(config)
  const { proxies } = config
  for (const proxy of [proxies.http, proxies.https]) {
    for (const secret of proxy ? secretsOf(proxy) : []) secrets.addPermanent(secret)
  }
  const transport = observeTransport(
    createTransport(parts.timeouts, { proxies, isDirect: isLoopbackHost }),
    { bases: [upstream.apiUrl, upstream.accountsUrl], observer: metrics.spotify },
  )
  // The simulated accounts service forgets its consents when it ends.
  if (mode === 'demo') forgetConnections(store)
  let port = config.port
  const links = createLinks(() => config.publicUrl ?? loopbackUrl(config.host, port), tickets)
  const connections = createConnections({
    ...parts,
    ...config,
    ...upstream,
    transport,
    store,
    links,
    log: logger,
    observer: metrics.spotify,
  })
  metrics.watch({
    mode,
    version,
    connections,
    lastReads,
    isDatabaseOk: () =>
      trouble() === null && !connections.all().some((one) => one.status().unstored),
  })
  const watch = new ConsentWatch({ connections, clock, log: logger })
  const looking = setInterval(() => watch.look(), consentLookMs).unref()
  const app = await buildApp({
    ...parts,
    ...config,
    connections,
    links,
    tickets,
    mode,
    version,
    metrics,
    lastReads,
    databaseTrouble: trouble,
    reads: {
      begun: metrics.reads.begun,
      ended(report) {
        metrics.reads.ended(report)
        lastReads.ended(report)
      },
    },
  })
  app.addHook('onListen', async () => {
    const address = app.server.address()
    if (address !== null && typeof address === 'object') port = address.port
    // Not before: what is told has links in it.
    connections.announce()
    watch.look()
  })
  return {
    app,
    mode,
    async close() {
      clearInterval(looking)
      await app.close()
      await connections.close()
      await transport.close()
      await upstream.close()
      store.close()
    },
  }
}

/** Where a browser on this machine reaches it. Spotify takes no name in place of the address. */
function loopbackUrl(host: string, port: number): string {
  return `http://${host === '::1' ? '[::1]' : '127.0.0.1'}:${port}`
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

function forgetConnections(store: Store): void {
  for (const { origin } of store.connections(demoClientId)) {
    store.deleteConnection(demoClientId, origin.connection)
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
