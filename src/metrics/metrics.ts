import { collectDefaultMetrics, Registry } from 'prom-client'
import type { SpotifyObserver } from '../spotify/observer.ts'
import type { ReadObserver } from '../tables/read-report.ts'
import { readMetrics } from './read-metrics.ts'
import { makerOf } from './registry.ts'
import { type State, stateMetrics } from './state-metrics.ts'
import { upstreamMetrics } from './upstream-metrics.ts'

/** What is counted of one service, and its text for Prometheus. */
export type Metrics = {
  /** The media type of the text. */
  contentType: string
  /** All metrics in Prometheus' text format. */
  text(): Promise<string>
  spotify: SpotifyObserver
  reads: ReadObserver
  /** A request has been answered: `route` is its pattern, `none` where it met no route. */
  answered(route: string, status: number, ms: number): void
  /** An operation of the database has failed. */
  databaseFailed(operation: string): void
  /** From now on the text also tells how these stand. */
  watch(state: State): void
}

/**
 * The metrics of one service, in a registry of its own, so that a process can hold several. This
 * folder alone knows prom-client: the other rooms are handed the small observers that they name.
 */
export function createMetrics(nowMs: () => number): Metrics {
  const registry = new Registry()
  const maker = makerOf(registry)
  collectDefaultMetrics({ register: registry })
  const requests = maker.histogram(
    'http_request_duration_seconds',
    "Requests to this service that were answered, by route and status, and how long they took. A reader that goes away first is counted by its read's outcome.",
    ['route', 'status'],
    [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 60, 300],
  )
  const databaseErrors = maker.counter(
    'database_errors_total',
    'Operations of the database that failed, by their name. What was to be stored is held in memory and lost with the process.',
    ['operation'],
  )
  let look = () => {}
  return {
    contentType: registry.contentType,
    text() {
      look()
      return registry.metrics()
    },
    spotify: upstreamMetrics(maker),
    reads: readMetrics(maker, nowMs),
    answered: (route, status, ms) => requests.observe({ route, status: String(status) }, ms / 1000),
    databaseFailed: (operation) => databaseErrors.inc({ operation }),
    watch(state) {
      look = stateMetrics(maker, state)
    },
  }
}
