import t from 'tap'
import { ConnectorError } from '../../src/errors.ts'
import { collect } from '../../src/reading/collect.ts'
import type { Chunk, Outcome, Reading, Row } from '../../src/reading/reading.ts'

const pages: Chunk[] = [
  { records: [{ id: 'a' }, { id: 'b' }], offset: { position: 2 }, skipped: 1 },
  { records: [], offset: { position: 4 }, skipped: 2 },
  { records: [{ id: 'c' }], offset: { position: 5 }, skipped: 0 },
]
const parts = ['a+b', 'c']

const encode = (records: readonly Row[]) => records.map(({ id }) => id).join('+')

/** A read of these pages that ends so, or by this failure. */
async function* reading(chunks: Chunk[], end: Outcome | Error): Reading {
  yield* chunks
  if (end instanceof Error) throw end
  return end
}

const retryable = new ConnectorError('rate-limited', 'Come back later.', { retryAfterS: 30 })
const lasting = new ConnectorError('insufficient-scope', 'A scope is missing.')

t.test('the rows are written page by page, and the end says how it ended', async (t) => {
  const end = { offset: { position: 5 }, hasMore: true }
  t.strictSame(await collect(reading(pages, end), encode), {
    ...end,
    parts,
    records: 3,
    skipped: 3,
    pages: 3,
  })
  const gap = { after: '1', before: '2' }
  t.strictSame(await collect(reading([], { offset: null, hasMore: false, gap }), encode), {
    parts: [],
    records: 0,
    offset: null,
    hasMore: false,
    skipped: 0,
    pages: 0,
    gap,
  })
})

t.test('a retryable failure after the first row keeps what was read, and where', async (t) => {
  t.strictSame(await collect(reading(pages, retryable), encode), {
    parts,
    records: 3,
    offset: { position: 5 },
    hasMore: true,
    skipped: 3,
    pages: 3,
    interrupted: retryable,
  })
})

t.test('with nothing read yet, a retryable failure is thrown', async (t) => {
  await t.rejects(collect(reading([], retryable), encode), retryable)
})

t.test('after pages without a single row, a retryable failure is thrown', async (t) => {
  const skipped = { records: [], offset: { position: 4 }, skipped: 2 }
  await t.rejects(collect(reading([skipped, skipped], retryable), encode), retryable)
})

t.test('a failure that no retry mends is thrown, whatever was read', async (t) => {
  const upstream = new ConnectorError('upstream-error', 'Refused.', { retryable: false })
  for (const failure of [lasting, upstream, new TypeError('a bug')]) {
    await t.rejects(collect(reading(pages, failure), encode), failure)
  }
})
