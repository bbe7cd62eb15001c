import fc from 'fast-check'
import t from 'tap'
import { ConnectorError } from '../../src/errors.ts'
import type { Offset } from '../../src/reading/offset.ts'
import { readPlays, readPlaysOffset } from '../../src/reading/plays.ts'
import { unpack } from '../../src/reading/recent.ts'
import { memoryLog } from '../helpers/log.ts'
import { type CollectedRows, collectRows } from './collect-rows.ts'
import { type Item, pagesOf, playAt, toRow } from './in-memory-plays.ts'

const startMs = Date.UTC(2026, 10, 20, 12)

/** What the offset remembers of plays at most an hour or, when late, some days apart. */
const leastMemory = 95

const arrival = fc.record({
  afterS: fc.oneof(fc.constant(0), fc.nat(3600)),
  lateS: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(200_000)),
  track: fc.nat(4),
})

/** What happens before a read, and how it goes. */
const step = fc.record({
  /** The burst of plays that reach Spotify. */
  arrivals: fc.array(arrival, { maxLength: 50, size: 'max' }),
  /** How many of the newest it does not show yet: the list stands still at times. */
  behind: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 200 })),
  /** How many plays Spotify shows. */
  shown: fc.oneof({ weight: 3, arbitrary: fc.constant(50) }, fc.integer({ min: 1, max: 50 })),
  /** How many it puts on a page. */
  most: fc.oneof({ weight: 2, arbitrary: fc.constant(50) }, fc.integer({ min: 10, max: 49 })),
  /** The request that fails; 0: none. */
  failAt: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 3 })),
})

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** An account that is played, and a runner that reads it. */
class Model {
  #nowMs = startMs
  #plays = new Map<string, Item>()
  #delivered = new Map<string, number>()
  #offset: Offset = {}

  async run({ arrivals, behind, shown, most, failAt }: Step): Promise<void> {
    for (const { afterS, lateS, track } of arrivals) {
      this.#nowMs += afterS * 1000
      const play = playAt(this.#nowMs - lateS * 1000, `track ${track}`)
      this.#plays.set(nameOf(play), play)
    }
    const window = [...this.#plays.values()]
      .sort((a, b) => instantOf(b) - instantOf(a))
      .slice(behind, behind + shown)
    const { getPage, asked } = pagesOf(window, {
      most,
      fail: (nth) => {
        if (nth === failAt) throw new ConnectorError('upstream-timeout', 'Too slow.')
      },
    })
    const sent = this.#offset
    const place = readPlaysOffset(JSON.parse(JSON.stringify(sent)))
    const reading = readPlays(getPage, { toRow, place, nowMs: this.#nowMs, log: memoryLog() })
    const got = await collectRows(reading).catch((error: Error) => error)
    if (got instanceof Error) {
      check(failAt > 0 && asked.length >= failAt, `failed by itself: ${got}`)
      return
    }
    this.#take(got, sent)
    check((got.interrupted !== undefined) === got.hasMore, 'the end is not what it says')
    check(!got.hasMore || got.records.length > 0, 'an interruption without rows')
    if (!got.interrupted) {
      for (const play of window) check(this.#delivered.has(nameOf(play)), 'a play is lost')
    }
    const isGap = window.length === 50 && got.records.length === 50 && sent.cursor !== undefined
    check((got.gap !== undefined) === (isGap && !got.interrupted), 'a gap is told wrongly')
  }

  #take({ records, offset }: CollectedRows, sent: Offset): void {
    const memory = sent.recent === undefined ? 0 : unpack(String(sent.recent)).length
    for (const record of records as Item[]) {
      const name = nameOf(record)
      const before = this.#delivered.get(name) ?? 0
      check(before === 0 || memory >= leastMemory, 'a play came twice')
      this.#delivered.set(name, before + 1)
    }
    const instants = (records as Item[]).map(instantOf)
    check(
      instants.every((atMs, nth) => nth === 0 || atMs >= (instants[nth - 1] ?? 0)),
      'not oldest first',
    )
    const moved = JSON.stringify(offset) !== JSON.stringify(sent)
    check(moved === records.length > 0, 'the offset does not move as the rows do')
    check(Number(offset?.cursor ?? 0) >= Number(sent.cursor ?? 0), 'the cursor went back')
    check(String(offset?.recent ?? '').length < 900, 'the offset is too long')
    this.#offset = offset as Offset
  }
}

function nameOf({ played_at, track }: Item): string {
  return `${played_at} ${track}`
}

function instantOf({ played_at }: Item): number {
  return Date.parse(String(played_at))
}

function check(holds: boolean, complaint: string): void {
  if (!holds) throw new Error(complaint)
}

t.test('no play that was in a window is lost, and none comes twice within memory', async (t) => {
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 12, size: 'max' }),
    async (steps) => {
      const model = new Model()
      for (const step of steps) await model.run(step)
    },
  )
  // The limit is for a failure: to shrink it as far as it goes takes minutes.
  await t.resolves(fc.assert(property, { numRuns: 300, interruptAfterTimeLimit: 15_000 }))
})
