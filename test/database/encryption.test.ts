import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { migrations } from '../../src/database/migrations.ts'
import { openStore } from '../../src/database/open.ts'
import type { Origin, Store } from '../../src/database/store.ts'
import { ConfigError } from '../../src/errors.ts'
import { run } from './use-database.ts'

const origin: Origin = { connection: 'default', clientId: 'app', fingerprint: 'f' }
const other: Origin = { connection: 'other', clientId: 'app', fingerprint: 'g' }
const account = { accountId: 'a', userId: null, displayName: null }
// Long ones, of which many fill pages that are freed when they go.
const tokenOf = (n: number) => `AQ-token-${n}-${'x'.repeat(2_000)}`

const newKey = () => createSecretKey(randomBytes(32))

function open(t: Test, path: string, keys?: readonly KeyObject[], warnings: string[] = []): Store {
  const log = { warn: (_details: object, message: string) => warnings.push(message) }
  const store = openStore(`sqlite:${path}`, log, keys ? { keys } : {})
  t.teardown(() => store.close())
  return store
}

/** All that a database's files hold. */
function bytesOf(path: string): string {
  return ['', '-journal', '-wal', '-shm']
    .filter((suffix) => existsSync(path + suffix))
    .map((suffix) => readFileSync(path + suffix, 'latin1'))
    .join('')
}

/** SQL that deletes a text and leaves it in the file. */
function leave(text: string): string {
  return `PRAGMA secure_delete = OFF;
    CREATE TABLE before (text); INSERT INTO before VALUES ('${text}'); DROP TABLE before`
}

/** The sealed texts in a database's files. */
function sealedIn(path: string): string[] {
  return bytesOf(path).match(/v1\.[\w-]{40,}/g) ?? []
}

/** Stores a rotated token, and the token of a consent. */
function fill(store: Store, n = 1): void {
  store.saveRefreshToken(origin, tokenOf(n), 1)
  const consent = { account, scopes: null, consentedAtMs: 1, replaced: null }
  store.saveConnection({ origin: other, refreshToken: tokenOf(n + 1), ...consent })
}

function tokensOf(store: Store): (string | null | undefined)[] {
  const [connection] = store.connections('app')
  return [store.openConsent(origin, 2).refreshToken, connection?.refreshToken]
}

/** The one line with which a database is refused. */
function refusalOf(path: string, keys: readonly KeyObject[]): string {
  const fail = (_details: object, message: string) => t.fail(message)
  try {
    openStore(`sqlite:${path}`, { warn: fail }, { keys }).close()
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  throw new Error('not refused')
}

t.test('with a key no file of the database ever holds a token', async (t) => {
  const path = `${t.testdir()}/connector.db`
  const key = newKey()
  const store = open(t, path, [key])
  for (let n = 1; n <= 6; n++) {
    fill(store, n)
    t.notMatch(bytesOf(path), 'AQ-token')
  }
  store.deleteConnection('app', 'other')
  store.saveRefreshToken(origin, tokenOf(99), 1)
  store.close()
  t.notMatch(bytesOf(path), 'AQ-token')
  t.equal(open(t, path, [key]).openConsent(origin, 2).refreshToken, tokenOf(99))
})

t.test('tokens that were stored plain are encrypted, and nothing of them stays', async (t) => {
  const path = `${t.testdir()}/connector.db`
  const store = open(t, path)
  for (let n = 1; n <= 6; n++) fill(store, n)
  store.close()
  // What a version that did not overwrite what it deleted has left in the file.
  run(path, leave(tokenOf(77)))
  for (const n of [6, 7, 77]) t.match(bytesOf(path), `AQ-token-${n}-`, 'as a test of the test')

  const key = newKey()
  const encrypted = open(t, path, [key])
  t.strictSame(tokensOf(encrypted), [tokenOf(6), tokenOf(7)])
  t.notMatch(bytesOf(path), 'AQ-token')
  encrypted.close()
  t.notMatch(bytesOf(path), 'AQ-token')
  t.notMatch(bytesOf(path), 'x'.repeat(50))
  t.strictSame(tokensOf(open(t, path, [key])), [tokenOf(6), tokenOf(7)])
})

t.test('a process that died before it had wiped the file wipes it at its next start', async (t) => {
  const path = `${t.testdir()}/connector.db`
  const key = newKey()
  const store = open(t, path, [key])
  fill(store)
  store.close()
  run(path, `${leave(tokenOf(7))}; UPDATE encryption SET leftovers = 1`)
  t.match(bytesOf(path), 'AQ-token-7-')
  open(t, path, [key]).close()
  t.notMatch(bytesOf(path), 'AQ-token')
  const db = new DatabaseSync(path)
  t.equal(db.prepare('SELECT leftovers FROM encryption').get()?.leftovers, 0)
  db.close()
})

for (const what of ['with tokens', 'without any token']) {
  t.test(`another key or none is one line, and nothing is changed, ${what}`, async (t) => {
    const path = `${t.testdir()}/connector.db`
    const key = newKey()
    const store = open(t, path, [key])
    if (what === 'with tokens') fill(store)
    store.close()
    const before = bytesOf(path)
    const cases: [keys: KeyObject[], said: RegExp][] = [
      [[], /^DATABASE_ENCRYPTION_KEY is not set, and the refresh tokens in "\/.+" are encrypted; /],
      [[newKey()], /^DATABASE_ENCRYPTION_KEY is another key, and the refresh tokens in /],
      [
        [newKey(), newKey()],
        /nothing was changed; allowed: the key .+ the old one\); if it is lost, /,
      ],
    ]
    for (const [keys, said] of cases) {
      const line = refusalOf(path, keys)
      t.match(line, said)
      t.notMatch(line, '\n')
      t.equal(bytesOf(path), before)
    }
    open(t, path, [key])
  })
}

