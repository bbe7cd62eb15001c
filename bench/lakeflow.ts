// A pipeline's whole way, from Spark to rows, beside the Python connector's: `npm run bench:lakeflow`.
// Needs Python 3.10 and Java 17.
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

type Env = Record<string, string>

const ports = { spotify: 18_085, many: 18_086, defaults: 18_087 }
const urlOf = (port: number) => `http://127.0.0.1:${port}`

const python = execFileSync('bash', ['scripts/lakeflow-python.sh'], { encoding: 'utf8' }).trim()
const children = [
  start('bench/upstream.ts', { PORT: String(ports.spotify), LATENCY_MS: '80', ROWS: '10000' }),
  service(ports.many, { SPOTIFY_CONCURRENCY: '16', SPOTIFY_REQUESTS_PER_MINUTE: '0' }),
  service(ports.defaults, {}),
]
try {
  for (const path of [
    `${urlOf(ports.spotify)}/stats`,
    `${urlOf(ports.many)}/readyz`,
    `${urlOf(ports.defaults)}/readyz`,
  ]) {
    while (!(await fetch(path).catch(() => null))) await delay(20)
  }
  const urls = [ports.spotify, ports.many, ports.defaults].map(urlOf)
  const bench = spawn(python, ['bench/lakeflow.py', ...urls], { stdio: 'inherit' })
  const [code] = await once(bench, 'exit')
  process.exitCode = code ?? 1
} finally {
  for (const child of children) {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}

function service(port: number, env: Env): ChildProcess {
  return start('src/main.ts', {
    PORT: String(port),
    LOG_LEVEL: 'error',
    DATABASE_URL: 'sqlite::memory:',
    SPOTIFY_CLIENT_ID: 'bench',
    SPOTIFY_CLIENT_SECRET: 'bench-secret',
    SPOTIFY_REFRESH_TOKEN: 'bench-token',
    SPOTIFY_API_URL: urlOf(ports.spotify),
    SPOTIFY_ACCOUNTS_URL: urlOf(ports.spotify),
    ...env,
  })
}

function start(file: string, env: Env): ChildProcess {
  return fork(file, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}
