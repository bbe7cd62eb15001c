import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import t, { type Test } from 'tap'
import { applicationId, migrations } from '../../src/database/migrations.ts'
import { openDatabase } from '../../src/database/sqlite-open.ts'
import { mountSmallDisk, noSmallDisk } from './small-disk.ts'
import { run, silent, use, type Warning } from './use-database.ts'

/** Everything that opening might have touched. */
const stateOf = (dir: string) =>
  readdirSync(dir).map((name) => {
    const { mode, mtimeMs, ino } = statSync(`${dir}/${name}`)
    return { name, mode, mtimeMs, ino, content: readFileSync(`${dir}/${name}`, 'hex') }
  })

t.test('a commit is durable: every write is synced, and no journal can come back', async (t) => {
  const db = openDatabase(`${t.testdir()}/connector.db`, silent(t), true)
  t.teardown(() => db.close())
  t.equal(db.prepare('PRAGMA synchronous').get()?.synchronous, 2, 'FULL')
  t.equal(db.prepare('PRAGMA journal_mode').get()?.journal_mode, 'truncate')
  t.equal(db.prepare('PRAGMA locking_mode').get()?.locking_mode, 'exclusive')
})

t.test('a file that is not a sound database', async (t) => {
  t.test('of 0 bytes starts as new', async (t) => {
    const dir = t.testdir({ 'connector.db': '' })
    t.strictSame(use(t, `${dir}/connector.db`), [])
    t.strictSame(use(t, `${dir}/connector.db`), ['app 1'])
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
