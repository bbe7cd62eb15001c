import t from 'tap'
import { allScopes } from '../../src/simulator/grants.ts'
import { makeLibrary } from '../../src/simulator/library.ts'
import { type Body, bodyOf, start } from './start.ts'

const library = () =>
  makeLibrary({ tracks: 137, albums: 23, playlists: 45, topTracks: 61, topArtists: 50 })
const lists = [
  { path: '/me/tracks', total: 137 },
  { path: '/me/albums', total: 23 },
  { path: '/me/playlists', total: 45 },
  { path: '/me/top/tracks', total: 61 },
  { path: '/me/top/artists', total: 50 },
]

t.test('every list is whole when it is walked page by page', async (t) => {
  const { body } = await start(t, { library: library() })
  for (const { path, total } of lists) {
    const items: Body['items'] = []
    let page: Body
    do {
      page = await body(`${path}?limit=10&offset=${items.length}`)
      t.match(page, { limit: 10, offset: items.length, total })
      items.push(...page.items)
    } while (page.next !== null)
    t.equal(items.length, total, path)
    t.equal(new Set(items.map((item) => JSON.stringify(item))).size, total, path)
  }
})

t.test('the links of a page are absolute, and those of playlists lead elsewhere', async (t) => {
  const { simulator, body } = await start(t, { library: library() })
  const { apiUrl } = simulator
  t.match(await body('/me/tracks?offset=30'), {
    href: `${apiUrl}/me/tracks?offset=30&limit=20`,
    next: `${apiUrl}/me/tracks?offset=50&limit=20`,
    previous: `${apiUrl}/me/tracks?offset=10&limit=20`,
  })
  t.match(await body('/me/top/tracks?limit=50&time_range=long_term'), {
    next: `${apiUrl}/me/top/tracks?offset=50&limit=50&time_range=long_term`,
    previous: null,
  })
  const { id } = simulator.library.me
  t.match(await body('/me/playlists?limit=40&offset=5'), {
    href: `${apiUrl}/users/${id}/playlists?offset=5&limit=40`,
    next: null,
    previous: `${apiUrl}/users/${id}/playlists?offset=0&limit=40`,
  })
})

t.test('a page behind the end is empty and still tells the total', async (t) => {
  const { body } = await start(t, { library: library() })
  t.match(await body('/me/tracks?offset=500'), { items: [], next: null, offset: 500, total: 137 })
})

t.test('a limit or an offset that Spotify does not know is refused', async (t) => {
  const { get } = await start(t)
  for (const path of [...lists.map(({ path }) => path), '/me/player/recently-played']) {
    for (const limit of ['0', '51', '-1', '1.5', 'ten', '']) {
      const answer = await get(`${path}?limit=${limit}`)
      t.equal(answer.status, 400, `${path} ${limit}`)
      t.same(await answer.json(), { error: { status: 400, message: 'Invalid limit' } })
    }
  }
  for (const path of ['/me/tracks?offset=-1', '/me/playlists?offset=100001']) {
    t.same(await bodyOf(get(path)), { error: { status: 400, message: 'Invalid offset' } })
  }
  t.equal((await get('/me/playlists?offset=100000')).status, 200)
  t.equal((await get('/me/top/tracks?time_range=forever')).status, 400)
  t.equal((await get('/me/following')).status, 400)
  t.equal((await get('/me/following?type=user')).status, 400)
})

t.test('each time range has its own top list; the default is the medium one', async (t) => {
  const { body } = await start(t)
  const pages = await Promise.all(
    ['?time_range=short_term', '?time_range=medium_term', '?time_range=long_term', ''].map(
      async (query) => (await body(`/me/top/artists${query}`)).items.map(({ id }) => id),
    ),
  )
  t.notSame(pages[0], pages[1])
  t.notSame(pages[1], pages[2])
  t.same(pages[1], pages[3])
})

