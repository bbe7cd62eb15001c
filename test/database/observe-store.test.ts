import t from 'tap'
import { observeStore } from '../../src/database/observe-store.ts'
import { openStore } from '../../src/database/open.ts'
import { silent } from './use-database.ts'

t.test('a store that is observed works as before, and has no trouble', async (t) => {
  const failed: string[] = []
  const { store, trouble } = observeStore(openStore('sqlite::memory:', silent(t)), (operation) =>
    failed.push(operation),
  )
  store.saveBan('app', '/me', 50, 0)
  t.strictSame(store.bans('app'), [{ endpoint: '/me', untilMs: 50 }])
  store.close()
  t.equal(trouble(), null)
  t.strictSame(failed, [])
})

t.test('an operation that fails is told, and is the trouble until one works', async (t) => {
  const failed: string[] = []
  const real = openStore('sqlite::memory:', silent(t))
  let isFull = true
  const full = {
    bans: (clientId: string) => real.bans(clientId),
    saveBan(...args: Parameters<typeof real.saveBan>) {
      if (isFull) throw new Error('the disk is full')
      real.saveBan(...args)
    },
  } as typeof real
  const { store, trouble } = observeStore(full, (operation) => failed.push(operation))
  t.throws(() => store.saveBan('app', null, 50, 0), { message: 'the disk is full' })
  t.equal(trouble(), 'the disk is full')
  t.strictSame(failed, ['saveBan'])
  isFull = false
  store.saveBan('app', null, 50, 0)
  t.equal(trouble(), null)
  real.close()
})

t.test("a caller's mistake is no trouble of the database", async (t) => {
  const { store, trouble } = observeStore(openStore('sqlite::memory:', silent(t)), () =>
    t.fail('it is not told'),
  )
  const origin = { connection: 'default', clientId: 'app', fingerprint: 'f' }
  t.throws(() => store.saveRefreshToken(origin, '', 0), TypeError)
  t.equal(trouble(), null)
  store.close()
})
