// How fast lists are read, and what it costs: `npm run bench:read`. Every figure stands beside
// another one of the same run.
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'

const servicePort = 18_083
const upstreamPort = 18_084
const service = `http://127.0.0.1:${servicePort}`
const upstream = `http://127.0.0.1:${upstreamPort}`

type Env = Record<string, string>

process.stdout.write(`${process.version}\n\n| what | measured | beside |\n| --- | --- | --- |\n`)
await sideBySide()
await withDefaults()
await firstRecord()
await rowsASecond()
await memory()
await moving()

/** 10,000 tracks at 80 ms a page: 16 pages in flight, and one at a time. */
async function sideBySide(): Promise<void> {
  const times: number[] = []
  let requests = 0
  for (const concurrency of ['16', '1']) {
    await withService(
      { LATENCY_MS: '80' },
      { SPOTIFY_REQUESTS_PER_MINUTE: '0', SPOTIFY_CONCURRENCY: concurrency },
      async () => {
        times.push(
          await timed(async () =>
            expectRows(await readJson('/tables/tracks/read?max_pages=1000'), 10_000),
          ),
        )
        requests = await pagesAsked()
      },
    )
  }
  const [many = 0, one = 0] = times
  const least = Math.ceil(requests / 16) * 80
  row(
    '10,000 tracks, 80 ms a page, 16 in flight',
    `${ms(many)}`,
    `${(one / many).toFixed(1)} times as fast as one at a time (${ms(one)}); ${(many / least).toFixed(2)} of ceil(${requests} / 16) × 80 ms`,
  )
  row(
    'requests on a quiet list of 10,000',
    `${requests}`,
    `${(requests / (10_000 / 50)).toFixed(3)} of n / 50`,
  )
}

/** The same with every default, calls until the end. */
async function withDefaults(): Promise<void> {
  await withService({ LATENCY_MS: '80' }, {}, async () => {
    const elapsed = await timed(async () =>
      expectRows(await readAll('/tables/tracks/read'), 10_000),
    )
    row('the same with every default, calls until the end', ms(elapsed), 'goal: under 4 s')
  })
}

async function firstRecord(): Promise<void> {
  await withService({ LATENCY_MS: '80' }, {}, async () => {
    // The first read also fetches a token and opens connections.
    for (let run = 0; run < 3; run++) await firstByte()
    const times = await Promise.all([firstByte()])
    row('first record of a stream, 80 ms a page', ms(times[0] as number), 'goal: under 110 ms')
  })
}

/** Rows a second at no latency, against a bare loop over the same pages in this process. */
async function rowsASecond(): Promise<void> {
  const rows = 50_000
  await withService({ ROWS: String(rows) }, { SPOTIFY_REQUESTS_PER_MINUTE: '0' }, async () => {
    const url = '/tables/tracks/read?max_pages=100000&format=ndjson'
    const rates: { ours: number[]; bare: number[] } = { ours: [], bare: [] }
    for (let run = 0; run < 4; run++) {
      rates.bare.push(rows / (await timed(() => bareLoop(rows))))
      rates.ours.push(rows / (await timed(async () => expectRows(await countLines(url), rows))))
    }
    const [ours, bare] = [Math.max(...rates.ours) * 1000, Math.max(...rates.bare) * 1000]
    row(
      'rows a second, no latency (stream)',
      `${Math.round(ours)}`,
      `${(ours / bare).toFixed(2)} of a bare loop of undici, JSON.parse and JSON.stringify (${Math.round(bare)})`,
    )
  })
}

/** Peak memory of the service for 100,000 and 1,000,000 rows. */
async function memory(): Promise<void> {
  const peaks: number[] = []
  for (const rows of [100_000, 1_000_000]) {
    await withService(
      { ROWS: String(rows) },
      { SPOTIFY_REQUESTS_PER_MINUTE: '0' },
      async (child) => {
        expectRows(await countLines('/tables/tracks/read?max_pages=100000&format=ndjson'), rows)
        peaks.push(peakMiB(child.pid as number))
      },
    )
  }
  const [small = 0, large = 0] = peaks
  row(
    'peak memory, 1,000,000 rows streamed',
    `${large} MiB`,
    `${(large / small).toFixed(2)} of that of 100,000 rows (${small} MiB)`,
  )
}