t.test('another key changes no database of an older version either', async (t) => {
  const path = `${t.testdir()}/connector.db`
  open(t, path, [newKey()]).close()
  run(path, `PRAGMA user_version = ${migrations.length - 1}`)
  const before = bytesOf(path)
  t.match(refusalOf(path, [newKey()]), /is another key/)
  t.equal(bytesOf(path), before)
})

t.test('the key is changed by the new one and the old one, once', async (t) => {
  const path = `${t.testdir()}/connector.db`
  const [old, fresh] = [newKey(), newKey()]
  const first = open(t, path, [old])
  fill(first)
  first.close()
  const sealed = sealedIn(path)
  t.equal(sealed.length, 3)

  const warnings: string[] = []
  const changed = open(t, path, [fresh, old], warnings)
  t.strictSame(tokensOf(changed), [tokenOf(1), tokenOf(2)])
  changed.close()
  t.match(warnings, [/only the first key is needed/])
  for (const text of sealed) t.notOk(bytesOf(path).includes(text))
  t.match(refusalOf(path, [old]), /is another key/)
  t.strictSame(tokensOf(open(t, path, [fresh], warnings)), [tokenOf(1), tokenOf(2)])
  t.equal(warnings.length, 1)
})

t.test('a token that was moved to another row ends a start with one line', async (t) => {
  const path = `${t.testdir()}/connector.db`
  const key = newKey()
  const store = open(t, path, [key])
  store.saveRefreshToken(origin, 'mine', 1)
  store.saveRefreshToken({ ...origin, connection: 'other' }, 'theirs', 1)
  store.close()
  run(
    path,
    `UPDATE consents SET refresh_token =
       (SELECT refresh_token FROM consents WHERE connection = 'other')
     WHERE connection = 'default'`,
  )
  const moved = open(t, path, [key])
  t.throws(() => moved.openConsent(origin, 2), {
    name: 'ConfigError',
    message: /^DATABASE_URL: the refresh token of connection "default" .+moved here.+$/,
  })
  t.equal(moved.openConsent({ ...origin, connection: 'other' }, 2).refreshToken, 'theirs')
  moved.close()
  // Nor is anything encrypted anew over it.
  const before = sealedIn(path)
  t.match(refusalOf(path, [newKey(), key]), /can't be encrypted \(it was changed, moved here/)
  t.strictSame(sealedIn(path), before)
})

t.test('without a key, who needs no token can do the rest', async (t) => {
  const path = `${t.testdir()}/connector.db`
  const store = open(t, path, [newKey()])
  fill(store)
  store.markNeedsConsent(origin, 'revoked', 1)
  store.close()
  const locked = open(t, path)
  t.equal(locked.clearMarks('default'), 1)
  t.ok(locked.holdsConnections('another app'))
  t.throws(() => locked.saveRefreshToken(origin, 'plain', 1), /without DATABASE_ENCRYPTION_KEY/)
  t.throws(() => locked.connections('app'), /without DATABASE_ENCRYPTION_KEY/)
})
