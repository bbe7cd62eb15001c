import { createHash } from 'node:crypto'
import type { Choice } from '../../src/simulator/choose.ts'
import { allScopes } from '../../src/simulator/grants.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'

/** Where the browser goes after consent. */
export const redirectUri = 'http://127.0.0.1:8888/callback'

/** For an address of `/authorize` without PKCE. */
export const noChallenge = { code_challenge: undefined, code_challenge_method: undefined }

type Query = Record<string, string | undefined>

/** An address of the consent page as an app makes it; undefined leaves a parameter out. */
export function authorizeUrl(simulator: Simulator, query: Query = {}, verifier = 'v'.repeat(43)) {
  const url = new URL(`${simulator.accountsUrl}/authorize`)
  const parameters: Query = {
    response_type: 'code',
    client_id: simulator.clientId,
    redirect_uri: redirectUri,
    scope: allScopes.join(' '),
    state: 'state+ &=',
    code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    ...query,
  }
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url
}

/** Consents, and gives the code and what proves who asked for it. */
export async function agree(
  simulator: Simulator,
  {
    query = {},
    verifier = 'v'.repeat(43),
    ...choice
  }: Choice & { query?: Query; verifier?: string } = {},
): Promise<{ code: string; verifier: string }> {
  const location = await simulator.authorise(authorizeUrl(simulator, query, verifier), choice)
  const code = new URL(location).searchParams.get('code')
  if (code === null) throw new Error(`no code in ${location}`)
  return { code, verifier }
}

/** Asks for the tokens of a code. `authorization` is the header; the rest changes the form. */
export function exchange(
  simulator: Simulator,
  { authorization, ...form }: Record<string, string>,
): Promise<Response> {
  const basic = Buffer.from(`${simulator.clientId}:${simulator.clientSecret}`).toString('base64')
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    redirect_uri: redirectUri,
    ...form,
  })
  for (const [name, value] of Object.entries(form)) if (value === '') body.delete(name)
  const headers = { authorization: authorization ?? `Basic ${basic}` }
  return fetch(`${simulator.accountsUrl}/api/token`, { method: 'POST', headers, body })
}
