import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Offset } from '../src/reading/offset.ts'
import { makeLibrary } from '../src/simulator/library.ts'
import { startSimulator } from '../src/simulator/simulator.ts'
import { startMain } from '../test/helpers/main-process.ts'
import { simulatorEnv } from '../test/helpers/simulator-env.ts'

// Reads a stream from a service that is killed ten times at random moments, and goes on each time
// from the last checkpoint, without the rows behind it: `npm run kill-and-resume`. Exit code 0:
// every row is there exactly once; 1: it is not, or the read was over too soon.

const rowCount = 5_000
const kills = 10
const mostMs = 450
const mostBytes = 600_000

/** When a service is killed: so long after it was asked, or when so many bytes of it have come. */
type Moment = { ms: number; bytes?: never } | { bytes: number; ms?: never }

/** What came over one stream: the rows before its last checkpoint or end, and how many behind it. */
type Part = { rows: string[]; dropped: number; offset: Offset | null; isWhole: boolean }

type Line = {
  record?: { track: { id: string } }
  checkpoint?: { offset: Offset }
  end?: { offset: Offset | null; has_more: boolean }
}

const library = makeLibrary({ tracks: rowCount })
const simulator = await startSimulator({ library, latencyMs: () => 50 + Math.random() * 150 })
const folder = mkdtempSync(join(tmpdir(), 'kill-and-resume-'))
const rows: string[] = []
let offset: Offset | null = null
let killed = 0
try {
  for (let isWhole = false; !isWhole; ) {
    const moment = killed < kills ? momentOf(killed) : null
    const part = await readOnce(offset, moment)
    rows.push(...part.rows)
    offset = part.offset ?? offset
    isWhole = part.isWhole
    if (moment && !isWhole) killed += 1
    const when = moment ? `killed after ${JSON.stringify(moment)}` : 'let read on'
    say(`${when}: ${part.rows.length} rows, ${part.dropped} dropped, ${rows.length} in all`)
  }
} finally {
  await simulator.close()
  rmSync(folder, { recursive: true })
}

const expected = library.tracks.map((item) => item?.track?.id)
const isRight = killed === kills && rows.join() === expected.join()
say(`${isRight ? 'ok' : 'WRONG'}: ${rows.length} rows, ${new Set(rows).size} of ${rowCount} ids`)
process.exitCode = isRight ? 0 : 1

/** By turns in time, which may be before the first byte, and in bytes, which may be within a row. */
function momentOf(nth: number): Moment {
  const share = Math.random()
  return nth % 2 === 0
    ? { ms: Math.round(share * mostMs) }
    : { bytes: Math.round(share * mostBytes) }
}

/** Starts the service, reads on from an offset, and kills it at the moment or when the read is over. */
async function readOnce(offset: Offset | null, moment: Moment | null): Promise<Part> {
  const stops: (() => unknown)[] = []
  const kill = () => Promise.all(stops.map((stop) => stop()))
  const service = startMain({ teardown: (stop) => stops.push(stop) }, folder, {
    ...simulatorEnv(simulator),
    SPOTIFY_REQUESTS_PER_MINUTE: '0',
    SPOTIFY_CONCURRENCY: '3',
    DATABASE_URL: `sqlite:${join(folder, 'connector.db')}`,
  })
  try {
    const query = new URLSearchParams({ format: 'ndjson', max_pages: '1000' })
    if (offset) query.set('offset', JSON.stringify(offset))
    const url = `${await service.listening()}/tables/tracks/read?${query}`
    const part = readPart(linesOf(url, moment?.bytes), () => service.child.killed)
    if (moment?.ms !== undefined) {
      await delay(moment.ms)
      await kill()
    }
    return await part
  } finally {
    await kill()
  }
}

/** Reads lines until they end or, once the service has been killed, break off. */
async function readPart(lines: AsyncIterable<Line>, isKilled: () => boolean): Promise<Part> {
  const part: Part = { rows: [], dropped: 0, offset: null, isWhole: false }
  const behind: string[] = []
  try {
    for await (const { record, checkpoint, end, ...others } of lines) {
      if (Object.keys(others).length > 0) throw new Error(JSON.stringify(others))
      if (record) behind.push(record.track.id)
      else part.rows.push(...behind.splice(0))
      part.offset = (checkpoint ?? end)?.offset ?? part.offset
      part.isWhole = end?.has_more === false
    }
  } catch (error) {
    if (!isKilled()) throw error
  }
  return { ...part, dropped: behind.length }
}

/** The whole lines among the first bytes of an answer. */
async function* linesOf(url: string, most = Number.POSITIVE_INFINITY): AsyncGenerator<Line> {
  const answer = await fetch(url)
  if (!answer.ok || !answer.body) throw new Error(`${answer.status}: ${await answer.text()}`)
  const decoder = new TextDecoder()
  let rest = ''
  let left = most
  for await (const bytes of answer.body) {
    const lines = (rest + decoder.decode(bytes.subarray(0, left), { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line)
    left -= bytes.length
    if (left <= 0) return
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
