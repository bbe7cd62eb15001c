import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { openStore } from '../../src/database/open.ts'

const script = fileURLToPath(new URL('../../scripts/clear-mark.ts', import.meta.url))
const origin = { connection: 'default', clientId: 'app', fingerprint: 'f' }

const open = (t: Test, url: string) =>
  openStore(url, { warn: (_details, message) => t.fail(message) })

/** Runs the script in `cwd`, and gives its exit code and the one line it prints. */
async function clearMark(t: Test, cwd: string, args: string[], databaseUrl?: string) {
  const { DATABASE_URL: _, ...env } = process.env
  if (databaseUrl !== undefined) env.DATABASE_URL = databaseUrl
  const child = spawn(process.execPath, [script, ...args], { cwd, env })
  const exited = once(child, 'exit')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await exited
  t.match(stdout + stderr, /^.+\n$/, 'one line')
  t.equal(code === 0 ? stderr : stdout, '', 'only a success goes to stdout')
  return { code, line: stdout + stderr }
}

t.test('the marks of a connection go, and its token stays', async (t) => {
  const dir = t.testdir()
  const url = `sqlite:${dir}/connector.db`
  const store = open(t, url)
  store.saveRefreshToken(origin, 'rotated', 1)
  for (const fingerprint of ['f', 'earlier']) {
    store.markNeedsConsent({ ...origin, fingerprint }, 'revoked', 2)
  }
  store.close()

  const done = await clearMark(t, dir, ['default'], url)
  t.equal(done.code, 0)
  t.match(
    done.line,
    /mark of connection "default".*start the service.*same refresh token once more/,
  )
  const again = open(t, url)
  t.same(again.openConsent(origin, 3), {
    refreshToken: 'rotated',
    needsConsent: null,
    account: null,
    firstSeenAtMs: 1,
  })
  again.close()

  const twice = await clearMark(t, dir, ['default'], url)
  t.equal(twice.code, 1)
  t.match(twice.line, 'has no mark')
})

t.test('the database is the default one where DATABASE_URL is not set', async (t) => {
  const dir = t.testdir()
  const store = open(t, `sqlite:${dir}/.data/connector.db`)
  store.markNeedsConsent(origin, 'revoked', 2)
  store.close()
  t.equal((await clearMark(t, dir, ['default'])).code, 0)
})

t.test('a connection without a mark is told of', async (t) => {
  const dir = t.testdir()
  const url = `sqlite:${dir}/connector.db`
  const store = open(t, url)
  store.markNeedsConsent(origin, 'revoked', 2)
  store.close()
  const { code, line } = await clearMark(t, dir, ['anna'], url)
  t.equal(code, 1)
  t.match(line, 'Connection "anna" has no mark')
  const again = open(t, url)
  t.ok(again.openConsent(origin, 3).needsConsent)
  again.close()
})

t.test('a database that is in use is left alone', async (t) => {
  const dir = t.testdir()
  const url = `sqlite:${dir}/connector.db`
  const store = open(t, url)
  t.teardown(() => store.close())
  store.markNeedsConsent(origin, 'revoked', 2)
  const { code, line } = await clearMark(t, dir, ['default'], url)
  t.equal(code, 1)
  t.match(line, 'is in use by another process')
  t.ok(store.openConsent(origin, 3).needsConsent)
})

t.test('a database that is missing is not made', async (t) => {
  const dir = t.testdir({})
  for (const url of [undefined, `sqlite:${dir}/connector.db`, 'sqlite::memory:']) {
    const { code, line } = await clearMark(t, dir, ['default'], url)
    t.equal(code, 1)
    t.match(line, /^DATABASE_URL: /)
  }
  t.strictSame(readdirSync(dir), [])
})

t.test('a DATABASE_URL that is no use tells nothing of its password', async (t) => {
  const { code, line } = await clearMark(t, t.testdir({}), ['default'], 'postgres://a:s3cret@db/x')
  t.equal(code, 1)
  t.match(line, /^DATABASE_URL: postgres:\/\/ is not supported yet(?!.*s3cret)/)
})

t.test('other arguments get the usage', async (t) => {
  const dir = t.testdir({})
  for (const args of [[], [''], ['--help'], ['default', 'anna']]) {
    const { code, line } = await clearMark(t, dir, args)
    t.equal(code, 2)
    t.match(line, /^Usage: npm run clear-mark -- CONNECTION/)
  }
  t.strictSame(readdirSync(dir), [])
})
