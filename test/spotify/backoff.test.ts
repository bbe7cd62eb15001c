import fc from 'fast-check'
import t from 'tap'
import { fullJitter } from '../../src/spotify/backoff.ts'

t.test('the longest wait doubles with every attempt, up to 8 s', async (t) => {
  const backoff = fullJitter({ random: () => 1 })
  t.same([1, 2, 3, 4, 5, 6, 2_000].map(backoff), [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
})

t.test('the jitter is full: the wait is drawn from nothing to the longest', async (t) => {
  t.equal(fullJitter({ random: () => 0 })(4), 0)
  t.equal(fullJitter({ random: () => 0.5 })(4), 2_000)
})

t.test('base and cap can be chosen', async (t) => {
  const backoff = fullJitter({ baseMs: 10, capMs: 35, random: () => 1 })
  t.same([1, 2, 3, 4].map(backoff), [10, 20, 35, 35])
})

t.test('every wait is whole milliseconds within its bounds, and differs by chance', async (t) => {
  const backoff = fullJitter()
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (attempt) => {
        const waitMs = backoff(attempt)
        return (
          Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= Math.min(8000, 250 * 2 ** attempt)
        )
      }),
    ),
  )
  t.ok(new Set(Array.from({ length: 50 }, () => backoff(4))).size > 10)
})
