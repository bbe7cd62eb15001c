// Requests a second of /livez and /tables against routes of a bare Fastify that give the same
// bodies, in turns and in the same run: `npm run bench:http`.
import { fork } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'

const rounds = 5
const requests = 10_000
const connections = 16

const service = await start('src/main.ts', { DEMO: 'true', PORT: '18081' }, 18_081)
const tables = await (await fetch(`${service.origin}/tables`)).text()
const bare = await start('bench/bare-fastify.ts', { PORT: '18082', TABLES: tables }, 18_082)

process.stdout.write(
  `${process.version}, ${connections} connections, median of ${rounds} rounds of ${requests} requests\n`,
)
for (const path of ['/livez', '/tables']) {
  const rates: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] }
  for (let round = 0; round <= rounds; round++) {
    const bareRate = await measure(bare.origin, path)
    const ourRate = await measure(service.origin, path)
    // The first round warms up.
    if (round > 0) {
      rates.ours.push(ourRate)
      rates.bare.push(bareRate)
    }
  }
  const [ours, theirs] = [median(rates.ours), median(rates.bare)]
  process.stdout.write(
    `${path}: ${ours}/s, bare Fastify ${theirs}/s, ratio ${(ours / theirs).toFixed(2)}\n`,
  )
}
service.stop()
bare.stop()

async function start(file: string, env: Record<string, string>, port: number) {
  const child = fork(file, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const origin = `http://127.0.0.1:${port}`
  while (!(await fetch(`${origin}/livez`).catch(() => null))) await delay(20)
  return { origin, stop: () => child.kill('SIGTERM') }
}

async function measure(origin: string, path: string): Promise<number> {
  const pool = new Pool(origin, { connections, pipelining: 1 })
  let left = requests
  const from = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (left-- > 0) {
        const { statusCode, body } = await pool.request({ method: 'GET', path })
        if (statusCode !== 200) throw new Error(`${path}: ${statusCode}`)
        await body.dump()
      }
    }),
  )
  const elapsed = performance.now() - from
  await pool.close()
  return Math.round((requests * 1000) / elapsed)
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] as number
}
