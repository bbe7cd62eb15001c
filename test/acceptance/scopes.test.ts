import t from 'tap'
import { allScopes } from '../../src/simulator/grants.ts'
import { build } from '../helpers/build.ts'

// Spotify answers 200 with a part of the playlists where one of these is missing.
for (const missing of ['playlist-read-collaborative', 'playlist-read-private']) {
  t.test(`without ${missing} no playlists are read, for they would be a part`, async (t) => {
    const scopes = allScopes.filter((scope) => scope !== missing)
    const { get, simulator } = await build(t, { simulator: { scopes } })
    const { status, body } = await get('/tables/playlists/read')
    t.equal(status, 403)
    t.match(body, {
      code: 'insufficient-scope',
      retryable: false,
      detail: new RegExp(missing),
      missing_scopes: [missing],
    })
    t.notOk('records' in body)
    t.equal(simulator.stats.api, 0)

    for (const { name } of (await get('/tables')).body.tables) {
      if (name === 'playlists') continue
      const other = await get(`/tables/${name}/read`)
      t.equal(other.status, 200, `${name} is read on`)
      t.ok(other.body.records.length > 0)
    }
  })
}

t.test('a token answer that names no scopes proves nothing: all is read', async (t) => {
  const { get, simulator } = await build(t, { simulator: { scopes: null } })
  const { status, body } = await get('/tables/playlists/read')
  t.equal(status, 200)
  const items = simulator.library.playlists.filter((item) => item !== null)
  t.equal(body.records.length, items.length)
})
