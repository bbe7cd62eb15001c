// How fast lists are read, and what it costs: `npm run bench:read`. Every figure stands beside
// another one of the same run.
import type { ChildProcess } from 'node:child_process'
import { request } from 'undici'
import {
  cpuSeconds,
  end,
  isReady,
  peakMiB,
  service,
  start,
  upstream,
  withService,
} from './processes.ts'

const barePort = 18_085

/**
 * 10,000 tracks at 80 ms a page until the last byte is there: 16 pages in flight, and one at a time.
 * It is the first read of a service that has just started; the best of 3 such services.
 */
async function sideBySide(): Promise<void> {
  const times: Record<'16' | '1', number[]> = { '16': [], '1': [] }
  let requests = 0
  for (const concurrency of ['16', '16', '16', '1'] as const) {
    await withService(
      { LATENCY_MS: '80' },
      { SPOTIFY_REQUESTS_PER_MINUTE: '0', SPOTIFY_CONCURRENCY: concurrency },
      async () => {
        const from = performance.now()
        const { body } = await request(`${service}/tables/tracks/read?max_pages=1000`)
        const bytes = await body.bytes()
        times[concurrency].push(performance.now() - from)
        expectRows((JSON.parse(Buffer.from(bytes).toString()) as Answer).records, 10_000)
        requests = await pagesAsked()
      },
    )
  }
  const [many, one] = [Math.min(...times['16']), Math.min(...times['1'])]
  const least = Math.ceil(requests / 16) * 80
  row(
    '10,000 tracks, 80 ms a page, 16 in flight',
    `${ms(many)}`,
    `goal: 1.3. ${(many / least).toFixed(2)} of ceil(${requests} / 16) × 80 ms; ${(one / many).toFixed(1)} times as fast as one at a time (${ms(one)})`,
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

/**
 * Rows a second on one core at no latency, against a bare loop over the same pages. Upstream and
 * reader have the other core and more work than it can do, so the wall's time is that of all three:
 * what one core is worth is told by the rows for each second of CPU time of the process itself. The
 * bare loop is measured without sending its rows to anybody, which is what the goal is held to, and
 * with it, which is what a service has to do. The best of 5 runs each, turn and turn about: whatever
 * else runs on the machine only takes away.
 */
async function rowsASecond(): Promise<void> {
  const rows = 50_000
  const path = '/tables/tracks/read?max_pages=100000&format=ndjson'
  const bare = `http://127.0.0.1:${barePort}`
  await withService({ ROWS: String(rows) }, { SPOTIFY_REQUESTS_PER_MINUTE: '0' }, async (child) => {
    const loop = start('bench/bare-loop.ts', {
      PORT: String(barePort),
      UPSTREAM: upstream,
      ROWS: String(rows),
    })
    try {
      await isReady(`${bare}/readyz`)
      const ours = new Rates()
      const silent = new Rates()
      const sending = new Rates()
      for (let run = 0; run < 5; run++) {
        await ours.measure(child, async () => expectRows(await countLines(service + path), rows))
        await silent.measure(loop, async () => {
          const { body } = await request(bare, { headersTimeout: 600_000 })
          const told = (await body.json()) as { rows: number }
          expectRows({ length: told.rows }, rows)
          return told.rows
        })
        await sending.measure(loop, async () => expectRows(await countLines(`${bare}/sent`), rows))
      }
      row(
        'rows for a second of CPU, no latency (stream)',
        `${ours.ofCpu}`,
        `goal: 0.8. ${beside(ours.ofCpu, silent.ofCpu)} of a bare loop of undici, JSON.parse and JSON.stringify in a process of its own; ${beside(ours.ofCpu, sending.ofCpu)} of the same loop when it sends its rows, too`,
      )
      row(
        'rows a second of the same by the wall clock, all on this machine',
        `${ours.ofWall}`,
        `${beside(ours.ofWall, silent.ofWall)} of the bare loop; ${beside(ours.ofWall, sending.ofWall)} of the same when it sends`,
      )
    } finally {
      await end(loop)
    }
  })
}

/** The best rates of a process, in rows a second: of CPU time of all its threads, and of the wall's. */
class Rates {
  ofCpu = 0
  ofWall = 0

  async measure(child: ChildProcess, work: () => Promise<number>): Promise<void> {
    const before = cpuSeconds(child.pid as number)
    const from = performance.now()
    const rows = await work()
    const seconds = (performance.now() - from) / 1000
    const cpu = cpuSeconds(child.pid as number) - before
    this.ofCpu = Math.max(this.ofCpu, Math.round(rows / cpu))
    this.ofWall = Math.max(this.ofWall, Math.round(rows / seconds))
  }
}

function beside(ours: number, theirs: number): string {
  return `${(ours / theirs).toFixed(2)} (${theirs})`
}

/** Peak memory of the service for 100,000 and 1,000,000 rows. */
async function memory(): Promise<void> {
  const peaks: number[] = []
  for (const rows of [100_000, 1_000_000]) {
    await withService(
      { ROWS: String(rows) },
      { SPOTIFY_REQUESTS_PER_MINUTE: '0' },
      async (child) => {
        expectRows(
          await countLines(`${service}/tables/tracks/read?max_pages=100000&format=ndjson`),
          rows,
        )
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

async function countLines(url: string): Promise<{ length: number }> {
  const { body } = await request(url, { bodyTimeout: 600_000 })
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

async function pagesAsked(): Promise<number> {
  return ((await (await fetch(`${upstream}/stats`)).json()) as { pages: number }).pages
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

function expectRows({ length }: { length: number }, rows: number): number {
  if (length !== rows) throw new Error(`${length} rows, not ${rows}`)
  return rows
}

function ms(value: number): string {
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`
}

function row(what: string, measured: string, beside: string): void {
  process.stdout.write(`| ${what} | ${measured} | ${beside} |\n`)
}

// Last: the classes above have to be there.
process.stdout.write(`${process.version}\n\n| what | measured | beside |\n| --- | --- | --- |\n`)
await sideBySide()
await withDefaults()
await firstRecord()
await rowsASecond()
await memory()
await moving()