/** A list that loses or gains a row every 200 ms while 5,000 are read. */
async function moving(): Promise<void> {
  const counts: number[] = []
  for (const CHANGE_MS of ['0', '200']) {
    await withService(
      { ROWS: '5000', LATENCY_MS: '80', CHANGE_MS },
      { SPOTIFY_REQUESTS_PER_MINUTE: '0' },
      async () => {
        const records = await readJson('/tables/tracks/read?max_pages=1000')
        const ids = new Set(records.map(({ track }) => track.id))
        const lasting = Array.from({ length: 4_900 }, (_, n) => String(n + 100).padStart(22, '0'))
        if (!lasting.every((id) => ids.has(id))) throw new Error('a row is missing')
        if (ids.size !== records.length) throw new Error('a row came twice')
        counts.push(await pagesAsked())
      },
    )
  }
  const [quiet = 0, moved = 0] = counts
  row(
    '5,000 tracks while a row goes or comes every 200 ms',
    `whole, ${moved} requests`,
    `${(moved / quiet).toFixed(2)} of the quiet list's ${quiet}`,
  )
}

async function withService(
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
    for (const url of [`${service}/readyz`, `${upstream}/stats`]) {
      while (!(await fetch(url).catch(() => null))) await delay(20)
    }
    await use(child)
  } finally {
    for (const one of [server, child]) {
      const gone = new Promise((resolve) => one.once('exit', resolve))
      one.kill('SIGKILL')
      await gone
    }
  }
}

function start(file: string, env: Env): ChildProcess {
  return fork(file, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

type Answer = { records: { track: { id: string } }[]; next?: string; interrupted?: unknown }

async function readJson(path: string): Promise<Answer['records']> {
  const { body } = await request(service + path)
  return ((await body.json()) as Answer).records
}

async function readAll(path: string): Promise<Answer['records']> {
  const records: Answer['records'] = []
  for (let next: string | undefined = path; next; ) {
    const answer = (await (await request(service + next)).body.json()) as Answer
    if (answer.interrupted) throw new Error(JSON.stringify(answer.interrupted))
    records.push(...answer.records)
    next = answer.next
  }
  return records
}

async function countLines(path: string): Promise<{ length: number }> {
  const { body } = await request(service + path, { bodyTimeout: 600_000 })
  let length = 0
  const needle = Buffer.from('{"record":')
  let rest = Buffer.alloc(0)
  for await (const chunk of body) {
    const text = Buffer.concat([rest, chunk as Buffer])
    let at = text.indexOf(needle)
    let end = 0
    for (; at !== -1; at = text.indexOf(needle, end)) {
      length += 1
      end = at + needle.length
    }
    rest = text.subarray(Math.max(end, text.length - needle.length + 1))
  }
  return { length }
}

async function firstByte(): Promise<number> {
  const from = performance.now()
  const { body } = await request(`${service}/tables/tracks/read?format=ndjson`)
  for await (const _chunk of body) break
  return performance.now() - from
}

/** What nobody can do without: get the pages, 8 at a time, parse and write them. */
async function bareLoop(rows: number): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (next < rows) {
        const offset = next
        next += 50
        const { body } = await request(`${upstream}/me/tracks?limit=50&offset=${offset}`)
        const { items } = JSON.parse(await body.text()) as { items: unknown[] }
        for (const item of items) JSON.stringify({ record: item })
      }
    }),
  )
}

async function pagesAsked(): Promise<number> {
  return ((await (await fetch(`${upstream}/stats`)).json()) as { pages: number }).pages
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

function expectRows({ length }: { length: number }, rows: number): void {
  if (length !== rows) throw new Error(`${length} rows, not ${rows}`)
}

function peakMiB(pid: number): number {
  return Math.round(
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
  )
}

function ms(value: number): string {
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`
}

function row(what: string, measured: string, beside: string): void {
  process.stdout.write(`| ${what} | ${measured} | ${beside} |\n`)
}
