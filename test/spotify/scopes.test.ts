import t from 'tap'
import { allScopes, requireScopes } from '../../src/spotify/scopes.ts'

const needed = ['playlist-read-private', 'playlist-read-collaborative']

t.test('granted scopes let through, whatever else is granted', async (t) => {
  t.doesNotThrow(() => requireScopes(needed, [...allScopes]))
  t.doesNotThrow(() => requireScopes(needed, ['more', ...needed]))
  t.doesNotThrow(() => requireScopes([], []))
})

t.test('a missing scope is named, and so are all that the table needs', async (t) => {
  t.throws(() => requireScopes(needed, ['playlist-read-private']), {
    name: 'ConnectorError',
    code: 'insufficient-scope',
    retryable: false,
    message: /lacks a scope that this table needs: playlist-read-collaborative\./,
    members: { scopes: needed, missing_scopes: ['playlist-read-collaborative'] },
  })
  t.throws(() => requireScopes(needed, []), {
    message: /lacks scopes .*: playlist-read-private, playlist-read-collaborative\./,
    members: { missing_scopes: needed },
  })
})

t.test('scopes that were not told prove nothing', async (t) => {
  t.doesNotThrow(() => requireScopes(needed, null))
})

t.test('a scope that only begins like a needed one is another', async (t) => {
  t.throws(() => requireScopes(['user-read'], ['user-read-private']), {
    code: 'insufficient-scope',
  })
})
