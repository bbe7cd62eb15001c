import t, { type Test } from 'tap'
import { openSession } from '../../src/spotify/session.ts'
import { json, tokenAnswer } from '../helpers/fake-transport.ts'
import { apiUrl, spotifyParts } from '../helpers/spotify.ts'

const { signal: wanted } = new AbortController()
const page = { items: ['a'], total: 1, next: null }

/** A session whose every request is answered with `body`, and what it has asked for. */
function session(t: Test, body: unknown, scopes: string[] = []) {
  const { client, wire, call } = spotifyParts(t)
  wire.token = () => tokenAnswer({ scope: 'user-top-read' })
  wire.api = () => json(200, body)
  const asked = () => wire.apiRequests.map(({ url }) => url.replace(apiUrl, ''))
  return { spotify: openSession(client, call({ scopes })), asked }
}

t.test('a list is asked for by position and size', async (t) => {
  const { spotify, asked } = session(t, page)
  t.same(await spotify.list('/me/tracks')(0, 50, wanted), {
    items: ['a'],
    total: 1,
    hasNext: false,
  })
  await spotify.list('/me/top/tracks', { time_range: 'short_term' })(49, 21, wanted)
  t.same(asked(), [
    '/me/tracks?limit=50&offset=0',
    '/me/top/tracks?time_range=short_term&limit=21&offset=49',
  ])
})

t.test('a page that nobody needs any more ends alone, the read ends them all', async (t) => {
  const { client, wire, call } = spotifyParts(t)
  wire.api = () => json(200, page)
  const read = new AbortController()
  const dropped = new AbortController()
  const getPage = openSession(client, call({ signal: read.signal })).list('/me/tracks')
  dropped.abort(new Error('not needed'))
  await t.rejects(getPage(0, 50, dropped.signal), { message: 'not needed' })
  t.match(await getPage(49, 50, wanted), { total: 1 })
  t.equal(wire.apiRequests.length, 1)
  read.abort(new Error('the reader went away'))
  await t.rejects(getPage(98, 50, wanted), { message: 'the reader went away' })
  t.equal(wire.apiRequests.length, 1)
})

t.test('followed artists are asked for by cursor', async (t) => {
  const { spotify, asked } = session(t, { artists: { ...page, cursors: { after: 'b' } } })
  t.same(await spotify.following(null, 50), { items: ['a'], after: 'b', total: 1 })
  await spotify.following('b', 20)
  t.same(asked(), [
    '/me/following?type=artist&limit=50',
    '/me/following?type=artist&limit=20&after=b',
  ])
})

t.test('plays are asked for from the newest, or before an instant', async (t) => {
  const { spotify, asked } = session(t, page)
  t.same(await spotify.plays(50, null), { items: ['a'], hasNext: false })
  await spotify.plays(50, 1_795_176_000_123)
  t.same(asked(), [
    '/me/player/recently-played?limit=50',
    '/me/player/recently-played?limit=50&before=1795176000123',
  ])
})

t.test('the profile is asked for without parameters', async (t) => {
  const { spotify, asked } = session(t, { id: 'anna' })
  t.same(await spotify.profile(), { id: 'anna' })
  t.same(asked(), ['/me'])
})

t.test('a body of another shape is an upstream-error', async (t) => {
  const { spotify } = session(t, { error: 'none' })
  const upstream = { code: 'upstream-error', retryable: true, message: /another shape/ }
  await t.rejects(spotify.list('/me/tracks')(0, 50, wanted), upstream)
  await t.rejects(spotify.following(null, 50), upstream)
  await t.rejects(spotify.plays(50, null), upstream)
  await t.rejects(spotify.profile(), upstream)
})

t.test('every request carries the scopes of its read', async (t) => {
  const { spotify, asked } = session(t, page, ['user-library-read'])
  const lacking = { code: 'insufficient-scope' }
  await t.rejects(spotify.list('/me/tracks')(0, 50, wanted), lacking)
  await t.rejects(spotify.following(null, 50), lacking)
  await t.rejects(spotify.plays(50, null), lacking)
  await t.rejects(spotify.profile(), lacking)
  t.same(asked(), [])
})
