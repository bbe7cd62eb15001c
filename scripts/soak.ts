import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { failures } from '../src/errors.ts'
import type { Fault } from '../src/simulator/faults.ts'
import { makeLibrary } from '../src/simulator/library.ts'
import { Random } from '../src/simulator/random.ts'
import { startSimulator } from '../src/simulator/simulator.ts'
import { startMain } from '../test/helpers/main-process.ts'
import { simulatorEnv } from '../test/helpers/simulator-env.ts'

// Asks a service for many minutes while Spotify's faults go on and off: `npm run soak -- MINUTES`.
// Exit code 0: every answer was right, nothing was rejected unhandled, and memory did not grow by
// more than a tenth from the third minute to the last (from the first on where there are fewer).

const minutes = Number(process.argv[2] ?? 10)
const perSecond = 250
const workers = 24
const trackCount = 120
const seed = Number(process.env.SEED ?? 1)
const mostGrowth = 1.1

/** What a request came to: null, or what is wrong with it. */
type Verdict = string | null
type Ask = { weight: number; url: string; check?(status: number, text: string): Verdict }

const library = makeLibrary({ tracks: trackCount, albums: 60, playlists: 60, artists: 70 })
const ids = library.tracks.map((item) => item?.track?.id)
const simulator = await startSimulator({ library })
const folder = mkdtempSync(join(tmpdir(), 'soak-'))
const stops: (() => unknown)[] = []
const service = startMain({ teardown: (stop) => stops.push(stop) }, folder, {
  ...simulatorEnv(simulator),
  SPOTIFY_REQUESTS_PER_MINUTE: '0',
  READ_WAIT_BUDGET_MS: '3000',
  STREAM_WAIT_BUDGET_MS: '3000',
})
const base = await service.listening()
const agent = new Agent({ connections: workers * 2, headersTimeout: 60_000, bodyTimeout: 60_000 })
const random = new Random('soak', seed)
const wrong = new Map<string, number>()
const statuses = new Map<number, number>()
const probesMs: number[] = []
const memoryMiB: number[][] = []
let worstLagS = 0
let asked = 0

const asks: Ask[] = [
  { weight: 8, url: '/tables/tracks/read', check: wholeTracks },
  { weight: 8, url: '/tables/tracks/read?format=ndjson', check: wholeStream },
  { weight: 20, url: '/tables/user_profile/read', check: readable },
  { weight: 20, url: '/tables/recently_played/read', check: readable },
  { weight: 8, url: '/tables/top_artists/read?limit=20&max_pages=1', check: readable },
  { weight: 4, url: '/tables/albums/read', check: readable },
  { weight: 3, url: '/tables/playlists/read', check: readable },
  { weight: 4, url: '/tables/artists/read?format=ndjson', check: readable },
  { weight: 20, url: '/livez', check: (status) => (status === 200 ? null : 'not alive') },
  { weight: 8, url: '/readyz' },
  { weight: 8, url: '/tables' },
  { weight: 4, url: '/tables/tracks/schema?format=ddl' },
  { weight: 4, url: '/health' },
  { weight: 4, url: '/connections' },
  { weight: 8, url: '/tables/tracks/read?limit=51', check: refused(400) },
  { weight: 8, url: '/tables/nothing/read', check: refused(404) },
  { weight: 8, url: '/tables/tracks/read?offset=%7B%22position%22%3A1%7D', check: refused(400) },
]
const faults: Fault[] = [
  { kind: 'status', status: 500, body: 'no' },
  { kind: 'status', status: 503, body: '<html>' },
  { kind: 'status', status: 429, body: 'Too many requests', headers: { 'retry-after': '1' } },
  { kind: 'reset' },
  { kind: 'cut-off' },
  { kind: 'reset-body' },
  { kind: 'malformed' },
  { kind: 'slow-headers', ms: 300 },
]

const startMs = performance.now()
const isOver = () =>
  performance.now() - startMs > minutes * 60_000 || service.child.exitCode !== null
await Promise.all([spoil(), sample(), ...Array.from({ length: workers }, work)])
process.exitCode = report() ? 0 : 1
await Promise.all(stops.map((stop) => stop()))
await agent.destroy()
await simulator.close()
rmSync(folder, { recursive: true })

async function work(): Promise<void> {
  while (!isOver()) {
    const aheadMs = (asked / perSecond) * 1000 - (performance.now() - startMs)
    asked += 1
    if (aheadMs > 0) await delay(aheadMs)
    await (random.chance(0.02) ? leave() : askOnce())
  }
}

async function askOnce(): Promise<void> {
  const { url, check } = pick()
  const fromMs = performance.now()
  try {
    const answer = await request(base + url, { dispatcher: agent })
    const text = await answer.body.text()
    if (url === '/livez') probesMs.push(performance.now() - fromMs)
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1)
    const verdict =
      problemFault(answer.statusCode, text) ?? check?.(answer.statusCode, text) ?? null
    if (verdict !== null) count(`${url}: ${answer.statusCode} ${verdict}`)
  } catch (error) {
    count(`${url}: ${error}`)
  }
}

/** A reader that goes away in the middle. */
async function leave(): Promise<void> {
  const signal = AbortSignal.timeout(1 + random.below(30))
  try {
    const { body } = await request(`${base}/tables/tracks/read?format=ndjson`, {
      dispatcher: agent,
      signal,
    })
    await body.dump()
  } catch (error) {
    if (!signal.aborted) count(`a reader that leaves: ${error}`)
  }
}

