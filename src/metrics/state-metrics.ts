import type { LastReads } from '../last-reads.ts'
import type { Connections } from '../spotify/connections.ts'
import type { Maker } from './registry.ts'

/** What there is to be looked at when Prometheus asks. Nothing of it asks Spotify, or waits. */
export type State = {
  mode: 'demo' | 'spotify'
  version: string
  connections: Connections
  lastReads: LastReads
  /** False while something that must survive a restart is not stored. */
  isDatabaseOk(): boolean
}

const states = ['ok', 'needs-consent', 'credentials-rejected', 'unknown'] as const

/** Tells how things stand; gives what has to be called before the metrics are written. */
export function stateMetrics({ gauge }: Maker, state: State): () => void {
  const { connections, lastReads, mode, version } = state
  gauge(
    'build_info',
    'Always 1: which version runs, and whether its rows are those of a real account (spotify) or made up (demo).',
    ['version', 'mode', 'node'],
  ).set({ version, mode, node: process.version }, 1)
  const connectionState = gauge(
    'connection_state',
    'Always one of these is 1, by connection: ok, needs-consent (the owner has to consent again), credentials-rejected (client id or secret are wrong), unknown (Spotify has not been asked since the start).',
    ['connection', 'state'],
  )
  const daysLeft = gauge(
    'consent_days_left',
    "Days until the account's consent ends, which no refresh prolongs; negative when it is over. Absent where the day of consent is not known (SPOTIFY_CONSENTED_AT).",
    ['connection'],
  )
  const shutUntil = gauge(
    'gate_shut_until_timestamp_seconds',
    'Until when nothing is sent to an endpoint because Spotify answered 429; "all": to none of them. Absent while it is open.',
    ['endpoint'],
  )
  const tokens = gauge(
    'gate_bucket_requests',
    'Requests to Spotify that could go out at once by our own limit (SPOTIFY_BURST, SPOTIFY_REQUESTS_PER_MINUTE). Absent without such a limit.',
    [],
  )
  const queued = gauge('gate_queue_requests', 'Requests to Spotify that wait at the gate.', [])
  const database = gauge(
    'database_ok',
    '1: all that must survive a restart is stored. 0: the database can not be written; /health says what to do.',
    [],
  )
  const lastRead = gauge(
    'last_successful_read_timestamp_seconds',
    'When the last read ended well, by table and connection, since the start.',
    ['table', 'connection'],
  )
  return () => {
    connectionState.reset()
    daysLeft.reset()
    for (const connection of connections.all()) {
      const { name, state: its, daysLeft: days } = connection.status()
      for (const one of states) {
        connectionState.set({ connection: name, state: one }, one === its ? 1 : 0)
      }
      if (days !== null) daysLeft.set({ connection: name }, days)
    }
    const gate = connections.gate()
    shutUntil.reset()
    if (gate.untilMs !== null) shutUntil.set({ endpoint: 'all' }, gate.untilMs / 1000)
    for (const { endpoint, untilMs } of gate.endpoints) shutUntil.set({ endpoint }, untilMs / 1000)
    const load = connections.gateLoad()
    tokens.remove()
    if (load.requests !== null) tokens.set(load.requests)
    queued.set(load.queued)
    database.set(state.isDatabaseOk() ? 1 : 0)
    lastRead.reset()
    for (const { table, connection, succeeded } of lastReads.all()) {
      if (succeeded) lastRead.set({ table, connection }, succeeded.atMs / 1000)
    }
  }
}
