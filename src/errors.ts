import { escapeCharacter } from './json.ts'

/**
 * Every kind of failure the service tells of, by its `code`. `retryable` means that the same
 * request may succeed later. How a code looks in HTTP (status, title) is decided in problems.ts.
 */
export const failures = {
  'table-not-found': { retryable: false },
  'connection-not-found': { retryable: false },
  'not-found': { retryable: false },
  'method-not-allowed': { retryable: false },
  'bad-request': { retryable: false },
  'invalid-option': { retryable: false },
  'invalid-offset': { retryable: false },
  unauthorized: { retryable: false },
  'host-not-allowed': { retryable: false },
  'reauthorisation-required': { retryable: false },
  'credentials-rejected': { retryable: false },
  'consent-failed': { retryable: false },
  'insufficient-scope': { retryable: false },
  'account-not-allowed': { retryable: false },
  'snapshot-changed': { retryable: false },
  'rate-limited': { retryable: true },
  'quota-exceeded': { retryable: true },
  'upstream-error': { retryable: true },
  'upstream-timeout': { retryable: true },
  overloaded: { retryable: true },
  'shutting-down': { retryable: true },
  internal: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>

/** The name of a kind of failure: the `code` of a problem document. */
export type FailureCode = keyof typeof failures

type Details = {
  /** Overrides the code's own: a 4xx of Spotify's is an `upstream-error` that no retry mends. */
  retryable?: boolean
  /** When it makes sense to come back, in whole seconds from now, at least 1. */
  retryAfterS?: number
  /** Further members of the problem document, in snake_case, for programs to read. */
  members?: Record<string, unknown>
  cause?: unknown
}

/**
 * A failure that a caller is told of. `message` is written for the person who reads it: what was
 * asked, what is wrong, what to do next. It never holds a secret.
 */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError'
  readonly code: FailureCode
  readonly retryable: boolean
  readonly retryAfterS: number | undefined
  readonly members: Record<string, unknown>

  constructor(code: FailureCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.retryable = details.retryable ?? failures[code].retryable
    this.retryAfterS = details.retryAfterS
    this.members = details.members ?? {}
  }
}

/** Bad configuration, found at start: `message` is one line that names the variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * What a caller sent, made safe to be told back: as JSON, at most 100 characters of it, control
 * characters escaped.
 */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(cut(value)) : cut(JSON.stringify(value))
  return text.replace(/[\u007f-\u009f\u2028\u2029]/g, escapeCharacter)
}

function cut(text = 'undefined'): string {
  return (text.length > 100 ? `${text.slice(0, 100)}…` : text).toWellFormed()
}
