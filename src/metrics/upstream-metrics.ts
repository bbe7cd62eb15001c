import type { SpotifyObserver } from '../spotify/observer.ts'
import type { Maker } from './registry.ts'

/** Counts what goes on towards Spotify. */
export function upstreamMetrics({ counter, histogram }: Maker): SpotifyObserver {
  const requests = counter(
    'upstream_requests_total',
    'Requests to Spotify by endpoint and status: that of the answer, or timeout, error (no whole answer) and aborted (nobody wanted it any more).',
    ['endpoint', 'status'],
  )
  const durations = histogram(
    'upstream_request_duration_seconds',
    'How long Spotify took to answer a request whole, by endpoint. Waits at the gate and between attempts are not in it.',
    ['endpoint'],
    [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  )
  const retries = counter(
    'upstream_retries_total',
    'Requests to Spotify that were asked again, by endpoint and why: upstream-error, upstream-timeout, rate-limited or quota-exceeded (429), unauthorised (401).',
    ['endpoint', 'code'],
  )
  const waits = histogram(
    'gate_wait_seconds',
    'How long requests to Spotify waited at the gate, those that waited at all, by endpoint and reason: limited (Spotify answered 429 before), bucket (SPOTIFY_BURST and SPOTIFY_REQUESTS_PER_MINUTE are used up).',
    ['endpoint', 'reason'],
    [0.1, 0.5, 1, 5, 15, 30, 60, 300, 600],
  )
  const refreshes = counter(
    'token_refreshes_total',
    'Refreshes of an access token by connection and outcome: refreshed, put-off (it failed, and the token at hand is good for a moment), or the code of the failure.',
    ['connection', 'outcome'],
  )
  return {
    answered(endpoint, status, ms) {
      requests.inc({ endpoint, status: String(status) })
      if (typeof status === 'number') durations.observe({ endpoint }, ms / 1000)
    },
    retried: (endpoint, code) => retries.inc({ endpoint, code }),
    waited: (endpoint, reason, ms) => waits.observe({ endpoint, reason }, ms / 1000),
    refreshed: (connection, outcome) => refreshes.inc({ connection, outcome }),
  }
}
