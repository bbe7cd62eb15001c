import { type Answer, html, json, type SimulatedRequest, text } from './answer.ts'
import type { Grants } from './grants.ts'

type Parts = {
  grants: Grants
  clientId: string
  clientSecret: string
  /** The `scope` of the answer; null leaves it out. */
  scope: string | null
  lifetimeS: number
  /** Whether a refresh brings a new refresh token and ends the old one. */
  rotate: boolean
}

/** One way to come by a token: what `POST /api/token` does for a `grant_type`. */
type GrantType = (form: URLSearchParams, parts: Parts, nowMs: number) => Answer

const grantTypes: Record<string, GrantType> = { refresh_token: refresh }

/**
 * The accounts service: `POST /api/token`, and the page that people get for any other path.
 * Sources: RFC 6749 §5 and §6; spotify/web-api#1503, #919 and #1202 for Spotify's wordings.
 */
export function accountsService(parts: Parts) {
  return (request: SimulatedRequest, nowMs: number): Answer => {
    if (request.path !== '/api/token') return html(404, notFoundPage)
    if (request.method !== 'POST') return text(405, 'Method Not Allowed', { allow: 'POST' })

    const form = formOf(request)
    const name = form.get('grant_type')
    // Spotify looks at the grant type before it asks who the client is.
    if (!name) return failure('unsupported_grant_type', 'grant_type parameter is missing')
    const grantType = Object.hasOwn(grantTypes, name) ? grantTypes[name] : undefined
    if (!grantType) return failure('unsupported_grant_type', `grant_type ${name} is not supported`)
    if (!isClient(request, parts)) return failure('invalid_client', 'Invalid client')
    return grantType(form, parts, nowMs)
  }
}

function refresh(form: URLSearchParams, parts: Parts, nowMs: number): Answer {
  const token = form.get('refresh_token')
  if (!token) return failure('invalid_request', 'refresh_token must be supplied')
  const refusal = parts.grants.refusal(token)
  if (refusal !== null) return failure('invalid_grant', refusal)

  const answer = accessToken(parts, nowMs)
  if (!parts.rotate) return json(200, answer, { 'cache-control': 'no-store' })
  parts.grants.endRefreshToken('Refresh token revoked', token)
  const refresh_token = parts.grants.issueRefreshToken()
  return json(200, { ...answer, refresh_token }, { 'cache-control': 'no-store' })
}

function accessToken({ grants, lifetimeS, scope }: Parts, nowMs: number) {
  return {
    access_token: grants.issueAccessToken(nowMs),
    token_type: 'Bearer',
    expires_in: lifetimeS,
    ...(scope === null ? {} : { scope }),
  }
}

/** Only a form is read: anything else looks to Spotify as if it were empty. */
function formOf({ body, headers }: SimulatedRequest) {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(String(headers['content-type']))
  return new URLSearchParams(isForm ? body.toString() : '')
}

function isClient({ headers }: SimulatedRequest, { clientId, clientSecret }: Parts) {
  const [, encoded] = /^Basic +(\S+)$/i.exec(headers.authorization?.toString() ?? '') ?? []
  if (encoded === undefined) return false
  return Buffer.from(encoded, 'base64').toString() === `${clientId}:${clientSecret}`
}

function failure(error: string, error_description: string) {
  return json(400, { error, error_description })
}

const notFoundPage =
  '<!DOCTYPE html><html><head><title>Page not found - Spotify</title></head>' +
  '<body><h1>404</h1><p>We couldn’t find the page you were looking for.</p></body></html>'
