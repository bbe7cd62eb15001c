import t from 'tap'
import {
  isCursor,
  readFollowing,
  readPage,
  readPlays,
  readProfile,
} from '../../src/spotify/objects.ts'

const misshapen = { name: 'UpstreamFault', kind: 'error', message: /^it answered 200 with a body / }

t.test('a page is its items, its total and whether another follows', async (t) => {
  const items = [{ id: 'a' }, null]
  t.same(readPage({ items, total: 7, next: 'https://elsewhere.example/v1/gone', limit: 50 }), {
    items,
    total: 7,
    hasNext: true,
  })
  for (const next of [null, '', undefined, 0, {}]) {
    t.equal(readPage({ items: [], total: 0, next }).hasNext, false)
  }
})

t.test('a body that is no page is refused', async (t) => {
  for (const body of [null, undefined, 'OK', 7, true, [], {}, { items: null, total: 0 }]) {
    t.throws(() => readPage(body), misshapen, JSON.stringify(body))
    t.throws(() => readPlays(body), misshapen, JSON.stringify(body))
  }
  t.throws(() => readPage({ items: { 0: 'a' }, total: 1 }), misshapen)
})

t.test('a total that is no count is refused', async (t) => {
  for (const total of [undefined, null, '7', -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 53]) {
    t.throws(() => readPage({ items: [], total, next: null }), misshapen, String(total))
  }
})

t.test('followed artists lie under `artists`, with the cursor of the next page', async (t) => {
  const items = [{ id: 'a' }]
  const page = { items, total: 2, next: 'https://api.spotify.com/v1/me/following?after=a' }
  t.same(readFollowing({ artists: { ...page, cursors: { after: 'a' } } }), {
    items,
    after: 'a',
    total: 2,
  })
})

t.test('the end of the followed artists is where no cursor leads on', async (t) => {
  for (const cursors of [{ after: null }, {}, null, undefined]) {
    t.same(readFollowing({ artists: { items: [], next: null, cursors } }), {
      items: [],
      after: null,
      total: null,
    })
  }
})

t.test('followed artists of another shape are refused', async (t) => {
  const good = { items: [], next: null, cursors: { after: null } }
  const bodies = [null, [], 'OK', {}, good, { artists: null }, { artists: [] }, { artists: {} }]
  for (const body of bodies) t.throws(() => readFollowing(body), misshapen, JSON.stringify(body))
  for (const after of ['', 'a b', 'ü', 'a\n', 7, {}, 'a'.repeat(201)]) {
    t.throws(() => readFollowing({ artists: { ...good, cursors: { after } } }), misshapen)
  }
  t.throws(
    () => readFollowing({ artists: { ...good, next: 'https://api.spotify.com' } }),
    misshapen,
  )
})

t.test('plays need no total and no cursors', async (t) => {
  const items = [{ played_at: '2026-11-20T12:00:00Z' }]
  t.same(readPlays({ items, next: null, cursors: null }), { items, hasNext: false })
  t.same(readPlays({ items, next: 'https://api.spotify.com/v1/x' }), { items, hasNext: true })
})

t.test('a profile is given as it is, but not without an id', async (t) => {
  const profile = { id: 'anna', display_name: null }
  t.equal(readProfile(profile), profile)
  for (const body of [null, [], 'anna', {}, { id: null }, { id: '' }, { id: 7 }]) {
    t.throws(() => readProfile(body), misshapen, JSON.stringify(body))
  }
})

t.test('a cursor is printable ASCII, up to 200 characters', async (t) => {
  for (const value of ['0', '0aV6DOiouImYTqrR5YlIqx', '!~', 'a'.repeat(200)]) {
    t.equal(isCursor(value), true)
  }
  for (const value of ['', ' ', 'a b', 'a\n', '\u007f', 'é', 'a'.repeat(201), 7, null, undefined]) {
    t.equal(isCursor(value), false, JSON.stringify(value))
  }
})
