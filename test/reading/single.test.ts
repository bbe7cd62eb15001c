import t from 'tap'
import { readSingle, requireStart } from '../../src/reading/single.ts'
import { collectRows } from './collect-rows.ts'
import { toRow } from './in-memory.ts'

t.test('a table of one item is whole after it', async (t) => {
  t.strictSame(await collectRows(readSingle(async () => 'me', toRow)), {
    records: [{ key: 'me', place: 0 }],
    offset: null,
    hasMore: false,
    skipped: 0,
    pages: 1,
  })
})

t.test('an item without a key is skipped and counted', async (t) => {
  t.strictSame(await collectRows(readSingle(async () => null, toRow)), {
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
    collectRows(
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
