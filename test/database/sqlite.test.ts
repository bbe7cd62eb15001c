import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { SqliteStore } from '../../src/database/sqlite.ts'
import { openDatabase } from '../../src/database/sqlite-open.ts'
import { plainCipher } from '../../src/database/token-cipher.ts'
import { mountSmallDisk, noSmallDisk } from './small-disk.ts'

const origin = { connection: 'default', clientId: 'app', fingerprint: 'f' }
const long = `s3cret${'x'.repeat(50_000)}`

function open(t: Test, path: string) {
  const db = openDatabase(path, { warn: (_details, message) => t.fail(message) }, true)
  const store = new SqliteStore(db, plainCipher)
  t.teardown(() => store.close())
  return { db, store }
}

/** Opens a store, takes its room away, and tries every write before and after it is back. */
function assertRecovery(t: Test, path: string, takeRoom: (db: DatabaseSync) => () => void) {
  const { db, store } = open(t, path)
  store.saveRefreshToken(origin, 'rotated', 1)
  store.saveBan('app', null, 50, 1)
  const giveBack = takeRoom(db)

  const failure = { name: 'Error', message: /^the database can't (?!.*s3cret).*full/ }
  t.throws(() => store.saveRefreshToken(origin, long, 60), failure)
  t.throws(() => store.markNeedsConsent(origin, long, 60), failure)
  t.throws(() => store.openConsent({ ...origin, fingerprint: long }, 60), failure)
  t.throws(() => store.saveBan('app', long, 99, 60), failure)
  const rotated = {
    refreshToken: 'rotated',
    needsConsent: null,
    account: null,
    firstSeenAtMs: 1,
  }
  t.same(store.openConsent(origin, 70), rotated, 'nothing has changed')
  t.same(store.bans('app'), [{ endpoint: null, untilMs: 50 }])

  giveBack()
  store.saveRefreshToken(origin, long, 80)
  store.markNeedsConsent(origin, 'revoked', 81)
  store.saveBan('app', '/me', 99, 82)
  store.close()
  const { store: again } = open(t, path)
  t.same(again.openConsent(origin, 90), {
    refreshToken: long,
    needsConsent: { reason: 'revoked', atMs: 81 },
    account: null,
    firstSeenAtMs: 1,
  })
  t.same(again.bans('app'), [{ endpoint: '/me', untilMs: 99 }])
}

t.test('a database that may not grow says what failed, and goes on when it may', async (t) => {
  assertRecovery(t, `${t.testdir()}/connector.db`, (db) => {
    const { page_count } = db.prepare('PRAGMA page_count').get() ?? {}
    db.exec(`PRAGMA max_page_count = ${page_count}`)
    return () => db.exec('PRAGMA max_page_count = 4294967294')
  })
})

t.test(
  'a full disk says what failed, and goes on when there is room',
  { skip: noSmallDisk },
  async (t) => {
    const disk = mountSmallDisk(t)
    assertRecovery(t, `${disk}/connector.db`, () => {
      const { bavail, bsize } = statfsSync(disk)
      writeFileSync(`${disk}/ballast`, Buffer.alloc(bavail * bsize))
      return () => rmSync(`${disk}/ballast`)
    })
  },
)
