import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

// To look 100 times a second, as is the default, would take a third of a percent of a core.
const resolutionMs = 50

/**
 * Figures of the process, under the names that Prometheus' clients give them. prom-client's own set
 * also observes each garbage collection, which was measured to cost 6 % of a small answer. Gives what is
 * to be called behind each scrape: the delays of the event loop are counted from there anew.
 */
export function processMetrics(registry: Registry): () => void {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number | null) => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const value = read()
        if (value !== null) this.set(value)
      },
    })
  }
  new Counter({
    name: 'process_cpu_seconds_total',
    registers,
    help: 'Processor time of the process, user and system, in seconds.',
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    },
  })
  const startedAtS = performance.timeOrigin / 1000
  gauge('process_start_time_seconds', 'When the process started, Unix time.', () => startedAtS)
  gauge('process_resident_memory_bytes', 'Memory of the process in RAM.', () =>
    process.memoryUsage.rss(),
  )
  gauge('process_open_fds', 'Open files and sockets. Only on Linux.', openFiles)
  gauge(
    'nodejs_heap_size_used_bytes',
    'What JavaScript objects take.',
    () => process.memoryUsage().heapUsed,
  )
  gauge(
    'nodejs_heap_size_total_bytes',
    'What is set aside for JavaScript objects.',
    () => process.memoryUsage().heapTotal,
  )
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  const late = 'How late the event loop was since the last scrape: everything waits for so long.'
  for (const [name, read] of [
    ['mean', () => delay.mean],
    ['p50', () => delay.percentile(50)],
    ['p99', () => delay.percentile(99)],
    ['max', () => delay.max],
  ] as const) {
    gauge(`nodejs_eventloop_lag_${name}_seconds`, late, () => {
      // Nothing has been seen yet.
      if (delay.count === 0) return 0
      // It measures from one look to the next, which come at this resolution when nothing is late.
      return Math.max(0, read() / 1e9 - resolutionMs / 1000)
    })
  }
  return () => delay.reset()
}

/** How many there are; null where the system does not tell. */
function openFiles(): number | null {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return null // Only Linux has it.
  }
}
