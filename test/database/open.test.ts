import { existsSync, readdirSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { openStore } from '../../src/database/open.ts'
import { ConfigError } from '../../src/errors.ts'

const origin = { connection: 'default', clientId: 'app', fingerprint: 'f' }
const silent = (t: Test) => ({ warn: (_details: object, message: string) => t.fail(message) })

/** The one line that refuses a URL. */
function refusalOf(t: Test, url: string): string {
  try {
    openStore(url, silent(t)).close()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    t.notMatch(error.message, '\n', 'one line')
    t.match(error.message, /^DATABASE_URL: /)
    return error.message
  }
  throw new Error(`not refused: ${url}`)
}

t.test('PostgreSQL is said to be not supported yet, and no password is told', async (t) => {
  for (const scheme of ['postgres', 'postgresql', 'POSTGRES']) {
    const message = refusalOf(t, `${scheme}://anna:s3cret@db.example/spotify?password=s3cret`)
    t.match(message, `${scheme.toLowerCase()}:// is not supported yet by this version`)
    t.notMatch(message, /anna|s3cret|db\.example/)
  }
})

t.test('any other URL is refused with what to write, and nothing secret is told', async (t) => {
  for (const rest of ['mysql://anna:s3cret@db/x', 'anna:s3cret@db/x', 'anna', '', ' sqlite:x.db']) {
    const message = refusalOf(t, rest)
    t.match(message, 'write sqlite:PATH')
    t.notMatch(message, /anna|s3cret/)
  }
  t.match(refusalOf(t, 'mysql://db/x'), 'mysql:// is not supported')
})

t.test('what others write behind "sqlite:" is refused, not guessed at', async (t) => {
  const dir = t.testdir()
  for (const [url, problem] of [
    ['sqlite:', 'the path is empty'],
    ['sqlite:  ', 'the path is empty'],
    [`sqlite://${dir}/a.db`, 'without "//"'],
    ['sqlite://anna:s3cret@host/a.db', 'without "//"'],
    [`sqlite:${dir}/a.db?key=s3cret`, 'takes no parameters'],
    [`sqlite:${dir}/new/`, 'directory'],
    [`sqlite:${dir}`, 'is a directory'],
  ] as const) {
    const message = refusalOf(t, url)
    t.match(message, problem)
    t.notMatch(message, /anna|s3cret/)
  }
  t.notOk(existsSync(`${dir}/new`))
})

t.test('a path may be absolute or relative, and the scheme in capitals', async (t) => {
  const dir = t.testdir()
  const back = process.cwd()
  process.chdir(dir)
  t.teardown(() => process.chdir(back))
  const store = openStore('SQLITE:.data/connector.db', silent(t))
  store.saveRefreshToken(origin, 'rotated', 1)
  store.close()
  t.ok(existsSync(`${dir}/.data/connector.db`))
  const again = openStore(`sqlite:${dir}/.data/connector.db`, silent(t))
  t.teardown(() => again.close())
  t.equal(again.openConsent(origin, 2).refreshToken, 'rotated')
})

t.test('a database in memory leaves no file', async (t) => {
  const dir = t.testdir({})
  const back = process.cwd()
  process.chdir(dir)
  t.teardown(() => process.chdir(back))
  const store = openStore('sqlite::memory:', silent(t))
  store.saveRefreshToken(origin, 'rotated', 1)
  store.close()
  t.strictSame(readdirSync(dir), [])
})

t.test('a database of ours without our tables is refused, and let go of', async (t) => {
  const path = `${t.testdir()}/connector.db`
  openStore(`sqlite:${path}`, silent(t)).close()
  const db = new DatabaseSync(path)
  db.exec('DROP TABLE bans')
  t.match(refusalOf(t, `sqlite:${path}`), 'no such table: bans')
  db.exec('DROP TABLE consents')
  db.close()
})

t.test('without `create` only a sound database that is there is opened', async (t) => {
  const dir = t.testdir({ 'empty.db': '', 'rubbish.db': 'rubbish' })
  const open = (name: string) => openStore(`sqlite:${dir}/${name}`, silent(t), { create: false })
  t.throws(() => open('none/missing.db'), { name: 'ConfigError', message: /does not exist/ })
  t.throws(() => open('empty.db'), { name: 'ConfigError', message: /is empty/ })
  t.throws(() => open('rubbish.db'), { name: 'ConfigError', message: /is not a sound SQLite/ })
  t.strictSame(readdirSync(dir).sort(), ['empty.db', 'rubbish.db'])
  t.equal(statSync(`${dir}/empty.db`).size, 0)

  openStore(`sqlite:${dir}/good.db`, silent(t)).close()
  const store = open('good.db')
  store.saveRefreshToken(origin, 'rotated', 1)
  store.close()
})
