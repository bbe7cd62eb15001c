import { createHash } from 'node:crypto'
import { type Answer, formOf, json, type SimulatedRequest, text } from './answer.ts'
import type { Codes } from './codes.ts'
import { consentEndsAtMs, type Grant, type Grants } from './grants.ts'

/** What the token endpoint knows of. */
export type TokenParts = {
  grants: Grants
  codes: Codes
  clientId: string
  clientSecret: string
  lifetimeS: number
  /** Whether a refresh brings a new refresh token and ends the old one. */
  rotate: boolean
}

/** Who asks: the app with its secret, or somebody who only names the app, as PKCE allows. */
type Client = 'confidential' | 'public'
type Asked = { form: URLSearchParams; client: Client; nowMs: number }

/** One way to come by a token: what `POST /api/token` does for a `grant_type`. */
type GrantType = (asked: Asked, parts: TokenParts) => Answer

const grantTypes: Record<string, GrantType> = {
  refresh_token: refresh,
  authorization_code: exchange,
}

/**
 * `POST /api/token`.
 * Sources: RFC 6749 §4.1.3, §5 and §6, RFC 7636 §4.6; Spotify's "Authorization Code with PKCE
 * Flow"; spotify/web-api#1503, #919, #1202, #267 and #676, spotify/web-api-examples#126 for
 * Spotify's wordings.
 */
export function answerToken(request: SimulatedRequest, nowMs: number, parts: TokenParts): Answer {
  if (request.method !== 'POST') return text(405, 'Method Not Allowed', { allow: 'POST' })
  const form = formOf(request)
  const name = form.get('grant_type')
  // Spotify looks at the grant type before it asks who the client is.
  if (!name) return failure('unsupported_grant_type', 'grant_type parameter is missing')
  const grantType = Object.hasOwn(grantTypes, name) ? grantTypes[name] : undefined
  if (!grantType) return failure('unsupported_grant_type', `grant_type ${name} is not supported`)
  const client = clientOf(request, form, parts)
  return client ? grantType({ form, client, nowMs }, parts) : invalidClient()
}

function refresh({ form, client, nowMs }: Asked, parts: TokenParts): Answer {
  const token = form.get('refresh_token')
  if (!token) return failure('invalid_request', 'refresh_token must be supplied')
  const grant = parts.grants.refreshable(token, nowMs)
  if (typeof grant === 'string') return failure('invalid_grant', grant)
  if (client === 'public' && !grant.isPublic) return invalidClient()

  const answer = accessToken(grant, parts, nowMs)
  // What was given out without a secret serves one refresh only.
  if (!parts.rotate && !grant.isPublic) return tokens(answer)
  parts.grants.endRefreshToken(token, 'Refresh token revoked')
  return tokens({ ...answer, refresh_token: parts.grants.issueRefreshToken(grant) })
}

function exchange({ form, client, nowMs }: Asked, parts: TokenParts): Answer {
  const code = form.get('code')
  const redirectUri = form.get('redirect_uri')
  if (!code) return failure('invalid_request', 'code must be supplied')
  if (!redirectUri) return failure('invalid_request', 'redirect_uri must be supplied')
  const consent = parts.codes.redeem(code, nowMs)
  if (typeof consent === 'string') return failure('invalid_grant', consent)
  if (redirectUri !== consent.redirectUri) return failure('invalid_grant', 'Invalid redirect URI')
  if (client === 'public' && consent.codeChallenge === null) return invalidClient()
  if (!isProof(form.get('code_verifier'), consent.codeChallenge)) {
    return failure('invalid_grant', 'code_verifier was incorrect')
  }

  const { account, scopes, consentedAtMs } = consent
  const endsAtMs = consentEndsAtMs(consentedAtMs)
  const grant: Grant = { account, scopes, endsAtMs, isPublic: client === 'public' }
  const answer = accessToken(grant, parts, nowMs)
  return tokens({ ...answer, refresh_token: parts.grants.issueRefreshToken(grant) })
}

/** RFC 7636 §4.6. A verifier without a challenge proves as little as a challenge without one. */
function isProof(verifier: string | null, challenge: string | null) {
  if (verifier === null || challenge === null) return verifier === challenge
  const hash = createHash('sha256').update(verifier).digest('base64url')
  return /^[\w.~-]{43,128}$/.test(verifier) && hash === challenge
}

function accessToken(grant: Grant, { grants, lifetimeS }: TokenParts, nowMs: number) {
  return {
    access_token: grants.issueAccessToken(grant, nowMs),
    token_type: 'Bearer',
    expires_in: lifetimeS,
    ...(grant.account.tellsScopes ? { scope: grant.scopes.join(' ') } : {}),
  }
}

function tokens(body: object) {
  return json(200, body, { 'cache-control': 'no-store' })
}

function clientOf(
  { headers }: SimulatedRequest,
  form: URLSearchParams,
  { clientId, clientSecret }: TokenParts,
): Client | null {
  if (!headers.authorization) return form.get('client_id') === clientId ? 'public' : null
  const [, encoded] = /^Basic +(\S+)$/i.exec(headers.authorization.toString()) ?? []
  if (encoded === undefined) return null
  const isClient = Buffer.from(encoded, 'base64').toString() === `${clientId}:${clientSecret}`
  return isClient ? 'confidential' : null
}

function invalidClient() {
  return failure('invalid_client', 'Invalid client')
}

function failure(error: string, error_description: string) {
  return json(400, { error, error_description })
}
