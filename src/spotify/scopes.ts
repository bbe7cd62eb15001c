import { ConnectorError } from '../errors.ts'

/** The scopes that reading every table needs. Source: Web API, "Scopes". */
export const allScopes = [
  'playlist-read-collaborative',
  'playlist-read-private',
  'user-follow-read',
  'user-library-read',
  'user-read-email',
  'user-read-private',
  'user-read-recently-played',
  'user-top-read',
] as const

/**
 * Throws `insufficient-scope` when the token is known to lack one of `needed`: without one of its
 * two scopes `/me/playlists` answers 200 with a part of the list, so nobody else would notice.
 * `granted` is null where the token answer named no scopes, which proves nothing.
 */
export function requireScopes(needed: readonly string[], granted: readonly string[] | null): void {
  const missing = granted === null ? [] : needed.filter((scope) => !granted.includes(scope))
  if (missing.length === 0) return
  throw new ConnectorError(
    'insufficient-scope',
    `The consent lacks ${missing.length === 1 ? 'a scope' : 'scopes'} that this table needs: ${missing.join(', ')}. Nothing was read, because a part of the table would look like the whole. Authorise the app again with all scopes (${allScopes.join(' ')}).`,
    { members: { scopes: needed, missing_scopes: missing } },
  )
}
