// What counting costs: a service with its metrics against one whose metrics do nothing, in turns and
// in the same run, by the processor time that each takes: `npm run bench:metrics`. Goal: at most 5 %.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'

const rounds = 15
const connections = 8
const upstreamPort = await freePort()

/** A service under test. */
type Service = { child: ChildProcess; origin: string; usage(): Promise<number> }

const upstream = fork('bench/upstream.ts', {
  env: { PATH: process.env.PATH, PORT: String(upstreamPort), ROWS: '5000' },
})
await once(upstream, 'message')
const on = await start('true')
const off = await start('false')

process.stdout.write(
  `${process.version}, processor time of the service, median of ${rounds} rounds in turns\n\n` +
    '| what | with metrics | without | cost |\n| --- | --- | --- | --- |\n',
)
const tracks = '/tables/tracks/read'
await compare('a read of 5,000 rows (JSON)', `${tracks}?max_pages=1000`, 6)
await compare('a read of 5,000 rows (stream)', `${tracks}?max_pages=1000&format=ndjson`, 6)
await compare('a read of 49 rows', `${tracks}?max_pages=1`, 300)
await compare('a read of 9 rows', `${tracks}?max_pages=1&limit=9`, 500)
await compare('/livez', '/livez', 5_000)
await scrapeTime()

for (const child of [on.child, off.child, upstream]) {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function start(counts: string): Promise<Service> {
  const port = await freePort()
  const child = fork('bench/metrics-service.ts', {
    env: {
      PATH: process.env.PATH,
      COUNTS: counts,
      PORT: String(port),
      UPSTREAM: `http://127.0.0.1:${upstreamPort}`,
    },
  })
  const origin = `http://127.0.0.1:${port}`
  while (!(await fetch(`${origin}/livez`).catch(() => null))) await delay(20)
  return {
    ...{ child, origin },
    async usage() {
      child.send('usage')
      const [microseconds] = await once(child, 'message')
      return microseconds
    },
  }
}

/** Prints the processor time that a request takes in both, in µs, and what counting adds. */
async function compare(what: string, path: string, requests: number): Promise<void> {
  const times: Record<'with' | 'without', number[]> = { with: [], without: [] }
  const ratios: number[] = []
  for (let round = -2; round < rounds; round++) {
    // Whoever is first in a round finds other caches: they take turns.
    const order = round % 2 === 0 ? [on, off] : [off, on]
    const taken = new Map<Service, number>()
    for (const service of order) taken.set(service, await measure(service, path, requests))
    if (round < 0) continue // To warm up.
    const [counting, silent] = [taken.get(on) as number, taken.get(off) as number]
    times.with.push(counting)
    times.without.push(silent)
    ratios.push(counting / silent)
  }
  const micros = (values: number[]) => `${Math.round(median(values))} µs`
  const cost = ((median(ratios) - 1) * 100).toFixed(1)
  process.stdout.write(
    `| ${what} | ${micros(times.with)} | ${micros(times.without)} | ${cost} % |\n`,
  )
}

async function measure({ origin, usage }: Service, path: string, requests: number) {
  const pool = new Pool(origin, { connections })
  const before = await usage()
  let left = requests
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (left-- > 0) {
        const { statusCode, body } = await pool.request({ method: 'GET', path })
        if (statusCode !== 200) throw new Error(`${path}: ${statusCode}`)
        await body.dump({ limit: Number.MAX_SAFE_INTEGER })
      }
    }),
  )
  const taken = (await usage()) - before
  await pool.close()
  return taken / requests
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function scrapeTime(): Promise<void> {
  const times: number[] = []
  let bytes = 0
  for (let round = 0; round < 50; round++) {
    const from = performance.now()
    bytes = (await (await fetch(`${on.origin}/metrics`)).text()).length
    times.push(performance.now() - from)
  }
  process.stdout.write(`\n/metrics: ${median(times).toFixed(1)} ms, ${bytes} bytes\n`)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}
