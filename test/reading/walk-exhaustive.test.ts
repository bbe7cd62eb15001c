import t from 'tap'
import { testEveryWalk } from './walk-exhaustive.ts'

// EXHAUSTIVE=true: three changes in lists of up to six, 4.9 million cases; else what takes seconds.
const isFull = process.env.EXHAUSTIVE === 'true'

for (const size of isFull ? [0, 1, 2, 3, 4, 5, 6] : [0, 1, 2, 3, 4, 5]) {
  const most = isFull || size <= 3 ? 3 : 2
  t.test(
    `a list of ${size}: no ${most} changes, whenever made, lose or double a row`,
    async (t) => {
      testEveryWalk(t, size, most)
    },
  )
}
