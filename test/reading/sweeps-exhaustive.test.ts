import t from 'tap'
import { testEverySweep } from './sweeps-exhaustive.ts'

// EXHAUSTIVE=true: 5 million cases; three changes in a list of 4 would be 30 million more.
const isFull = process.env.EXHAUSTIVE === 'true'
const mostChanges = isFull ? [3, 3, 3, 3, 2, 2, 2] : [3, 3, 2, 2, 1, 1, 1]

for (const [size, most] of mostChanges.entries()) {
  t.test(
    `a list of ${size} that is dragged about, ${most} changes: whole, or it is told`,
    async (t) => {
      testEverySweep(t, size, most)
    },
  )
}
