import t from 'tap'
import { createMetrics } from '../../src/metrics/metrics.ts'
import { parseMetrics } from '../helpers/metrics.ts'

const read = async (metrics: ReturnType<typeof createMetrics>) => parseMetrics(await metrics.text())

t.test('a process can hold the metrics of several services', async (t) => {
  const [one, other] = [createMetrics(() => 0), createMetrics(() => 0)]
  one.databaseFailed('saveBan')
  one.databaseFailed('saveBan')
  t.equal((await read(one)).value('database_errors_total', { operation: 'saveBan' }), 2)
  t.equal((await read(other)).value('database_errors_total'), null)
})

t.test('figures of the process are told under their usual names', async (t) => {
  const { types } = await read(createMetrics(() => 0))
  for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds']) {
    t.ok(types.has(name), name)
  }
})

t.test(
  'requests to Spotify are counted by endpoint and status, their times only where answered',
  async (t) => {
    const metrics = createMetrics(() => 0)
    metrics.spotify.answered('/me', 200, 70)
    metrics.spotify.answered('/me', 503, 70)
    metrics.spotify.answered('/me', 'timeout', 10_000)
    const { value } = await read(metrics)
    t.equal(value('upstream_requests_total', { endpoint: '/me', status: '503' }), 1)
    t.equal(value('upstream_requests_total', { endpoint: '/me', status: 'timeout' }), 1)
    t.equal(value('upstream_request_duration_seconds_count', { endpoint: '/me' }), 2)
    t.equal(value('upstream_request_duration_seconds_bucket', { le: '0.05' }), 0)
    t.equal(value('upstream_request_duration_seconds_bucket', { le: '0.1' }), 2)
  },
)

t.test('retries, waits and refreshes are counted by what made them', async (t) => {
  const metrics = createMetrics(() => 0)
  metrics.spotify.retried('/me', 'upstream-error')
  metrics.spotify.waited('/me', 'bucket', 1500)
  metrics.spotify.refreshed('default', 'put-off')
  const { value } = await read(metrics)
  t.equal(value('upstream_retries_total', { endpoint: '/me', code: 'upstream-error' }), 1)
  t.equal(value('gate_wait_seconds_sum', { endpoint: '/me', reason: 'bucket' }), 1.5)
  t.equal(value('token_refreshes_total', { connection: 'default', outcome: 'put-off' }), 1)
})
