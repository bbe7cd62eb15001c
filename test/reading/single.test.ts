import t from 'tap'
import { collect } from '../../src/reading/collect.ts'
import { readSingle, requireStart } from '../../src/reading/single.ts'
import { toRow } from './in-memory.ts'

t.test('a table of one item is whole after it', async (t) => {
  t.strictSame(await collect(readSingle(async () => 'me', toRow)), {
    records: [{ key: 'me', place: 0 }],
    offset: null,
    hasMore: false,
    skipped: 0,
    pages: 1,
  })
})

t.test('an item without a key is skipped and counted', async (t) => {
  t.strictSame(await collect(readSingle(async () => null, toRow)), {
    records: [],
    offset: null,
    hasMore: false,
    skipped: 1,
    pages: 1,
  })
})

t.test('a failure is passed on', async (t) => {
  const failure = new Error('refused')
  await t.rejects(
    collect(
      readSingle(async () => {
        throw failure
      }, toRow),
    ),
    failure,
  )
})

t.test('it has no other place than the start', async (t) => {
  t.doesNotThrow(() => requireStart({}))
  t.throws(() => requireStart({ position: 0 }), { code: 'invalid-offset' })
})