function pick(): Ask {
  let left = random.below(asks.reduce((sum, { weight }) => sum + weight, 0))
  return asks.find(({ weight }) => {
    left -= weight
    return left < 0
  }) as Ask
}

/** Now and then, for some seconds, a share of Spotify's answers is spoilt. */
async function spoil(): Promise<void> {
  while (!isOver()) {
    const fault = faults[random.below(faults.length)] as Fault
    simulator.faults.add({ on: () => random.chance(0.05), times: Number.POSITIVE_INFINITY, fault })
    if (random.chance(0.3)) simulator.expireAccessTokens()
    await delay(3_000 + random.below(5_000))
    simulator.faults.clear()
    simulator.stats.reset()
    await delay(2_000)
  }
}

async function sample(): Promise<void> {
  while (!isOver()) {
    await delay(5_000)
    const status = readFileSync(`/proc/${service.child.pid}/status`, 'utf8')
    const minute = Math.floor((performance.now() - startMs) / 60_000)
    memoryMiB[minute] ??= []
    memoryMiB[minute].push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024)
    const { body } = await request(`${base}/metrics`, { dispatcher: agent })
    const lag = /^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(await body.text())
    worstLagS = Math.max(worstLagS, Number(lag?.[1] ?? 0))
  }
}

/** What is wrong with a failure, whatever was asked: it says what it is, and never is a bug. */
function problemFault(status: number, text: string): Verdict {
  if (status < 400) return null
  const { code, request_id } = JSON.parse(text)
  if (!(code in failures) || !request_id) return `no problem document: ${text.slice(0, 200)}`
  return code === 'internal' ? text.slice(0, 300) : null
}

function wholeTracks(status: number, text: string): Verdict {
  if (status !== 200) return readable(status, text)
  const { records, has_more, interrupted } = JSON.parse(text)
  return rightRows(records.map(idOf), has_more, interrupted !== undefined)
}

function wholeStream(status: number, text: string): Verdict {
  if (status !== 200) return readable(status, text)
  const lines = text
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one))
  const { end, error } = lines.at(-1)
  if (!end && !error) return 'neither an end nor an error'
  const given = lines.flatMap(({ record }) => (record ? [idOf(record)] : []))
  return rightRows(
    given,
    end?.has_more ?? true,
    end?.interrupted !== undefined || error !== undefined,
  )
}

function rightRows(given: string[], hasMore: boolean, isTold: boolean): Verdict {
  if (given.join() !== ids.slice(0, given.length).join()) return 'other rows than the library has'
  if (!hasMore && given.length !== ids.length) return `whole with ${given.length} rows`
  return hasMore && !isTold ? 'more, without a reason' : null
}

function idOf(record: { track: { id: string } }): string {
  return record.track.id
}

/** Rows, or a failure of Spotify's that may pass. */
function readable(status: number, text: string): Verdict {
  if (status === 200) return null
  return [429, 502, 503, 504].includes(status) ? null : text.slice(0, 200)
}

function refused(expected: number) {
  return (status: number) => (status === expected ? null : `${expected} was to come`)
}

function count(what: string): void {
  wrong.set(what, (wrong.get(what) ?? 0) + 1)
}

/** Prints what was measured; true where all of it is right. */
function report(): boolean {
  const means = memoryMiB.map((minute) => minute.reduce((sum, one) => sum + one, 0) / minute.length)
  const full = means.slice(0, Math.max(1, Math.floor(minutes)))
  const [from = 0, last = 0] = [full[Math.min(2, full.length - 1)], full.at(-1)]
  const sorted = probesMs.sort((a, b) => a - b)
  const percentile = (p: number) => `${sorted[Math.floor(sorted.length * p)]?.toFixed(1)} ms`
  const faultLines = service.lines.filter(({ level }) => level >= 50)
  const isAlive = service.child.exitCode === null
  const rows = {
    seed,
    requests: asked,
    'requests a second': Math.round(asked / ((performance.now() - startMs) / 1000)),
    statuses: [...statuses]
      .sort(([a], [b]) => a - b)
      .map((one) => one.join(': '))
      .join(', '),
    'wrong answers': [...wrong.values()].reduce((sum, one) => sum + one, 0),
    'lines of faults': faultLines.length,
    'text on stderr': service.stderr().length,
    'it lives': isAlive,
    'memory, minute by minute': full.map((one) => `${Math.round(one)} MiB`).join(', '),
    'memory, last of third minute': (last / from).toFixed(3),
    'event loop late, worst p99': `${(worstLagS * 1000).toFixed(0)} ms`,
    '/livez, p50': percentile(0.5),
    '/livez, p99': percentile(0.99),
  }
  for (const [name, value] of Object.entries(rows)) process.stdout.write(`${name}: ${value}\n`)
  for (const [what, times] of wrong) process.stdout.write(`wrong, ${times} times: ${what}\n`)
  for (const line of faultLines.slice(0, 5)) process.stdout.write(`${JSON.stringify(line)}\n`)
  process.stdout.write(service.stderr().slice(0, 2_000))
  return wrong.size === 0 && isAlive && service.stderr() === '' && last <= from * mostGrowth
}
