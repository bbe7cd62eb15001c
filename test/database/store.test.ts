import { deepStrictEqual as deepEqual } from 'node:assert'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { openStore } from '../../src/database/open.ts'
import type { Origin, Store, StoredConnection } from '../../src/database/store.ts'
import { arbitraryStep, ModelStore, take } from './model-store.ts'

type Engine = {
  name: string
  /** Whether what was stored is there when the same URL is opened again. */
  durable: boolean
  /** The URL of a database that is new. */
  newUrl(t: Test): string
}

// Every engine keeps the same promises: a new one is tested by being added here.
const engines: Engine[] = [
  {
    name: 'a SQLite file',
    durable: true,
    newUrl: (t) => `sqlite:${t.testdir()}/connector.db`,
  },
  { name: 'SQLite in memory', durable: false, newUrl: () => 'sqlite::memory:' },
]

const origin: Origin = { connection: 'default', clientId: 'app', fingerprint: 'a1' }
/** A connection that a consent made, of a token whose fingerprint is "of token". */
function connectionOf(
  name: string,
  its: Partial<StoredConnection> = {},
  clientId = 'app',
): StoredConnection {
  return {
    origin: { connection: name, clientId, fingerprint: 'of token' },
    refreshToken: 'token',
    account: { accountId: null, userId: name, displayName: null },
    scopes: [],
    consentedAtMs: 1,
    replaced: null,
    ...its,
  }
}

const unknown = { refreshToken: null, needsConsent: null, account: null }

