import t from 'tap'
import type { Fault } from '../../src/simulator/faults.ts'
import { makeLibrary } from '../../src/simulator/library.ts'
import { bodyOf, refresh, start } from './start.ts'

const on = '/me/tracks'

/** What a page of three saved tracks is with a fault: its answer. */
async function spoilt(t: Parameters<typeof start>[0], fault: Fault) {
  const { simulator, get } = await start(t, { library: makeLibrary({ tracks: 3 }) })
  simulator.faults.add({ on, fault })
  return get('/me/tracks', {
    redirect: 'manual',
    headers: { authorization: `Bearer ${(await bodyOf(refresh(simulator))).access_token}` },
  })
}

t.test('a status, a body and headers can be given', async (t) => {
  const answer = await spoilt(t, {
    kind: 'status',
    status: 418,
    body: { error: 'teapot' },
    headers: { 'Retry-After': '1', 'x-a': ['1', '2'], 'Content-Type': 'application/problem+json' },
  })
  t.equal(answer.status, 418)
  t.equal(answer.headers.get('retry-after'), '1')
  t.equal(answer.headers.get('x-a'), '1, 2')
  t.equal(answer.headers.get('content-type'), 'application/problem+json')
  t.same(await answer.json(), { error: 'teapot' })

  const bytes = await spoilt(t, { kind: 'status', status: 200, body: Buffer.of(0xff, 0) })
  t.same(Buffer.from(await bytes.arrayBuffer()), Buffer.of(0xff, 0))
  t.equal(bytes.headers.get('content-type'), null)
  t.equal(await (await spoilt(t, { kind: 'status', status: 502 })).text(), '')
})

t.test('redirects lead elsewhere', async (t) => {
  const location = 'http://elsewhere.invalid/v1/me/tracks'
  const found = await spoilt(t, { kind: 'redirect', location })
  t.equal(found.status, 302)
  t.equal(found.headers.get('location'), location)
  t.equal((await spoilt(t, { kind: 'redirect', location, status: 301 })).status, 301)
})

t.test('malformed answers are 200 and no JSON', async (t) => {
  for (const form of [undefined, 'broken-json', 'html', 'empty'] as const) {
    const answer = await spoilt(t, form ? { kind: 'malformed', form } : { kind: 'malformed' })
    t.equal(answer.status, 200)
    t.match(answer.headers.get('content-type'), form === 'html' ? /^text\/html/ : /json/)
    const text = await answer.text()
    t.throws(() => JSON.parse(text))
    t.equal(text === '', form === 'empty')
  }
})

t.test('answers of a wrong shape are JSON', async (t) => {
  const shapes = { array: [], null: null, string: 'OK' }
  for (const [shape, expected] of Object.entries(shapes)) {
    const answer = await spoilt(t, { kind: 'wrong-shape', shape: shape as keyof typeof shapes })
    t.equal(answer.status, 200)
    t.same(await answer.json(), expected)
  }
  const body = await bodyOf(spoilt(t, { kind: 'wrong-shape', shape: 'no-items' }))
  t.notOk('items' in body)
  t.equal(body.total, 3)
})

t.test('an empty page is well-formed, in the form of each list', async (t) => {
  const { simulator, body } = await start(t)
  const fault: Fault = { kind: 'empty-page' }
  const empty = { items: [], limit: 50, next: null }
  const offsetList = { ...empty, total: 0, offset: 0, previous: null }
  simulator.faults.add({ on: () => true, times: 3, fault })
  t.match(await body('/me/tracks?offset=40&limit=20'), offsetList)
  const { artists, ...rest } = await body('/me/following?type=artist')
  t.same(rest, {})
  t.match(artists, { ...empty, total: 0, cursors: { after: null } })
  const plays = await body('/me/player/recently-played')
  t.match(plays, { ...empty, cursors: null })
  t.notOk('total' in plays)

  simulator.faults.add({ on: () => true, fault: { kind: 'empty-page', limit: 0 } })
  t.match(await body('/me/top/tracks?offset=150'), { ...offsetList, limit: 0 })
})

t.test('the server can page by less than it is asked to', async (t) => {
  const { simulator, body } = await start(t, { library: makeLibrary({ tracks: 45, artists: 5 }) })
  const times = Number.POSITIVE_INFINITY
  simulator.faults.add({ on, times, fault: { kind: 'page-size', size: 20 } })
  const page = await body('/me/tracks?limit=50')
  t.match(page, { limit: 20, total: 45, next: /[?&]offset=20&limit=20$/ })
  t.equal(page.items.length, 20)
  t.equal((await body('/me/tracks?limit=50&offset=40')).items.length, 5)
  t.equal((await body('/me/tracks?limit=10')).items.length, 10)
})

t.test('a total can lie, under artists too', async (t) => {
  const { simulator, body } = await start(t)
  simulator.faults.add({ on: () => true, times: 2, fault: { kind: 'total', total: 7 } })
  t.equal((await body('/me/tracks')).total, 7)
  t.equal((await body('/me/following?type=artist')).artists.total, 7)
})

t.test('an edit changes the answer, not the library, or gives another one', async (t) => {
  const { simulator, body } = await start(t, { library: makeLibrary({ mode: 'extended' }) })
  simulator.faults.add({
    on,
    fault: {
      kind: 'edit',
      edit: (page) => Object.assign(page.items?.[0] ?? {}, { track: 'x' }) && undefined,
    },
  })
  t.equal((await body('/me/tracks')).items[0]?.track, 'x')
  t.type(simulator.library.tracks[0]?.track, 'object')
  simulator.faults.add({ on, fault: { kind: 'edit', edit: () => 7 } })
  t.equal(await body('/me/tracks'), 7)

  const edit = (answer: Record<string, unknown>) => ({ ...answer, refresh_token: '' })
  simulator.faults.add({ on: '/api/token', fault: { kind: 'edit', edit } })
  t.match(await bodyOf(refresh(simulator)), { access_token: String, refresh_token: '' })
})

t.test('what is refused anyway is not edited', async (t) => {
  const { simulator, get } = await start(t)
  simulator.faults.add({ on, fault: { kind: 'total', total: 7 } })
  const answer = await get('/me/tracks?limit=99')
  t.same(await answer.json(), { error: { status: 400, message: 'Invalid limit' } })
})

t.test('gzip comes unasked, whole or broken', async (t) => {
  const whole = await spoilt(t, { kind: 'gzip' })
  t.equal(whole.headers.get('content-encoding'), 'gzip')
  t.equal((await bodyOf(whole)).total, 3)
  const broken = await spoilt(t, { kind: 'gzip', broken: true })
  t.equal(broken.status, 200)
  await t.rejects(broken.text())
})

t.test('a test’s own mistake in an edit is said in the answer', async (t) => {
  const answer = await spoilt(t, {
    kind: 'edit',
    edit: () => {
      throw new Error('no such item')
    },
  })
  t.equal(answer.status, 500)
  t.match(await answer.text(), /no such item/)
})
