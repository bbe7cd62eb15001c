import t from 'tap'
import { Random } from '../../src/simulator/random.ts'

t.test('the same thing draws the same, another one or another kind does not', async (t) => {
  t.equal(new Random('track', 7).id(), new Random('track', 7).id())
  t.not(new Random('track', 7).id(), new Random('track', 8).id())
  t.not(new Random('track', 7).id(), new Random('album', 7).id())
})

t.test('ids are 22 characters of base62, and no two of many are equal', async (t) => {
  const ids = Array.from({ length: 20_000 }, (_, n) => new Random('track', n).id())
  t.equal(new Set(ids).size, ids.length)
  t.ok(ids.every((id) => /^[0-9A-Za-z]{22}$/.test(id)))
})

t.test('every choice is taken about as often as it should be', async (t) => {
  const random = new Random('choices', 0)
  const counts = [0, 0, 0, 0]
  for (let draw = 0; draw < 8_000; draw++) {
    const pick = random.pick([0, 1, 2, 3])
    counts[pick] = (counts[pick] ?? 0) + 1
  }
  t.ok(
    counts.every((count) => count > 1_800 && count < 2_200),
    counts.join(),
  )
  const hits = Array.from({ length: 8_000 }, () => random.chance(0.25)).filter(Boolean).length
  t.ok(hits > 1_800 && hits < 2_200, String(hits))
})

t.test('shuffled numbers are all there, in another order', async (t) => {
  const numbers = new Random('order', 0).shuffled(100)
  const inOrder = Array.from({ length: 100 }, (_, at) => at)
  t.notSame(numbers, inOrder)
  t.same(
    numbers.toSorted((a, b) => a - b),
    inOrder,
  )
})
