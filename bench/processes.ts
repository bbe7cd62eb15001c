import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const servicePort = 18_083
const upstreamPort = 18_084
/** Where the service listens. */
export const service = `http://127.0.0.1:${servicePort}`
/** Where the Web API of upstream.ts listens. */
export const upstream = `http://127.0.0.1:${upstreamPort}`

type Env = Record<string, string>

/** Starts a Web API and a service of it with these variables, and ends both after `use`. */
export async function withService(
  upstreamEnv: Env,
  serviceEnv: Env,
  use: (child: ChildProcess) => Promise<void>,
): Promise<void> {
  const server = start('bench/upstream.ts', { PORT: String(upstreamPort), ...upstreamEnv })
  const child = start('src/main.ts', {
    PORT: String(servicePort),
    LOG_LEVEL: 'error',
    DATABASE_URL: 'sqlite::memory:',
    SPOTIFY_CLIENT_ID: 'bench',
    SPOTIFY_CLIENT_SECRET: 'bench-secret',
    SPOTIFY_REFRESH_TOKEN: 'bench-token',
    SPOTIFY_API_URL: upstream,
    SPOTIFY_ACCOUNTS_URL: upstream,
    ...serviceEnv,
  })
  try {
    await isReady(`${service}/readyz`)
    await isReady(`${upstream}/stats`)
    await use(child)
  } finally {
    await end(server)
    await end(child)
  }
}

/** Resolves when something answers. */
export async function isReady(url: string): Promise<void> {
  while (!(await fetch(url).catch(() => null))) await delay(20)
}

/** Ends a process, and waits until it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** Starts a file as a process with this environment alone. */
export function start(file: string, env: Env): ChildProcess {
  return fork(file, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

/** CPU time of a process until now, of all its threads; the kernel counts in hundredths. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** The most memory that a process ever had, in MiB. */
export function peakMiB(pid: number): number {
  return Math.round(
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
  )
}
