import t from 'tap'
import { allScopes } from '../../src/simulator/grants.ts'
import { makeLibrary } from '../../src/simulator/library.ts'
import { type Body, start } from './start.ts'

type Fields = Record<string, unknown>

/** The first item of a list, and the object inside it. */
function insideOf(page: Body, name: string): Fields {
  return page.items[0]?.[name] as Fields
}

const gone = {
  user: ['country', 'email', 'explicit_content', 'followers', 'product'],
  track: ['available_markets', 'popularity'],
  album: ['available_markets', 'label', 'popularity'],
  artist: ['followers', 'popularity'],
}

t.test('in development mode fields are missing, in extended mode they are there', async (t) => {
  for (const mode of ['development', 'extended'] as const) {
    const { simulator, body } = await start(t, { library: makeLibrary({ albums: 2, mode }) })
    const has = (object: Fields | undefined, fields: string[], where: string) => {
      t.equal(typeof object, 'object', where)
      for (const field of fields)
        t.equal(field in (object ?? {}), mode === 'extended', `${where} ${field}`)
    }
    const me = await body('/me')
    has(me, gone.user, 'me')
    t.type(me.account_id, 'string')

    const saved = insideOf(await body('/me/tracks'), 'track')
    const played = insideOf(await body('/me/player/recently-played'), 'track')
    const [top] = (await body('/me/top/tracks')).items
    for (const track of [saved, played, top]) {
      has(track, gone.track, 'track')
      has(track?.album as Fields, ['available_markets'], 'its album')
      t.match(track, { preview_url: null, external_ids: {} })
    }
    const album = insideOf(await body('/me/albums'), 'album')
    has(album, gone.album, 'album')
    has((album.tracks as Body).items[0], ['available_markets'], 'track of an album')

    const [playlist] = (await body('/me/playlists')).items
    has(playlist, ['tracks'], 'playlist')
    t.match(playlist, { items: { total: Number } })

    has((await body('/me/following?type=artist')).artists.items[0], gone.artist, 'followed artist')
    has((await body('/me/top/artists')).items[0], gone.artist, 'top artist')
    t.ok('popularity' in (simulator.library.artists[0] ?? {}), 'the library itself keeps them')
  }
})

t.test('items that are null, and tracks that are, are sent as null', async (t) => {
  const { body } = await start(t)
  t.ok((await body('/me/albums?limit=50')).items.some((item) => item === null))
  t.ok((await body('/me/playlists?limit=50')).items.some((item) => item === null))
  t.ok((await body('/me/tracks?limit=50')).items.some((item) => item?.track === null))
})

t.test('the address of the owner is only for those who may see it', async (t) => {
  const library = makeLibrary({ mode: 'extended' })
  const scopes = allScopes.filter((scope) => scope !== 'user-read-email')
  t.equal((await (await start(t, { library })).body('/me')).email, library.me.email)
  t.notOk('email' in (await (await start(t, { library, scopes })).body('/me')))
})
