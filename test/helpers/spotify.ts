import { openStore } from '../../src/database/open.ts'
import type { Store } from '../../src/database/store.ts'
import { Secrets } from '../../src/secrets.ts'
import type { Backoff } from '../../src/spotify/backoff.ts'
import { type Call, SpotifyClient } from '../../src/spotify/client.ts'
import { RateGate } from '../../src/spotify/rate-gate.ts'
import { type Credentials, TokenManager } from '../../src/spotify/token-manager.ts'
import type { Transport } from '../../src/spotify/transport.ts'
import { WaitBudget } from '../../src/spotify/wait-budget.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeTransport } from './fake-transport.ts'
import { type MemoryLog, memoryLog } from './log.ts'

/** What a test closes over: tap's `t`. */
type Test = { teardown(fn: () => unknown): void }

type Options = {
  store?: Store
  transport?: Transport
  credentials?: Partial<Credentials>
  backoff?: Backoff
  requestsPerMinute?: number
  burst?: number
}

/** One connection's parts over a fake wire and a fake clock. */
export type Parts = {
  clock: FakeClock
  wire: FakeTransport
  store: Store
  secrets: Secrets
  log: MemoryLog
  gate: RateGate
  tokens: TokenManager
  client: SpotifyClient
  /** For whom a request is made; a budget of 20 s of its own, unless one is given. */
  call(of?: Partial<Call> & { waitMs?: number }): Call
}

export const apiUrl = 'https://api.example/v1'
export const authorizeUrl = 'http://127.0.0.1:8080/connections/default/authorize'
export const accountsUrl = 'https://accounts.example'

/** A store in memory that ends with the test. */
export function memoryStore(t: Test): Store {
  const store = openStore('sqlite::memory:', memoryLog())
  t.teardown(() => store.close())
  return store
}

/** Puts the parts of one connection together; without a bucket, and without waits between attempts. */
export function spotifyParts(t: Test, options: Options = {}): Parts {
  const { requestsPerMinute = 0, burst = 1, backoff = () => 0 } = options
  const clock = new FakeClock()
  const wire = new FakeTransport()
  const transport = options.transport ?? wire
  const store = options.store ?? memoryStore(t)
  const secrets = new Secrets()
  const log = memoryLog()
  const credentials = {
    clientId: 'client-id',
    clientSecret: 'client-secret',
    refreshToken: 'configured-token',
    ...options.credentials,
  }
  const shared = { clock, log, store, transport, secrets, backoff, accountsUrl, apiUrl }
  const gate = new RateGate({
    ...shared,
    clientId: credentials.clientId,
    requestsPerMinute,
    burst,
  })
  const tokens = new TokenManager({
    ...shared,
    connection: 'default',
    credentials,
    gate,
    waitBudgetMs: 20_000,
    remedy: { detail: () => 'Set SPOTIFY_REFRESH_TOKEN.', url: () => authorizeUrl },
  })
  return {
    clock,
    wire,
    store,
    secrets,
    log,
    gate,
    tokens,
    client: new SpotifyClient({ ...shared, tokens, gate }),
    call: ({ waitMs = 20_000, ...of } = {}) => ({
      scopes: [],
      plays: false,
      budget: new WaitBudget(waitMs, clock),
      signal: new AbortController().signal,
      ...of,
    }),
  }
}
