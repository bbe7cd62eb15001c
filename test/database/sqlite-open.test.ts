import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { applicationId, migrations } from '../../src/database/migrations.ts'
import { openDatabase } from '../../src/database/sqlite-open.ts'
import { mountSmallDisk, noSmallDisk } from './small-disk.ts'

type Warning = { details: object; message: string }

const silent = (t: Test) => ({ warn: (_details: object, message: string) => t.fail(message) })
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const modesIn = (dir: string) =>
  Object.fromEntries(readdirSync(dir).map((name) => [name, modeOf(`${dir}/${name}`)]))

/** Everything that opening might have touched. */
const stateOf = (dir: string) =>
  readdirSync(dir).map((name) => {
    const { mode, mtimeMs, ino } = statSync(`${dir}/${name}`)
    return { name, mode, mtimeMs, ino, content: readFileSync(`${dir}/${name}`, 'hex') }
  })

/** Opens the database, says which bans it holds, and leaves a further one. */
function use(t: Test, path: string, warnings?: Warning[]): string[] {
  const warn = (details: object, message: string) => warnings?.push({ details, message })
  const db = openDatabase(path, warnings ? { warn } : silent(t), true)
  const ids = db.prepare('SELECT client_id AS id FROM bans ORDER BY id').all()
  db.exec(`INSERT INTO bans (client_id, until_ms) VALUES ('app ${ids.length + 1}', 1)`)
  db.close()
  return ids.map(({ id }) => String(id))
}

function run(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

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

t.test('a commit is durable: every write is synced, and no journal can come back', async (t) => {
  const db = openDatabase(`${t.testdir()}/connector.db`, silent(t), true)
  t.teardown(() => db.close())
  t.equal(db.prepare('PRAGMA synchronous').get()?.synchronous, 2, 'FULL')
  t.equal(db.prepare('PRAGMA journal_mode').get()?.journal_mode, 'truncate')
  t.equal(db.prepare('PRAGMA locking_mode').get()?.locking_mode, 'exclusive')
})

t.test('a symbolic link leads to the database, and stays', async (t) => {
  const dir = t.testdir({ real: { 'connector.db': 'rubbish' }, links: {} })
  symlinkSync(`${dir}/real/connector.db`, `${dir}/links/connector.db`)
  t.strictSame(use(t, `${dir}/links/connector.db`, []), [])
  t.strictSame(use(t, `${dir}/real/connector.db`), ['app 1'])
  t.strictSame(readdirSync(`${dir}/links`), ['connector.db'])
  t.equal(readFileSync(`${dir}/real/connector.db.unreadable-1`, 'utf8'), 'rubbish')
})

t.test('a file that is not a sound database', async (t) => {
  t.test('of 0 bytes starts as new', async (t) => {
    const dir = t.testdir({ 'connector.db': '' })
    t.strictSame(use(t, `${dir}/connector.db`), [])
    t.strictSame(use(t, `${dir}/connector.db`), ['app 1'])
  })

  t.test('is kept aside with its side files, under names that are free, and told of', async (t) => {
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
  })

  const damage: Record<string, (path: string) => void> = {
    'with half of it cut off': (path) => truncateSync(path, statSync(path).size / 2),
    'with a page overwritten': (path) => {
      const bytes = readFileSync(path)
      bytes.fill(0xff, 4096 * 2, 4096 * 3)
      writeFileSync(path, bytes)
    },
    'with its schema overwritten': (path) => {
      const bytes = readFileSync(path)
      bytes.fill(0xff, 100, 4096)
      writeFileSync(path, bytes)
    },
  }
  for (const [what, harm] of Object.entries(damage)) {
    t.test(`a database ${what} is kept aside too`, async (t) => {
      const path = `${t.testdir()}/connector.db`
      use(t, path)
      run(
        path,
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
        INSERT INTO bans SELECT 'app', 'endpoint ' || i, i FROM n`,
      )
      harm(path)
      const harmed = readFileSync(path)
      const warnings: Warning[] = []
      t.strictSame(use(t, path, warnings), [])
      t.equal(warnings.length, 1)
      t.ok(readFileSync(`${path}.unreadable-1`).equals(harmed))
      t.strictSame(use(t, path), ['app 1'])
    })
  }
})

t.test('a database that is not for us to write is refused and left untouched', async (t) => {
  const newer = `PRAGMA application_id = ${applicationId}; CREATE TABLE a (b);
    PRAGMA user_version = ${migrations.length + 1}`
  const cases: Record<string, [sql: string, problem: RegExp]> = {
    'of a newer version': [newer, /newer version.*start that one/],
    'of another program, by its tables': ['CREATE TABLE a (b)', /another program/],
    'of another program, by its id': ['PRAGMA application_id = 7', /another program/],
    'of another program, by its version': ['PRAGMA user_version = 3', /another program/],
    'of another program, in WAL mode': [
      'PRAGMA journal_mode = WAL; CREATE TABLE a (b)',
      /another program/,
    ],
  }
  for (const [what, [sql, message]] of Object.entries(cases)) {
    t.test(what, async (t) => {
      const dir = t.testdir({})
      run(`${dir}/connector.db`, sql)
      chmodSync(`${dir}/connector.db`, 0o644)
      const before = stateOf(dir)
      t.throws(() => use(t, `${dir}/connector.db`), { name: 'ConfigError', message })
      t.strictSame(stateOf(dir), before)
    })
  }
})

t.test('a SQLite database with nothing in it is taken as new', async (t) => {
  const path = `${t.testdir()}/connector.db`
  run(path, 'VACUUM')
  t.not(statSync(path).size, 0)
  t.strictSame(use(t, path), [])
})

t.test('a place where no database can be written is refused in one line', async (t) => {
  const refused = (t: Test, path: string, message: RegExp) => {
    t.throws(() => use(t, path), { name: 'ConfigError', message: /^DATABASE_URL: .*$/ })
    t.throws(() => use(t, path), { message })
  }

  t.test('below a file', async (t) => {
    const dir = t.testdir({ file: 'text' })
    refused(t, `${dir}/file/connector.db`, /can't be opened for writing.*name a file/)
    refused(t, `${dir}/file/deeper/connector.db`, /can't be opened for writing/)
    t.equal(readFileSync(`${dir}/file`, 'utf8'), 'text')
  })

  t.test('a directory, or a pipe, which nobody may ever write to', async (t) => {
    const dir = t.testdir({})
    execFileSync('mkfifo', [`${dir}/pipe`])
    refused(t, dir, /is a directory/)
    refused(t, `${dir}/pipe`, /is no regular file/)
  })

  t.test('where directories cannot be made', async (t) => {
    refused(t, '/proc/nowhere/connector.db', /can't be opened for writing/)
  })

  t.test('where the database is, but no journal can be', async (t) => {
    const path = `${t.testdir()}/connector.db`
    use(t, path)
    rmSync(`${path}-journal`)
    mkdirSync(`${path}-journal`)
    refused(t, path, /can't be opened for writing/)
  })

  t.test('on a disk that has become read-only', { skip: noSmallDisk }, async (t) => {
    const disk = mountSmallDisk(t)
    use(t, `${disk}/connector.db`)
    execFileSync('mount', ['-o', 'remount,ro', disk])
    refused(t, `${disk}/connector.db`, /can't be opened for writing/)
    refused(t, `${disk}/other.db`, /can't be opened for writing/)
  })
})
