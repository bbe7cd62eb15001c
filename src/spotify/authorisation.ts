import { createHash } from 'node:crypto'
import { allScopes } from './scopes.ts'

const connectionName = /^[a-z0-9][a-z0-9_-]{0,63}$/

/** What `isConnectionName` takes, in words. */
export const connectionNames =
  '1 to 64 lower-case letters, digits, "-" and "_", the first a letter or a digit'

/** Whether a connection may be called so. */
export function isConnectionName(name: string): boolean {
  return connectionName.test(name)
}

/** What the browser is sent to Spotify with. */
export type Authorisation = {
  accountsUrl: string
  clientId: string
  redirectUri: string
  state: string
  /** The PKCE verifier, which only the exchange of the code tells. */
  verifier: string
}

/**
 * Spotify's consent page, asked for all scopes. It is always shown: without that, who has agreed
 * before is sent back at once, as whatever account the browser happens to be signed in to.
 * Sources: Web API, "Authorization Code Flow"; RFC 7636, section 4.3.
 */
export function authorisationUrl({
  accountsUrl,
  clientId,
  redirectUri,
  state,
  verifier,
}: Authorisation): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: allScopes.join(' '),
    state,
    code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    show_dialog: 'true',
  })
  return `${accountsUrl}/authorize?${query}`
}
