import { type Clock, isSlow, systemClock } from '../clock.ts'
import { type Collected, isInterruption } from '../reading/collect.ts'
import type { Offset } from '../reading/offset.ts'
import type { Reading } from '../reading/reading.ts'

// Proxies close what is silent for a minute, some after half of one.
const silenceMs = 10_000
// The silence may end between two waits: then the next one is looked for soon.
const glanceMs = 1_000

// Line ends for Python's splitlines() and others, though not for JSON: they may stand in a name.
const lineEnds = /[\u0085\u2028\u2029]/g

/** What the lines tell of beside the rows. */
export type LineParts = {
  /** Ends the read between two pages. Its reason is what the read ends with. */
  signal: AbortSignal
  /** The wait for Spotify that is going on, or null. */
  waiting(): { seconds: number; code: string } | null
  /** What `end` says. */
  end(collected: Collected): object
  /** What `error` says. */
  problem(error: unknown): object
}

/**
 * A read as lines of JSON, a page at a time: a `record` for each row, a `checkpoint` behind each
 * page from which reading again goes on there, `waiting` behind 10 s of silence while the read waits
 * for Spotify, and last an `end` or an `error`. A stream without either was cut off. What fails
 * before the first line is thrown. `sleep` measures the silence: a proxy does it by real time.
 */
export async function* ndjson(
  reading: Reading,
  parts: LineParts,
  sleep: Clock['sleep'] = systemClock.sleep,
): AsyncGenerator<string, void, void> {
  const soFar = { offset: null as Offset | null, records: 0, skipped: 0, pages: 0 }
  let sinceCheckpoint = 0
  let hasBegun = false
  try {
    for (;;) {
      // Pages that are here already would be given too, and a slow reader takes long for each.
      parts.signal.throwIfAborted()
      const next = reading.next()
      let patienceMs = silenceMs
      while (await isSlow(next, patienceMs, sleep)) {
        const waiting = parts.waiting()
        patienceMs = waiting ? silenceMs : glanceMs
        if (!waiting) continue
        hasBegun = true
        yield line({ waiting })
      }
      const step = await next
      if (step.done) {
        yield line({ end: parts.end({ ...soFar, ...step.value }) })
        return
      }
      const { records, skipped, offset } = step.value
      soFar.pages += 1
      soFar.records += records.length
      soFar.skipped += skipped
      soFar.offset = offset
      hasBegun = true
      const lines = records.map((record) => line({ record }))
      sinceCheckpoint += records.length
      if (offset !== null) {
        lines.push(line({ checkpoint: { offset, records: sinceCheckpoint } }))
        sinceCheckpoint = 0
      }
      if (lines.length > 0) yield lines.join('')
    }
  } catch (error) {
    if (!hasBegun) throw error
    yield isInterruption(error, soFar.records)
      ? line({ end: parts.end({ ...soFar, hasMore: true, interrupted: error }) })
      : line({ error: parts.problem(error) })
  }
}

function line(value: object): string {
  return `${JSON.stringify(value).replace(lineEnds, escaped)}\n`
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