for (const { name, durable, newUrl } of engines) {
  t.test(name, async (t) => {
    const open = (t: Test, url = newUrl(t)): Store => {
      const store = openStore(url, { warn: (_details, message) => t.fail(message) })
      t.teardown(() => store.close())
      return store
    }

    t.test('a consent that is new has no token and no mark, and keeps its first day', async (t) => {
      const store = open(t)
      t.same(store.openConsent(origin, 1_000), { ...unknown, firstSeenAtMs: 1_000 })
      t.same(store.openConsent(origin, 2_000), { ...unknown, firstSeenAtMs: 1_000 })
    })

    t.test('the latest rotated token is the one that is found', async (t) => {
      const store = open(t)
      store.openConsent(origin, 1)
      store.saveRefreshToken(origin, 'second', 2)
      store.saveRefreshToken(origin, 'third', 3)
      t.same(store.openConsent(origin, 4), { ...unknown, refreshToken: 'third', firstSeenAtMs: 1 })
    })

    t.test('an empty token is refused, and the good one stays', async (t) => {
      const store = open(t)
      store.saveRefreshToken(origin, 'good', 1)
      t.throws(() => store.saveRefreshToken(origin, '', 2), TypeError)
      t.equal(store.openConsent(origin, 3).refreshToken, 'good')
    })

    t.test('a token or a mark can come before the consent was opened', async (t) => {
      const store = open(t)
      store.saveRefreshToken({ ...origin, connection: 'one' }, 'rotated', 5)
      store.markNeedsConsent({ ...origin, connection: 'two' }, 'revoked', 6)
      t.same(store.openConsent({ ...origin, connection: 'one' }, 9), {
        ...unknown,
        refreshToken: 'rotated',
        firstSeenAtMs: 5,
      })
      t.same(store.openConsent({ ...origin, connection: 'two' }, 9), {
        refreshToken: null,
        needsConsent: { reason: 'revoked', atMs: 6 },
        account: null,
        firstSeenAtMs: 6,
      })
    })

    t.test('a mark keeps the token and outlives another one, and the latest counts', async (t) => {
      const store = open(t)
      store.saveRefreshToken(origin, 'rotated', 1)
      store.markNeedsConsent(origin, 'Refresh token revoked', 2)
      store.markNeedsConsent(origin, 'Refresh token expired', 3)
      const needsConsent = { reason: 'Refresh token expired', atMs: 3 }
      t.same(store.openConsent(origin, 4), {
        refreshToken: 'rotated',
        needsConsent,
        account: null,
        firstSeenAtMs: 1,
      })
      store.saveRefreshToken(origin, 'again', 5)
      t.same(store.openConsent(origin, 6).needsConsent, needsConsent)
    })

    t.test(
      'another token, app or connection starts afresh, and the way back is open',
      async (t) => {
        const store = open(t)
        store.saveRefreshToken(origin, 'rotated', 1)
        store.markNeedsConsent(origin, 'revoked', 2)
        for (const other of [
          { fingerprint: 'b2' },
          { clientId: 'app-2' },
          { connection: 'anna' },
        ]) {
          t.same(store.openConsent({ ...origin, ...other }, 3), { ...unknown, firstSeenAtMs: 3 })
          store.saveRefreshToken({ ...origin, ...other }, 'of the other', 4)
        }
        t.same(store.openConsent(origin, 5), {
          refreshToken: 'rotated',
          needsConsent: { reason: 'revoked', atMs: 2 },
          account: null,
          firstSeenAtMs: 1,
        })
      },
    )

    t.test("clearing takes all marks of one connection, and nobody else's", async (t) => {
      const store = open(t)
      const earlier = { ...origin, fingerprint: 'b2' }
      const anna = { ...origin, connection: 'anna' }
      store.saveRefreshToken(origin, 'rotated', 1)
      for (const marked of [origin, earlier, anna]) store.markNeedsConsent(marked, 'revoked', 2)
      store.openConsent({ ...origin, fingerprint: 'never marked' }, 2)
      t.equal(store.clearMarks('default'), 2)
      t.equal(store.clearMarks('default'), 0)
      t.equal(store.clearMarks('nobody'), 0)
      t.same(store.openConsent(origin, 3), {
        ...unknown,
        refreshToken: 'rotated',
        firstSeenAtMs: 1,
      })
      t.equal(store.openConsent(earlier, 3).needsConsent, null)
      t.same(store.openConsent(anna, 3).needsConsent, { reason: 'revoked', atMs: 2 })
    })

    t.test('an account is kept with the consent that it is of', async (t) => {
      const store = open(t)
      const account = { accountId: 'x', userId: null, displayName: 'Anna' }
      store.saveRefreshToken(origin, 'rotated', 1)
      store.saveAccount(origin, account, 2)
      t.match(store.openConsent(origin, 3), { refreshToken: 'rotated', account, firstSeenAtMs: 1 })
      t.equal(store.openConsent({ ...origin, fingerprint: 'b2' }, 4).account, null)
    })

    t.test(
      'a connection is found as it was stored, by its app, in the order of names',
      async (t) => {
        const store = open(t)
        const scopes = ['user-top-read', 'user-read-email']
        const both = [connectionOf('bea', { scopes: null }), connectionOf('anna', { scopes })]
        for (const one of [...both, connectionOf('carl', {}, 'other app')])
          store.saveConnection(one)
        t.strictSame(store.connections('app'), both.toReversed())
        t.strictSame(
          store.connections('other app').map(({ origin }) => origin.connection),
          ['carl'],
        )
        t.equal(store.holdsConnections('app'), true)
        t.strictSame(store.connections('nobody'), [])
        t.equal(store.openConsent(both[0]?.origin as Origin, 9).account?.userId, 'bea')
      },
    )

    t.test(
      'a new consent leaves nothing of the one before, not even of the same token',
      async (t) => {
        const store = open(t)
        for (const fingerprint of ['of token', 'of another']) {
          const before = connectionOf('anna')
          store.saveConnection(before)
          store.saveRefreshToken(before.origin, 'rotated', 2)
          store.markNeedsConsent(before.origin, 'revoked', 3)
          const after = { ...before, origin: { ...before.origin, fingerprint }, consentedAtMs: 4 }
          store.saveConnection(after)
          t.strictSame(store.connections('app'), [after])
          t.match(store.openConsent(after.origin, 5), {
            ...unknown,
            account: Object,
            firstSeenAtMs: 4,
          })
          if (fingerprint === 'of token') continue
          t.strictSame(store.openConsent(before.origin, 6), { ...unknown, firstSeenAtMs: 6 })
        }
      },
    )

    t.test(
      'a consent takes the place of the token seen last, unless another is named',
      async (t) => {
        const store = open(t)
        store.openConsent(origin, 1)
        store.openConsent({ ...origin, fingerprint: 'b2' }, 2)
        store.openConsent({ ...origin, fingerprint: 'c3', clientId: 'other app' }, 3)
        store.saveConnection(connectionOf('default'))
        t.equal(store.connections('app')[0]?.replaced, 'b2')
        store.saveConnection(connectionOf('default', { replaced: 'a1' }))
        t.equal(store.connections('app')[0]?.replaced, 'a1')
      },
    )

    t.test('a deleted connection leaves nothing, and nobody else is touched', async (t) => {
      const store = open(t)
      const [anna, bea] = [connectionOf('anna'), connectionOf('bea')]
      for (const one of [anna, bea]) {
        store.saveConnection(one)
        store.saveRefreshToken(one.origin, 'rotated', 2)
      }
      t.equal(store.deleteConnection('app', 'anna'), true)
      t.equal(store.deleteConnection('app', 'anna'), false)
      t.strictSame(store.connections('app'), [bea])
      t.strictSame(store.openConsent(anna.origin, 3), { ...unknown, firstSeenAtMs: 3 })
      t.equal(store.openConsent(bea.origin, 3).refreshToken, 'rotated')
      t.throws(() => store.saveConnection(connectionOf('anna', { refreshToken: '' })), TypeError)
    })

    t.test('it knows whether connections of another app are stored', async (t) => {
      const store = open(t)
      t.equal(store.holdsConnections('demo'), false)
      store.openConsent({ ...origin, clientId: 'demo' }, 1)
      store.saveBan('app', null, 100, 1)
      t.equal(store.holdsConnections('demo'), false)
      store.openConsent(origin, 1)
      t.equal(store.holdsConnections('demo'), true)
    })

    t.test('bans are kept for each app and endpoint, that for all of them first', async (t) => {
      const store = open(t)
      t.same(store.bans('app'), [])
      store.saveBan('app', '/me/tracks', 3_000, 0)
      store.saveBan('app', null, 2_000, 0)
      store.saveBan('app', '/me/playlists', 4_000, 0)
      store.saveBan('other app', null, 9_000, 0)
      t.same(store.bans('app'), [
        { endpoint: null, untilMs: 2_000 },
        { endpoint: '/me/playlists', untilMs: 4_000 },
        { endpoint: '/me/tracks', untilMs: 3_000 },
      ])
    })

    for (const endpoint of [null, '/me/playlists']) {
      t.test(`of two bans on ${endpoint ?? 'all endpoints'} the later end counts`, async (t) => {
        const store = open(t)
        store.saveBan('app', endpoint, 5_000, 0)
        store.saveBan('app', endpoint, 4_000, 0)
        t.same(store.bans('app'), [{ endpoint, untilMs: 5_000 }])
        store.saveBan('app', endpoint, 6_000, 0)
        t.same(store.bans('app'), [{ endpoint, untilMs: 6_000 }])
      })
    }

    t.test("storing a ban drops the app's own that have ended", async (t) => {
      const store = open(t)
      store.saveBan('app', null, 1_000, 0)
      store.saveBan('other app', null, 1_000, 0)
      store.saveBan('app', '/me/tracks', 1_001, 0)
      store.saveBan('app', '/me', 9_000, 1_000)
      store.saveBan('app', '/me/albums', 500, 1_000)
      t.same(store.bans('app'), [
        { endpoint: '/me', untilMs: 9_000 },
        { endpoint: '/me/tracks', untilMs: 1_001 },
      ])
      t.same(store.bans('other app'), [{ endpoint: null, untilMs: 1_000 }])
    })

    t.test('text comes back as it went in', async (t) => {
      const store = open(t)
      const odd = { connection: `a'b"c;--`, clientId: '%_', fingerprint: 'é\u{1f3b5}\n' }
      store.saveRefreshToken(odd, `'); DROP TABLE consents; --`, 1_795_176_000_123)
      t.same(store.openConsent(odd, 0), {
        ...unknown,
        refreshToken: `'); DROP TABLE consents; --`,
        firstSeenAtMs: 1_795_176_000_123,
      })
    })

    t.test('what is no time is refused, by an Error that says what failed', async (t) => {
      const store = open(t)
      for (const nowMs of [Number.NaN, 0.5]) {
        t.throws(() => store.saveRefreshToken(origin, 'secret', nowMs), {
          name: 'Error',
          message: /^(?!.*secret).*refresh token of the consent of connection "default"/,
        })
        t.throws(() => store.saveBan('app', null, nowMs, 0), { message: /can't store a ban/ })
      }
      t.same(store.openConsent(origin, 7), { ...unknown, firstSeenAtMs: 7 })
      t.same(store.bans('app'), [])
    })

    t.test('a closed store refuses everything, and may be closed again', async (t) => {
      const store = open(t)
      store.close()
      store.close()
      const plain = { name: 'Error', message: /^the database can't / }
      t.throws(() => store.openConsent(origin, 1), plain)
      t.throws(() => store.saveRefreshToken(origin, 'token', 1), plain)
      t.throws(() => store.markNeedsConsent(origin, 'revoked', 1), plain)
      t.throws(() => store.clearMarks('default'), plain)
      t.throws(() => store.holdsConnections('app'), plain)
      t.throws(() => store.connections('app'), plain)
      t.throws(() => store.saveConnection(connectionOf('anna')), plain)
      t.throws(() => store.deleteConnection('app', 'anna'), plain)
      t.throws(() => store.bans('app'), plain)
      t.throws(() => store.saveBan('app', null, 2, 1), plain)
    })

    t.test('it behaves as maps in memory would, whatever is done in whatever order', async (t) => {
      const url = newUrl(t)
      let store = open(t, url)
      const reopen = () => {
        if (!durable) return
        store.close()
        store = open(t, url)
      }
      let run = 0
      fc.assert(
        fc.property(fc.array(arbitraryStep, { maxLength: 12 }), (steps) => {
          const model = new ModelStore()
          run++ // other names in every run, so that one database serves them all
          for (const [nowMs, step] of steps.entries()) {
            if (step.act === 'reopen') reopen()
            deepEqual(take(step, store, run, nowMs), take(step, model, run, nowMs))
          }
        }),
        { numRuns: 50 },
      )
      t.ok(run >= 50)
    })

    if (durable) {
      t.test('everything is there after a restart', async (t) => {
        const url = newUrl(t)
        const before = open(t, url)
        before.saveRefreshToken(origin, 'rotated', 1)
        before.markNeedsConsent(origin, 'revoked', 2)
        before.saveBan('app', '/me/playlists', 5_000, 3)
        before.close()
        const after = open(t, url)
        t.same(after.openConsent(origin, 4), {
          refreshToken: 'rotated',
          needsConsent: { reason: 'revoked', atMs: 2 },
          account: null,
          firstSeenAtMs: 1,
        })
        t.same(after.bans('app'), [{ endpoint: '/me/playlists', untilMs: 5_000 }])
        t.equal(after.holdsConnections('demo'), true)
      })
    } else {
      t.test('two stores in memory know nothing of each other', async (t) => {
        open(t).saveRefreshToken(origin, 'rotated', 1)
        t.same(open(t).openConsent(origin, 2), { ...unknown, firstSeenAtMs: 2 })
      })
    }
  })
}
