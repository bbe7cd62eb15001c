import t from 'tap'
import { keyOf, withKey } from '../../src/tables/objects.ts'

const local = 'spotify:local:Some+Artist:Some+Album:%5B%E2%96%A0:213'

t.test('the key of an object is its id', async (t) => {
  t.equal(keyOf({ id: '3n3Ppam7vgaVa1iaRUc9Lp', uri: local }), '3n3Ppam7vgaVa1iaRUc9Lp')
})

t.test('the key of an object without an id is its uri', async (t) => {
  for (const id of [null, undefined, '', 7, {}]) t.equal(keyOf({ id, uri: local }), local)
  t.equal(keyOf({ uri: local }), local)
  t.equal(keyOf({ uri: 'spotify:local:::Title:213' }), 'spotify:local:::Title:213')
  const long = `spotify:local:${'%5B'.repeat(130)}:::1`
  t.equal(keyOf({ uri: long }), long)
})

t.test('a uri that names nothing is no key', async (t) => {
  const uris = ['spotify:track:null', 'spotify:album:null', 'spotify:track:', 'spotify:track']
  const others = [
    'spotify:local::::',
    '',
    'spotify:',
    'https://open.spotify.com/track/1',
    ' spotify:track:1',
  ]
  for (const uri of [...uris, ...others, null, undefined, 7, {}]) {
    t.equal(keyOf({ id: null, uri }), null, String(uri))
  }
})

t.test('what is no object, or an empty one, has no key', async (t) => {
  for (const value of [null, undefined, 'spotify:track:1', 7, true, [], {}])
    t.equal(keyOf(value), null)
})

t.test('a key is well-formed, from an id as from a uri', async (t) => {
  t.equal(keyOf({ id: 'a\ud83d' }), 'a\ufffd')
  t.equal(keyOf({ uri: 'spotify:local:\udc00:::1' }), 'spotify:local:\ufffd:::1')
  t.equal(keyOf({ id: 'a\u{1f600}' }), 'a\u{1f600}')
})

t.test('an object without an id is copied and gets its key as id', async (t) => {
  const track = Object.freeze({ id: null, uri: local, album: Object.freeze({ id: null }) })
  const keyed = withKey(track)
  t.strictSame(keyed, { id: local, uri: local, album: { id: null } })
  t.equal((keyed as typeof track).album, track.album, 'the copy is shallow')
  t.equal(track.id, null, 'the original is not changed')
  t.strictSame(withKey({ uri: local }), { uri: local, id: local })
})

t.test('an object that has an id, or no key at all, is given back itself', async (t) => {
  const objects = [
    { id: 'a', uri: local },
    { id: null, uri: 'spotify:track:null' },
    {},
    [],
    null,
    'a',
  ]
  for (const object of objects) t.equal(withKey(object), object)
})
