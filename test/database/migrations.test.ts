import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { applicationId, migrate, migrations, schemaVersion } from '../../src/database/migrations.ts'

function emptyDatabase(t: Test): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  t.teardown(() => db.close())
  return db
}

const tablesOf = (db: DatabaseSync) =>
  db
    .prepare(
      "SELECT name, strict FROM pragma_table_list WHERE name NOT LIKE 'sqlite%' ORDER BY name",
    )
    .all()
    .map((row) => ({ ...row }))

t.test(
  'the migrations make strict tables, of our application and the newest version',
  async (t) => {
    const db = emptyDatabase(t)
    migrate(db)
    t.strictSame(tablesOf(db), [
      { name: 'bans', strict: 1 },
      { name: 'connections', strict: 1 },
      { name: 'consents', strict: 1 },
      { name: 'encryption', strict: 1 },
    ])
    t.equal(db.prepare('PRAGMA application_id').get()?.application_id, applicationId)
    t.equal(schemaVersion(db), migrations.length)
    migrate(db)
    t.equal(schemaVersion(db), migrations.length, 'a second time changes nothing')
  },
)

t.test('what an earlier version stored is kept', async (t) => {
  const db = emptyDatabase(t)
  migrate(db, migrations.slice(0, 1))
  db.exec("INSERT INTO consents VALUES ('default', 'app', 'a1', 'rotated', NULL, NULL, 7)")
  migrate(db)
  t.match(db.prepare('SELECT * FROM consents').all(), [
    { refresh_token: 'rotated', first_seen_at_ms: 7, account_id: null, display_name: null },
  ])
})

t.test('only the steps that are missing are taken, in their order', async (t) => {
  const db = emptyDatabase(t)
  const steps = ['CREATE TABLE log (step TEXT)', "INSERT INTO log VALUES ('second')"]
  migrate(db, steps)
  migrate(db, [...steps, "INSERT INTO log VALUES ('third')", "INSERT INTO log VALUES ('fourth')"])
  t.strictSame(
    db
      .prepare('SELECT step FROM log ORDER BY rowid')
      .all()
      .map(({ step }) => step),
    ['second', 'third', 'fourth'],
  )
  t.equal(schemaVersion(db), 4)
})

t.test('a step that fails leaves nothing of itself, and is taken again later', async (t) => {
  const db = emptyDatabase(t)
  const first = 'CREATE TABLE first (a)'
  const broken = 'CREATE TABLE second (a); INSERT INTO second VALUES (1); SELECT * FROM missing'
  t.throws(() => migrate(db, [first, broken]), /no such table: missing/)
  t.equal(schemaVersion(db), 1)
  t.equal(db.isTransaction, false)
  t.same(
    tablesOf(db).map(({ name }) => name),
    ['first'],
  )

  migrate(db, [first, 'CREATE TABLE second (a)'])
  t.equal(schemaVersion(db), 2)
})
