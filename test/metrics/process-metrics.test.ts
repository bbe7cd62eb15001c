import { Registry } from 'prom-client'
import t from 'tap'
import { processMetrics } from '../../src/metrics/process-metrics.ts'
import { parseMetrics } from '../helpers/metrics.ts'

t.test('memory, processor time and start are those of the process', async (t) => {
  const registry = new Registry()
  processMetrics(registry)
  const look = async () => {
    const { samples } = parseMetrics(await registry.metrics())
    return (name: string) => samples.find((one) => one.name === name)?.value as number
  }
  const first = await look()
  const { user, system } = process.cpuUsage()
  const cpu = first('process_cpu_seconds_total')
  t.ok(cpu > 0 && cpu <= (user + system) / 1e6)
  t.ok(Math.abs(first('process_resident_memory_bytes') / process.memoryUsage.rss() - 1) < 0.5)
  t.ok(first('nodejs_heap_size_used_bytes') <= first('nodejs_heap_size_total_bytes'))
  const started = first('process_start_time_seconds')
  t.ok(started <= Date.now() / 1000 && started > Date.now() / 1000 - 600)
  t.ok((await look())('process_cpu_seconds_total') >= cpu, 'it only grows')
})

t.test('a blocked event loop shows, and the next scrape begins anew', async (t) => {
  const registry = new Registry()
  const scraped = processMetrics(registry)
  const worst = async () => {
    const { samples } = parseMetrics(await registry.metrics())
    scraped()
    return samples.find(({ name }) => name === 'nodejs_eventloop_lag_max_seconds')?.value as number
  }
  await new Promise((resolve) => setTimeout(resolve, 120))
  const quiet = await worst()
  t.ok(quiet < 0.3, 'how often it looks is no delay')
  await new Promise((resolve) => setTimeout(resolve, 120))
  const until = performance.now() + 400
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 120))
  const blocked = await worst()
  t.ok(blocked >= 0.3)
  // Not a fixed bound: the machine may be busy.
  t.ok((await worst()) < blocked)
})
