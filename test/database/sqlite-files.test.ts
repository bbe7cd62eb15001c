import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { keepAside } from '../../src/database/sqlite-files.ts'
import { openDatabase } from '../../src/database/sqlite-open.ts'
import { silent, use, type Warning } from './use-database.ts'

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const modesIn = (dir: string) =>
  Object.fromEntries(readdirSync(dir).map((name) => [name, modeOf(`${dir}/${name}`)]))

/** Leaves a database of ours as a killed process would that had been told to use a WAL. */
function leaveInWalMode(t: Test, path: string): void {
  const from = mkdtempSync(`${tmpdir()}/wal-mode-`)
  t.teardown(() => rmSync(from, { recursive: true }))
  use(t, `${from}/connector.db`)
  const db = new DatabaseSync(`${from}/connector.db`)
  db.exec(`PRAGMA journal_mode = WAL; UPDATE bans SET client_id = 'in the WAL'`)
  for (const suffix of ['', '-wal', '-shm']) {
    cpSync(`${from}/connector.db${suffix}`, `${path}${suffix}`)
    chmodSync(`${path}${suffix}`, 0o666)
  }
  db.close()
}

t.test('who may read', async (t) => {
  const umask = process.umask(0)
  t.teardown(() => process.umask(umask))

  t.test('new directories are 0700 and new files 0600, whatever the umask', async (t) => {
    const dir = t.testdir()
    chmodSync(dir, 0o755)
    const db = openDatabase(`${dir}/a/b/connector.db`, silent(t), true)
    t.equal(modeOf(dir), '755', 'one that was there stays as it is')
    t.equal(modeOf(`${dir}/a`), '700')
    t.equal(modeOf(`${dir}/a/b`), '700')
    const files = { 'connector.db': '600', 'connector.db-journal': '600' }
    t.strictSame(modesIn(`${dir}/a/b`), files, 'while it is open')
    db.close()
    t.strictSame(modesIn(`${dir}/a/b`), files, 'and after')
  })

  t.test('files that were open to others are tightened', async (t) => {
    const dir = t.testdir({ 'empty.db': '', data: {} })
    chmodSync(`${dir}/data`, 0o777)
    for (const path of [`${dir}/empty.db`, `${dir}/data/connector.db`]) {
      writeFileSync(path, '')
      use(t, path)
      for (const suffix of ['', '-journal']) chmodSync(`${path}${suffix}`, 0o666)
      use(t, path)
      t.equal(modeOf(path), '600')
      t.equal(modeOf(`${path}-journal`), '600')
    }
    t.equal(modeOf(`${dir}/data`), '777', 'a directory that was there stays as it is')
  })

  t.test('a database left in WAL mode loses nothing, and its files are tightened', async (t) => {
    const dir = t.testdir({})
    leaveInWalMode(t, `${dir}/connector.db`)
    t.strictSame(use(t, `${dir}/connector.db`), ['in the WAL'])
    t.strictSame(modesIn(dir), { 'connector.db': '600', 'connector.db-journal': '600' })
  })
})

t.test('a symbolic link leads to the database, and stays', async (t) => {
  const dir = t.testdir({ real: { 'connector.db': 'rubbish' }, links: {} })
  symlinkSync(`${dir}/real/connector.db`, `${dir}/links/connector.db`)
  t.strictSame(use(t, `${dir}/links/connector.db`, []), [])
  t.strictSame(use(t, `${dir}/real/connector.db`), ['app 1'])
  t.strictSame(readdirSync(`${dir}/links`), ['connector.db'])
  t.equal(readFileSync(`${dir}/real/connector.db.unreadable-1`, 'utf8'), 'rubbish')
})

t.test(
  'a file that is no database is kept with its WAL, under names that are free, and told of',
  async (t) => {
    const dir = t.testdir({ 'connector.db': 'rubbish', 'connector.db-wal': 'its WAL' })
    const path = `${dir}/connector.db`
    chmodSync(path, 0o644)
    const warnings: Warning[] = []
    t.strictSame(use(t, path, warnings), [])
    t.equal(warnings.length, 1)
    t.match(warnings[0]?.message, path)
    t.match(warnings[0]?.message, `${path}.unreadable-1`)
    t.strictSame(warnings[0]?.details, { path, kept_as: `${path}.unreadable-1` })
    t.equal(readFileSync(`${path}.unreadable-1`, 'utf8'), 'rubbish')
    t.equal(readFileSync(`${path}.unreadable-1-wal`, 'utf8'), 'its WAL')
    t.equal(modeOf(`${path}.unreadable-1`), '600', 'it may have held tokens')

    writeFileSync(path, 'rubbish again')
    writeFileSync(`${path}.unreadable-2-journal`, 'of somebody')
    t.strictSame(use(t, path, warnings), [])
    t.equal(warnings.length, 2)
    t.equal(readFileSync(`${path}.unreadable-1`, 'utf8'), 'rubbish')
    t.equal(readFileSync(`${path}.unreadable-3`, 'utf8'), 'rubbish again')
    t.equal(readFileSync(`${path}.unreadable-2-journal`, 'utf8'), 'of somebody')
    t.strictSame(use(t, path), ['app 1'])
  },
)

t.test('a file that another process has put in the place of the damaged one stays', async (t) => {
  const path = `${t.testdir({ 'connector.db': 'new' })}/connector.db`
  t.equal(keepAside(path, statSync(path).ino + 1), null)
  t.equal(readFileSync(path, 'utf8'), 'new')
  rmSync(path)
  t.equal(keepAside(path, 1), null, 'nor is it missed while it is about to be made')
})
