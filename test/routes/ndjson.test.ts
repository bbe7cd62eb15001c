import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { ConnectorError } from '../../src/errors.ts'
import type { Collected } from '../../src/reading/collect.ts'
import type { Chunk, Outcome, Reading } from '../../src/reading/reading.ts'
import { type LineParts, ndjson } from '../../src/routes/ndjson.ts'

const whole: Outcome = { offset: null, hasMore: false }
const retryable = new ConnectorError('upstream-error', 'Spotify is ill.')
const final = new ConnectorError('snapshot-changed', 'The list has changed.')

/** A line, read: an object of one key. */
type Line = Record<string, unknown>

/** A page with so many rows. */
function page(count: number, offset: Chunk['offset'], skipped = 0): Chunk {
  return { records: Array.from({ length: count }, (_, n) => ({ n })), offset, skipped }
}

/** A read of these pages; a failure is thrown at its place. */
async function* reading(chunks: (Chunk | Error)[], outcome = whole): Reading {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk
    yield chunk
  }
  return outcome
}

const silent: LineParts = {
  signal: new AbortController().signal,
  waiting: () => null,
  end: ({ interrupted, ...collected }: Collected) => ({
    ...collected,
    ...(interrupted && { interrupted: interrupted.code }),
  }),
  problem: (error) => ({ detail: (error as Error).message }),
}

/** All lines of a stream. */
async function linesOf(stream: AsyncIterable<string>): Promise<Line[]> {
  let text = ''
  for await (const piece of stream) {
    assert(piece.endsWith('\n'), 'no line is given in parts')
    text += piece
  }
  return read(text)
}

function read(text: string): Line[] {
  const lines = text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line))
  assert(
    lines.every((line) => Object.keys(line).length === 1),
    'one key a line',
  )
  return lines
}

t.test('a line for each row, a checkpoint behind each page, and the end', async (t) => {
  const pages = [page(2, { at: 2 }), page(0, { at: 3 }, 4), page(1, null, 1)]
  t.strictSame(await linesOf(ndjson(reading(pages), silent)), [
    { record: { n: 0 } },
    { record: { n: 1 } },
    { checkpoint: { offset: { at: 2 }, records: 2 } },
    { checkpoint: { offset: { at: 3 }, records: 0 } },
    { record: { n: 0 } },
    { end: { offset: null, hasMore: false, records: 3, skipped: 5, pages: 3 } },
  ])
})

t.test('a page is one text, given before the next page is asked for', async (t) => {
  let asked = 0
  const stream = ndjson(
    (async function* (): Reading {
      for (asked = 1; asked <= 2; asked++) yield page(2, { asked })
      return whole
    })(),
    silent,
  )
  t.match((await stream.next()).value, /^(\{"record".*\n){2}\{"checkpoint".*\n$/)
  t.equal(asked, 1)
})

t.test('what ends the read ends it between two pages, with what was read', async (t) => {
  const ending = new AbortController()
  const pages = [page(2, { at: 1 }), page(2, { at: 2 })]
  const stream = ndjson(reading(pages), { ...silent, signal: ending.signal })
  await stream.next()
  ending.abort(retryable)
  t.strictSame(await linesOf(stream), [
    {
      end: {
        offset: { at: 1 },
        hasMore: true,
        records: 2,
        skipped: 0,
        pages: 1,
        interrupted: 'upstream-error',
      },
    },
  ])
})

t.test('a checkpoint counts the rows since the one before', async (t) => {
  const pages = [page(2, null), page(3, { at: 5 }), page(1, { at: 6 })]
  const lines = await linesOf(ndjson(reading(pages), silent))
  t.strictSame(
    lines.filter(({ checkpoint }) => checkpoint),
    [
      { checkpoint: { offset: { at: 5 }, records: 5 } },
      { checkpoint: { offset: { at: 6 }, records: 1 } },
    ],
  )
})

t.test('the end says what the outcome does', async (t) => {
  const gap = { after: '1', before: '2' }
  const outcome = { offset: { at: 1 }, hasMore: true, gap }
  const lines = await linesOf(ndjson(reading([page(1, { at: 1 })], outcome), silent))
  t.strictSame(lines.at(-1), { end: { ...outcome, records: 1, skipped: 0, pages: 1 } })
})

t.test('a table without rows is an end alone', async (t) => {
  t.strictSame(await linesOf(ndjson(reading([]), silent)), [
    { end: { ...whole, records: 0, skipped: 0, pages: 0 } },
  ])
})

t.test('a retryable failure behind rows ends with where to go on', async (t) => {
  const lines = await linesOf(ndjson(reading([page(2, { at: 2 }, 1), retryable]), silent))
  t.strictSame(lines.at(-1), {
    end: {
      offset: { at: 2 },
      hasMore: true,
      records: 2,
      skipped: 1,
      pages: 1,
      interrupted: 'upstream-error',
    },
  })
})

t.test('any other failure behind rows is an error, and the last line', async (t) => {
  for (const failure of [final, new Error('a bug')]) {
    const lines = await linesOf(
      ndjson(reading([page(2, { at: 2 }), failure, page(1, null)]), silent),
    )
    t.strictSame(lines.slice(2), [
      { checkpoint: { offset: { at: 2 }, records: 2 } },
      { error: { detail: failure.message } },
    ])
  }
})

t.test('a failure before the first line is thrown', async (t) => {
  for (const failure of [retryable, final, new Error('a bug')]) {
    await t.rejects(ndjson(reading([failure]), silent).next(), failure)
  }
})

t.test('an answer that can not be written is an error, not a stream cut off', async (t) => {
  const broken = { ...page(1, null), records: [{ n: 1n }] }
  const lines = await linesOf(ndjson(reading([page(1, { at: 1 }), broken]), silent))
  t.match(lines.at(-1), { error: { detail: /BigInt/ } })
})

// Line ends for Python's str.splitlines(), from its documentation.
const lineEnds = '\n\r\v\f\u001c\u001d\u001e\u0085\u2028\u2029'
const nasty = fc
  .array(fc.constantFrom(...lineEnds, '\ud83d', '\udc00', '\ud83c\udfb5', '\0', '\ufeff', 'a'))
  .map((units) => units.join(''))

t.test('nothing in a text breaks a line, whatever it stands in', async (t) => {
  const holds = fc.assert(
    fc.asyncProperty(nasty, fc.boolean(), async (text, isRetryable) => {
      const failure = new ConnectorError(isRetryable ? 'upstream-error' : 'internal', text)
      const chunk = { records: [{ [text]: text }, { n: 1 }], offset: { [text]: text }, skipped: 0 }
      const parts: LineParts = {
        ...silent,
        end: ({ offset, interrupted }) => ({ offset, detail: interrupted?.message }),
      }
      const bytes: Buffer[] = []
      for await (const lines of ndjson(reading([chunk, failure]), parts)) {
        bytes.push(Buffer.from(lines))
      }
      const sent = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        Buffer.concat(bytes),
      )
      assert.equal([...sent].filter((character) => lineEnds.includes(character)).length, 4)
      assert.deepEqual(read(sent), [
        { record: { [text]: text } },
        { record: { n: 1 } },
        { checkpoint: { offset: { [text]: text }, records: 2 } },
        isRetryable
          ? { end: { offset: { [text]: text }, detail: text } }
          : { error: { detail: text } },
      ])
    }),
  )
  await t.resolves(holds)
})
