import type { Account } from './account.ts'
import { type Answer, formOf, html, type SimulatedRequest, text } from './answer.ts'
import type { Codes } from './codes.ts'
import { consentPage, contentSecurityPolicy } from './consent-page.ts'
import { allScopes } from './grants.ts'

type Parts = { accounts: readonly Account[]; codes: Codes; clientId: string }
type Query = SimulatedRequest['query']

/** Spotify's scopes that none of the simulated endpoints asks for. */
const otherScopes = [
  'app-remote-control',
  'playlist-modify-private',
  'playlist-modify-public',
  'streaming',
  'ugc-image-upload',
  'user-follow-modify',
  'user-library-modify',
  'user-modify-playback-state',
  'user-read-currently-playing',
  'user-read-playback-position',
  'user-read-playback-state',
]
const knownScopes = new Set([...allScopes, ...otherScopes])

/**
 * `GET /authorize` shows the consent page, whether or not there is a `show_dialog`, for nobody is
 * signed in here; `POST` to the same address is what its buttons do. What can't be trusted to go
 * back to the app is told to the person, everything else to the redirect URI.
 * Sources: Spotify's "Authorization Code with PKCE Flow" and "Redirect URIs"; RFC 6749 §4.1.1 and
 * §4.1.2.1, RFC 7636 §4.3 and §4.4.1.
 */
export function answerAuthorize(request: SimulatedRequest, nowMs: number, parts: Parts): Answer {
  const { method, query } = request
  if (!['GET', 'HEAD', 'POST'].includes(method)) {
    return text(405, 'Method Not Allowed', { allow: 'GET, HEAD, POST' })
  }
  const refusal = refusalOf(query, parts.clientId)
  if (refusal !== null) return text(400, refusal)
  const failure = failureOf(query)
  if (failure) return backToApp(query, failure)
  const asked = scopesOf(query)
  if (method !== 'POST') {
    const page = consentPage({ clientId: parts.clientId, scopes: asked, accounts: parts.accounts })
    const headers = {
      'cache-control': 'no-store',
      'content-security-policy': contentSecurityPolicy,
    }
    return html(200, page, headers)
  }

  const form = formOf(request)
  const decision = form.get('decision')
  if (decision === 'cancel') return backToApp(query, { error: 'access_denied' })
  const account = parts.accounts.find(({ number }) => String(number) === form.get('account'))
  if (decision !== 'agree' || !account) return text(400, 'The form needs a decision and an account')
  const code = parts.codes.issue({
    account,
    scopes: asked.filter((scope) => form.getAll('scope').includes(scope)),
    redirectUri: query.redirect_uri ?? '',
    codeChallenge: query.code_challenge ?? null,
    consentedAtMs: nowMs,
  })
  return backToApp(query, { code })
}

/** What the person is told in plain text, for the redirect URI may be somebody else's. */
function refusalOf({ client_id, redirect_uri }: Query, clientId: string): string | null {
  if (!client_id) return 'Missing required parameter: client_id'
  if (client_id !== clientId) return 'INVALID_CLIENT: Invalid client'
  if (!redirect_uri) return 'Missing required parameter: redirect_uri'
  if (!URL.canParse(redirect_uri)) return 'INVALID_CLIENT: Invalid redirect URI'
  const { protocol, hostname, hash } = new URL(redirect_uri)
  // Apps on phones may have schemes of their own, which no simulated app has.
  if (!/^https?:$/.test(protocol) || hash !== '') return 'INVALID_CLIENT: Invalid redirect URI'
  const isLoopback = hostname === '127.0.0.1' || hostname === '[::1]'
  if (hostname === 'localhost' || (protocol === 'http:' && !isLoopback)) {
    return 'INVALID_CLIENT: Insecure redirect URI'
  }
  return null
}

/** What the app is told, in OAuth's words. */
function failureOf(query: Query): Record<string, string> | null {
  const invalid = (error_description: string) => ({ error: 'invalid_request', error_description })
  const { response_type, code_challenge, code_challenge_method } = query
  if (!response_type) return invalid('response_type must be supplied')
  if (response_type !== 'code') {
    return {
      error: 'unsupported_response_type',
      error_description: 'response_type must be code',
    }
  }
  if (!scopesOf(query).every((scope) => knownScopes.has(scope))) return { error: 'invalid_scope' }
  if (code_challenge === undefined) {
    return code_challenge_method === undefined ? null : invalid('code_challenge must be supplied')
  }
  if (code_challenge_method !== 'S256') return invalid('code_challenge_method must be S256')
  return /^[\w-]{43}$/.test(code_challenge) ? null : invalid('code_challenge is not a SHA-256 hash')
}

function scopesOf({ scope = '' }: Query) {
  return [...new Set(scope.split(' ').filter((name) => name !== ''))]
}

function backToApp({ redirect_uri = '', state }: Query, parameters: Record<string, string>) {
  const location = new URL(redirect_uri)
  for (const [name, value] of Object.entries(parameters)) location.searchParams.set(name, value)
  if (state !== undefined) location.searchParams.set('state', state)
  return text(302, '', { location: location.href, 'cache-control': 'no-store' })
}
