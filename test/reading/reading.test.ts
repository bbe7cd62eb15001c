import t from 'tap'
import { freshRows } from '../../src/reading/reading.ts'
import { toRow } from './in-memory.ts'

t.test('rows are made of items with their places in the list', async (t) => {
  t.strictSame(freshRows(['a', 'b'], 100, toRow, new Set()), {
    records: [
      { key: 'a', place: 100 },
      { key: 'b', place: 101 },
    ],
    skipped: 0,
  })
})

t.test('items without a key are counted, and keep the places of those behind them', async (t) => {
  t.strictSame(freshRows([null, 'a', null, 'b'], 0, toRow, new Set()), {
    records: [
      { key: 'a', place: 1 },
      { key: 'b', place: 3 },
    ],
    skipped: 2,
  })
})

t.test('the first place of a key wins, on this page and on those before it', async (t) => {
  const seen = new Set(['a'])
  t.strictSame(freshRows(['a', 'b', 'b', 'c'], 7, toRow, seen), {
    records: [
      { key: 'b', place: 8 },
      { key: 'c', place: 10 },
    ],
    skipped: 0,
  })
  t.strictSame([...seen], ['a', 'b', 'c'])
})
