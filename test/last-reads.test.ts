import t from 'tap'
import { LastReads } from '../src/last-reads.ts'
import type { ReadReport } from '../src/tables/read-report.ts'

function start() {
  let nowMs = 0
  const reads = new LastReads(() => nowMs)
  const its = { pages: 1, skipped: 0, mistyped: 0, seamsFoundAgain: 0, hasGap: false, waitMs: 0 }
  return {
    reads,
    end(parts: Partial<ReadReport>) {
      nowMs += 1
      reads.ended({
        ...{ ...its, durationMs: 1, sample: undefined },
        ...{ table: 'tracks', connection: 'ada', outcome: 'whole', code: null, rows: 7 },
        ...parts,
      })
    },
  }
}

t.test('the last good read and the last bad one of a table are remembered', async (t) => {
  const { reads, end } = start()
  end({ rows: 5 })
  end({ outcome: 'more', rows: 7 })
  end({ outcome: 'failed', code: 'upstream-error', rows: 0 })
  end({ outcome: 'interrupted', code: 'rate-limited', rows: 3 })
  const bad = {
    ...{ table: 'tracks', connection: 'ada', isFailing: true },
    succeeded: { atMs: 2, rows: 7, outcome: 'more' },
    failed: { atMs: 4, code: 'rate-limited' },
  }
  t.strictSame(reads.all(), [bad])
  end({})
  const succeeded = { atMs: 5, rows: 7, outcome: 'whole' }
  t.strictSame(reads.all(), [{ ...bad, succeeded, isFailing: false }])
})

t.test('a reader that went away says nothing of a table', async (t) => {
  const { reads, end } = start()
  end({ outcome: 'reader-gone' })
  t.strictSame(reads.all(), [])
})

t.test('they come by connection and table', async (t) => {
  const { reads, end } = start()
  for (const connection of ['bob', 'ada']) {
    for (const table of ['tracks', 'albums']) end({ table, connection })
  }
  t.strictSame(
    reads.all().map(({ table, connection }) => [connection, table]),
    [
      ['ada', 'albums'],
      ['ada', 'tracks'],
      ['bob', 'albums'],
      ['bob', 'tracks'],
    ],
  )
})

t.test('of more than 1,000 the one that was read longest ago is forgotten', async (t) => {
  const { reads, end } = start()
  for (let n = 0; n < 1000; n++) end({ connection: `c${n}` })
  end({ connection: 'c0' })
  end({ connection: 'one more' })
  const names = reads.all().map(({ connection }) => connection)
  t.equal(names.length, 1000)
  t.ok(names.includes('c0') && names.includes('one more'))
  t.notOk(names.includes('c1'))
})
