import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { inTransaction } from '../../src/database/transaction.ts'

function makeDatabase(t: Test) {
  const db = new DatabaseSync(':memory:')
  t.teardown(() => db.close())
  db.exec('CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT')
  const insert = (n: number) => db.exec(`INSERT INTO numbers VALUES (${n})`)
  const numbers = () =>
    db
      .prepare('SELECT n FROM numbers ORDER BY n')
      .all()
      .map(({ n }) => n)
  return { db, insert, numbers }
}

t.test('all of the work is kept', async (t) => {
  const { db, insert, numbers } = makeDatabase(t)
  inTransaction(db, () => {
    insert(1)
    insert(2)
  })
  t.strictSame(numbers(), [1, 2])
})

t.test(
  'of work that throws nothing is kept, the error comes out, and the next works',
  async (t) => {
    const { db, insert, numbers } = makeDatabase(t)
    const failing = () =>
      inTransaction(db, () => {
        insert(1)
        insert(1)
      })
    t.throws(failing, /UNIQUE constraint failed/)
    t.strictSame(numbers(), [])
    inTransaction(db, () => insert(3))
    t.strictSame(numbers(), [3])
  },
)

t.test('where SQLite itself has rolled back, its error is the one that comes out', async (t) => {
  const { db, insert, numbers } = makeDatabase(t)
  const failing = () =>
    inTransaction(db, () => {
      insert(1)
      db.exec('INSERT OR ROLLBACK INTO numbers VALUES (1)')
    })
  t.throws(failing, /UNIQUE constraint failed/)
  t.strictSame(numbers(), [])
})