t.test('what a test changes in the library is what the next answer shows', async (t) => {
  const { simulator, body } = await start(t, { library: library() })
  simulator.library.tracks.splice(0, 5)
  t.equal((await body('/me/tracks')).total, 132)
  simulator.library = makeLibrary({ tracks: 0 })
  t.match(await body('/me/tracks'), { items: [], total: 0, next: null })
})

t.test('a missing scope is refused where it is needed', async (t) => {
  const needed = {
    '/me': 'user-read-private',
    '/me/tracks': 'user-library-read',
    '/me/albums': 'user-library-read',
    '/me/following?type=artist': 'user-follow-read',
    '/me/top/tracks': 'user-top-read',
    '/me/top/artists': 'user-top-read',
    '/me/player/recently-played': 'user-read-recently-played',
  }
  for (const [path, scope] of Object.entries(needed)) {
    const { get } = await start(t, { scopes: allScopes.filter((other) => other !== scope) })
    const answer = await get(path)
    t.equal(answer.status, 403, path)
    t.same(await answer.json(), { error: { status: 403, message: 'Insufficient client scope' } })
    const { get: getWithOne } = await start(t, { scopes: [scope] })
    t.equal((await getWithOne(path)).status, 200, path)
  }
})

t.test('a missing playlist scope gives fewer playlists and no error', async (t) => {
  for (const missing of ['playlist-read-private', 'playlist-read-collaborative']) {
    const scopes = allScopes.filter((scope) => scope !== missing)
    const { simulator, get } = await start(t, { scopes })
    const answer = await get('/me/playlists?limit=50')
    t.equal(answer.status, 200)
    const { items, total } = await bodyOf(answer)
    t.ok(Number(total) > 5 && Number(total) < simulator.library.playlists.length)
    t.equal(items.length, total)
    t.ok(items.every((item) => item.public === true && item.collaborative === false))
  }
})

t.test('a missing or wrong token is refused', async (t) => {
  const { get, token } = await start(t)
  const cases = [
    [{}, 401, 'No token provided'],
    [{ authorization: 'Bearer made-up' }, 401, 'Invalid access token'],
    [{ authorization: `Basic ${token}` }, 400, 'Only valid bearer authentication supported'],
  ] as const
  for (const [headers, status, message] of cases) {
    const answer = await get('/me', { headers })
    t.equal(answer.status, status)
    t.same(await answer.json(), { error: { status, message } })
  }
  t.equal((await get('/me', { headers: { authorization: `bearer ${token}` } })).status, 200)
})

t.test('paths that do not exist and other methods are refused in JSON', async (t) => {
  const { simulator, get, token } = await start(t)
  const message = async (path: string) => (await bodyOf(get(path))).error
  t.same(await message('/nothing'), { status: 404, message: 'Service not found' })
  t.same(await message('/constructor'), { status: 404, message: 'Service not found' })
  t.same(await message('/me/nothing'), { status: 404, message: 'Resource not found' })
  t.same(await message('/tracks/4uLU6hMCjMI75M1A2tKUQC'), {
    status: 404,
    message: 'Resource not found',
  })
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE']) {
    const answer = await get('/me/tracks', {
      method,
      headers: { authorization: `Bearer ${token}` },
    })
    t.equal(answer.status, 405, method)
    t.same(await answer.json(), { error: { status: 405, message: 'Method not allowed' } })
  }
  const head = await get('/me/tracks', {
    method: 'HEAD',
    headers: { authorization: `Bearer ${token}` },
  })
  t.equal(head.status, 200)
  t.equal(await head.text(), '')
  t.equal((await fetch(new URL('/elsewhere', simulator.apiUrl))).status, 404)
})

t.test('the endpoint that playlists point at is gone in development mode', async (t) => {
  const { simulator, get, body } = await start(t, { library: library() })
  const path = `/users/${simulator.library.me.id}/playlists?limit=50`
  const answer = await get(path)
  t.equal(answer.status, 403)
  t.same(await answer.json(), { error: { status: 403, message: 'Forbidden' } })
  simulator.library.mode = 'extended'
  t.same(await body(path), await body('/me/playlists?limit=50'))
  t.equal((await get('/users/somebody/playlists')).status, 404)
})
