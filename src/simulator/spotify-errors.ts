import { gzipSync } from 'node:zlib'
import type { Fault } from './faults.ts'

type Status = Extract<Fault, { kind: 'status' }>

const rateLimitBody = { error: { status: 429, message: 'API rate limit exceeded' } }

/** The bodies that a 429 has been seen with. `text` is 17 bytes. */
const tooManyRequestsBodies = {
  json: { body: rateLimitBody },
  text: { body: 'Too many requests' },
  quota: {
    body: { error: { status: 429, message: 'Too many requests', reason: 'QUOTA_EXCEEDED' } },
  },
  empty: { body: '' },
  gzip: {
    body: gzipSync(JSON.stringify(rateLimitBody)),
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  },
} satisfies Record<string, Partial<Status>>

/** The wordings of the 401s. */
export const unauthorizedWordings = [
  'The access token expired',
  'Invalid access token',
  'Access token missing',
  'No token provided',
]

/** The 403s: about the token's scope, about the app, about its owner, about the country. */
const forbiddenBodies = {
  scope: jsonError(403, 'Insufficient client scope'),
  removed: jsonError(403, 'Forbidden'),
  country: jsonError(403, 'Spotify is unavailable in this country'),
  'not-registered': { body: 'User not registered in the Developer Dashboard' },
  'check-settings': {
    body: 'Check settings on developer.spotify.com/dashboard, the user may not be registered.',
  },
  'not-approved': { body: 'User not approved for app' },
  premium: {
    body: 'Active premium subscription required for the owner of the app. Once the owner has a Premium subscription it can take a few hours before requests are accepted again.',
  },
} satisfies Record<string, Partial<Status>>

/** A body that a 429 can have. */
export type TooManyRequestsBody = keyof typeof tooManyRequestsBodies

/** A 403 that Spotify answers. */
export type Forbidden = keyof typeof forbiddenBodies

/**
 * A 429. `retryAfter` is the header's value as it is sent, an array as many headers; absent, there
 * is none.
 */
export function tooManyRequests(
  retryAfter?: number | string | string[],
  body: TooManyRequestsBody = 'json',
): Status {
  const form: Partial<Status> = tooManyRequestsBodies[body]
  const value = typeof retryAfter === 'number' ? String(retryAfter) : retryAfter
  const headers = { ...form.headers, ...(value === undefined ? {} : { 'retry-after': value }) }
  return { kind: 'status', status: 429, ...form, headers }
}

/** Every kind of `Retry-After` that has been seen, for `tooManyRequests`, by what it is. */
export function everyRetryAfter(nowMs: number) {
  return {
    seconds: 7,
    hours: 48_925,
    zero: 0,
    negative: -5,
    none: undefined,
    date: new Date(nowMs + 90_000).toUTCString(),
    'past date': new Date(nowMs - 90_000).toUTCString(),
    fraction: '1.5',
    'two headers': ['3', '120'],
    'two in one header': '3, 120',
    rubbish: 'soon',
  } satisfies Record<string, number | string | string[] | undefined>
}

/** A 429 of the rolling day's quota; 48,925 s is one that was seen. */
export function quotaExceeded(retryAfter: number | string | undefined = 48_925): Status {
  return tooManyRequests(retryAfter, 'quota')
}

/** A 500, 502, 503 or 504 in one of the forms that Spotify's and its proxies' have. */
export function serverError(status = 503, form: 'json' | 'html' | 'text' = 'json'): Status {
  if (form === 'json') return { kind: 'status', status, ...jsonError(status, 'Server error.') }
  if (form === 'text') return { kind: 'status', status, body: 'upstream connect error' }
  return {
    kind: 'status',
    status,
    body: `<html><head><title>${status}</title></head><body><h1>Service error</h1></body></html>`,
    headers: { 'content-type': 'text/html' },
  }
}

/** The 404 that comes at random for good requests. */
export function notFound(): Status {
  return { kind: 'status', status: 404, ...jsonError(404, 'Resource not found') }
}

/** A 401, in one of `unauthorizedWordings` or another. */
export function unauthorized(message = 'The access token expired'): Status {
  return { kind: 'status', status: 401, ...jsonError(401, message) }
}

/** A 403. */
export function forbidden(reason: Forbidden): Status {
  return { kind: 'status', status: 403, ...forbiddenBodies[reason] }
}

/** A 400 of the token endpoint, such as `invalid_grant` with `Refresh token expired`. */
export function tokenError(error: string, error_description: string): Status {
  return { kind: 'status', status: 400, body: { error, error_description } }
}

function jsonError(status: number, message: string) {
  return { body: { error: { status, message } } }
}
