// Starts the service as `npm start` does (without npm) and tells how long it takes to /readyz, and
// how much memory it holds then: `npm run bench:start`.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const runs = 10
const port = 18_080
const origin = `http://127.0.0.1:${port}`

const rows: { 'to /readyz (ms)': number; 'memory (MiB)': number }[] = []
for (let run = 0; run < runs; run++) rows.push(await start())
process.stdout.write(`${process.version}, ${runs} runs, demo mode\n`)
for (const name of ['to /readyz (ms)', 'memory (MiB)'] as const) {
  const values = rows.map((row) => row[name]).sort((a, b) => a - b)
  const [least, median, most] = [values[0], values[runs >> 1], values[runs - 1]]
  process.stdout.write(`${name}: median ${median}, from ${least} to ${most}\n`)
}

async function start(): Promise<(typeof rows)[number]> {
  const from = performance.now()
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { PATH: process.env.PATH, PORT: String(port), DEMO: 'true', LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  while (!(await isReady())) await delay(2)
  const elapsed = Math.round(performance.now() - from)
  const memory = residentMiB(child.pid as number)
  child.kill('SIGTERM')
  await new Promise((resolve) => child.once('exit', resolve))
  return { 'to /readyz (ms)': elapsed, 'memory (MiB)': memory }
}

async function isReady(): Promise<boolean> {
  // A refused connection means that it does not listen yet.
  const answer = await fetch(`${origin}/readyz`).catch(() => null)
  return answer?.status === 200
}

function residentMiB(pid: number): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kib) / 1024)
}
