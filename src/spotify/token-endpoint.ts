import { ConnectorError } from '../errors.ts'
import { isObject } from '../json.ts'
import { explain, limited, parseJson } from './answer.ts'
import { UpstreamFault } from './fault.ts'
import type { Answer, Transport } from './transport.ts'

/** The endpoint's name in the rate gate, in messages and in `/health`. */
export const tokenEndpoint = '/api/token'

/** The app's id and secret, and the refresh token to exchange. */
export type RefreshRequest = { clientId: string; clientSecret: string; refreshToken: string }

/** What a consent is exchanged by: its code, where it came to, and the PKCE verifier. */
export type CodeRequest = {
  clientId: string
  clientSecret: string
  code: string
  redirectUri: string
  verifier: string
}

/** What a refresh brought. `scopes` is null where the answer named none, which proves nothing. */
export type Refreshed = {
  accessToken: string
  expiresInS: number
  scopes: readonly string[] | null
  /** The token that takes the place of the old one; null: the old one stays. */
  refreshToken: string | null
}

/** The refresh token is refused for good; `reason` is Spotify's own text. */
export type Refused = { refused: 'invalid_grant'; reason: string }

/** The accounts service limits us. */
export type Limited = { retryAfterMs: number | null }

/**
 * Sends one refresh. Throws UpstreamFault, or the signal's reason.
 * Source: Web API, "Refreshing tokens"; RFC 6749, sections 2.3.1 and 6.
 */
export function sendRefresh(
  transport: Transport,
  accountsUrl: string,
  { refreshToken, ...app }: RefreshRequest,
): Promise<Answer> {
  return send(transport, accountsUrl, app, {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
  })
}

/**
 * Sends the code of a consent. Throws UpstreamFault, or the signal's reason.
 * Source: Web API, "Authorization Code Flow"; RFC 6749, section 4.1.3; RFC 7636, section 4.5.
 */
export function sendCode(
  transport: Transport,
  accountsUrl: string,
  { code, redirectUri, verifier, ...app }: CodeRequest,
): Promise<Answer> {
  return send(transport, accountsUrl, app, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  })
}

function send(
  transport: Transport,
  accountsUrl: string,
  { clientId, clientSecret }: Pick<RefreshRequest, 'clientId' | 'clientSecret'>,
  form: Record<string, string>,
): Promise<Answer> {
  return transport.send({
    method: 'POST',
    url: `${accountsUrl}${tokenEndpoint}`,
    headers: {
      authorization: basic(clientId, clientSecret),
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    body: new URLSearchParams(form).toString(),
  })
}

/**
 * Judges the answer to a refresh, or to a code. Throws UpstreamFault for what another attempt may mend,
 * ConnectorError `credentials-rejected` (`invalid_client`) or `upstream-error` for what it can't.
 * Source: RFC 6749, sections 5.1 and 5.2.
 */
export function judgeRefresh(answer: Answer, nowMs: number): Refreshed | Refused | Limited {
  const { status } = answer
  if (status === 200) return readToken(parseJson(answer))
  if (status === 429) return { retryAfterMs: limited(answer, nowMs).retryAfterMs }
  if (status >= 400 && status < 500 && status !== 404 && status !== 408) return refusal(answer)
  // What is no error's body may hold tokens that nobody knows yet.
  throw new UpstreamFault('error', `it answered ${status}${status < 400 ? '' : explain(answer)}`)
}

/** The `Authorization` header of the app. Spotify takes id and secret as they are. */
export function basic(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
}

function readToken(body: unknown): Refreshed {
  if (!isObject(body) || typeof body.access_token !== 'string' || body.access_token === '') {
    throw new UpstreamFault('error', 'it answered 200 without an access token')
  }
  const { access_token, expires_in, scope, refresh_token } = body
  return {
    accessToken: access_token as string,
    // RFC 6749 lets it be left out; Spotify's tokens last an hour.
    expiresInS: typeof expires_in === 'number' && expires_in > 0 ? expires_in : 3600,
    // An empty text is a statement too: nothing was granted.
    scopes: typeof scope === 'string' ? scope.split(/\s+/).filter(Boolean) : null,
    refreshToken: typeof refresh_token === 'string' && refresh_token !== '' ? refresh_token : null,
  }
}

function refusal(answer: Answer): Refused {
  const error = errorCode(answer.text)
  const said = explain(answer).trim() || `status ${answer.status}`
  if (error === 'invalid_grant') return { refused: 'invalid_grant', reason: said }
  if (error === 'invalid_client') {
    throw new ConnectorError(
      'credentials-rejected',
      `Spotify does not accept the app's client id and secret (${said}). Check SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET against the app's page in Spotify's developer dashboard, then restart.`,
    )
  }
  throw new ConnectorError(
    'upstream-error',
    `Spotify's accounts service refused to give an access token: ${answer.status} ${said}. Trying again will not help; please report it.`,
    { retryable: false },
  )
}

function errorCode(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text)
    return isObject(body) ? body.error : undefined
  } catch {
    return undefined // Not JSON: no OAuth error, and judged by its status.
  }
}
