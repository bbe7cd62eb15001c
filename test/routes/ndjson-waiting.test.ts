import t from 'tap'
import { ConnectorError } from '../../src/errors.ts'
import type { Chunk, Outcome, Reading } from '../../src/reading/reading.ts'
import { type LineParts, ndjson } from '../../src/routes/ndjson.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const outcome: Outcome = { offset: null, hasMore: false }
const chunk: Chunk = { records: [{ n: 0 }], offset: { at: 1 }, skipped: 0 }
const wait = { seconds: 30, code: 'rate-limited' }
const mostSilenceS = 15

/** A stream on a clock of its own, whose pages come when `give` is called for each of them. */
function start(parts: Partial<LineParts> = {}) {
  const clock = new FakeClock()
  const startMs = clock.now()
  const pages = [Promise.withResolvers<Chunk>(), Promise.withResolvers<Chunk>()]
  const stream = ndjson(
    (async function* (): Reading {
      for (const { promise } of pages) yield await promise
      return outcome
    })(),
    {
      signal: new AbortController().signal,
      waiting: () => wait,
      end: () => ({}),
      problem: (error) => ({ detail: (error as Error).message }),
      ...parts,
    },
    (ms, signal) => clock.sleep(ms, signal),
  )
  const lines: { atS: number; text: string }[] = []
  const ended = (async () => {
    for await (const text of stream) lines.push({ atS: (clock.now() - startMs) / 1000, text })
  })()
  return {
    clock,
    lines,
    ended,
    /** Lets the next page come. */
    give: () => pages[lines.some(({ text }) => text.includes('record')) ? 1 : 0]?.resolve(chunk),
    fail: (error: Error) => pages[0]?.reject(error),
    nowS: () => (clock.now() - startMs) / 1000,
    waitingAtS: () => lines.filter(({ text }) => text.includes('waiting')).map(({ atS }) => atS),
  }
}

t.test('a read that waits says so at least every 15 s, before its first page, too', async (t) => {
  const { clock, lines, ended, give, waitingAtS } = start()
  await clock.advance(60_000)
  give()
  await clock.advance(60_000)
  give()
  await clock.advance(0)
  await ended
  t.equal(lines[0]?.text, `${JSON.stringify({ waiting: wait })}\n`)
  const silences = lines.map(({ atS }, at) => atS - (lines[at - 1]?.atS ?? 0))
  t.ok(Math.max(...silences) <= mostSilenceS, `seconds between lines: ${silences}`)
  t.ok(waitingAtS().length >= 2 * Math.floor(60 / mostSilenceS))
  t.match(lines.at(-1)?.text, /^\{"end"/)
  t.equal(clock.sleeping, 0, 'no timer is left')
})

t.test('a read that does not wait says nothing, however slow', async (t) => {
  const { clock, lines, ended, give } = start({ waiting: () => null })
  await clock.advance(600_000)
  t.strictSame(lines, [])
  give()
  await clock.advance(0)
  give()
  await ended
  t.equal(lines.length, 3)
})

t.test('a quick page is followed by no waiting line', async (t) => {
  const { clock, ended, give, waitingAtS } = start()
  give()
  await clock.advance(0)
  give()
  await ended
  await clock.advance(60_000)
  t.strictSame(waitingAtS(), [])
})

t.test('waits with a request between them now and then are told of all the same', async (t) => {
  // On the wire for the second around every tenth: looking every 10 s alone would never see a wait.
  const isOnTheWire = () => nowS() % 10 < 0.5 || nowS() % 10 >= 9.5
  const { clock, ended, give, nowS, waitingAtS } = start({
    waiting: () => (isOnTheWire() ? null : wait),
  })
  await clock.advance(60_000)
  const at = [0, ...waitingAtS(), 60]
  t.ok(
    at.every((atS, n) => atS - (at[n - 1] ?? 0) <= mostSilenceS),
    `lines at ${at}`,
  )
  give()
  await clock.advance(0)
  give()
  await ended
})

t.test('a failure behind a waiting line is an error in the stream', async (t) => {
  for (const code of ['rate-limited', 'internal'] as const) {
    const { clock, lines, ended, fail } = start()
    await clock.advance(10_000)
    t.equal(lines.length, 1)
    fail(new ConnectorError(code, 'It failed.'))
    await ended
    t.equal(lines.at(-1)?.text, '{"error":{"detail":"It failed."}}\n')
  }
})

t.test('a stream that is left while it waits leaves no timer and no rejection', async (t) => {
  const clock = new FakeClock()
  const page = Promise.withResolvers<Chunk>()
  const stream = ndjson(
    (async function* (): Reading {
      yield await page.promise
      return outcome
    })(),
    {
      signal: new AbortController().signal,
      waiting: () => wait,
      end: () => ({}),
      problem: () => ({}),
    },
    (ms, signal) => clock.sleep(ms, signal),
  )
  const first = stream.next()
  await clock.advance(10_000)
  t.match((await first).value, /waiting/)
  await stream.return()
  page.reject(new Error('the reader went away'))
  await clock.advance(0)
  t.equal(clock.sleeping, 0)
})
