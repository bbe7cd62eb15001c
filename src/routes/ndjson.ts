import { type Clock, systemClock } from '../clock.ts'
import { addPage, type Collected, isInterruption, nothingYet } from '../reading/collect.ts'
import type { Reading } from '../reading/reading.ts'
import { line, recordLines } from './lines.ts'

// Proxies close what is silent for a minute, some after half of one.
const silentTicks = 10
// One timer at a time, whatever comes meanwhile: one for each page costs as much as its checkpoint.
const tickMs = 1_000

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
  const soFar = nothingYet()
  let sinceCheckpoint = 0
  let hasBegun = false
  const ticker = new Ticker(sleep)
  try {
    for (;;) {
      // Pages that are here already would be given too, and a slow reader takes long for each.
      parts.signal.throwIfAborted()
      const next = reading.next()
      let silence = 0
      while (await ticker.ticksBefore(next)) {
        silence += 1
        // The silence may end between two waits: then the next one is looked for soon.
        const waiting = silence < silentTicks ? null : parts.waiting()
        if (!waiting) continue
        silence = 0
        hasBegun = true
        yield line({ waiting })
      }
      const step = await next
      if (step.done) {
        yield line({ end: parts.end({ ...soFar, ...step.value }) })
        return
      }
      const { records, offset } = step.value
      addPage(soFar, step.value)
      hasBegun = true
      let lines = recordLines(records)
      sinceCheckpoint += records.length
      if (offset !== null) {
        lines += line({ checkpoint: { offset, records: sinceCheckpoint } })
        sinceCheckpoint = 0
      }
      if (lines !== '') yield lines
    }
  } catch (error) {
    if (!hasBegun) throw error
    yield isInterruption(error, soFar.records)
      ? line({ end: parts.end({ ...soFar, hasMore: true, interrupted: error }) })
      : line({ error: parts.problem(error) })
  } finally {
    ticker.stop()
  }
}

/** Ticks once a second for whoever waits for something else. */
class Ticker {
  readonly #sleep: Clock['sleep']
  readonly #stop = new AbortController()
  #tick: Promise<boolean> | null = null

  constructor(sleep: Clock['sleep']) {
    this.#sleep = sleep
  }

  /** True when it ticks before the promise settles. Throws what the promise is rejected with. */
  async ticksBefore(promise: Promise<unknown>): Promise<boolean> {
    this.#tick ??= this.#sleep(tickMs, this.#stop.signal).then(
      () => true,
      () => false, // stopped
    )
    const ticks = await Promise.race([promise.then(() => false), this.#tick])
    if (ticks) this.#tick = null
    return ticks
  }

  stop(): void {
    this.#stop.abort(new Error('nobody waits any more'))
  }
}
