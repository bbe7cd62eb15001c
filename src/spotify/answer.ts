import { ConnectorError } from '../errors.ts'
import { isObject } from '../json.ts'
import { UpstreamFault } from './fault.ts'
import { parseRetryAfter } from './retry-after.ts'
import type { Answer } from './transport.ts'

// To look for tags in megabytes of "<" would take minutes.
const explainedLength = 10_000

/** What an answer of the Web API comes to, where it is not thrown. */
export type Verdict =
  | { kind: 'ok'; body: unknown }
  | { kind: 'limited'; quota: boolean; retryAfterMs: number | null }
  | { kind: 'unauthorised'; fault: UpstreamFault }

/**
 * Judges an answer by its status and, where that leaves it open, by its body. Throws
 * UpstreamFault for what another attempt may mend, ConnectorError for what it can't.
 * Sources: Web API, "Response Status Codes"; `endpoint` is what was asked for.
 */
export function judge(
  answer: Answer,
  endpoint: string,
  scopes: readonly string[],
  nowMs: number,
): Verdict {
  const { status } = answer
  if (status === 200) return { kind: 'ok', body: parseJson(answer) }
  if (status === 429) return limited(answer, nowMs)
  const said = `${status}${explain(answer)}`
  if (status === 401) {
    return {
      kind: 'unauthorised',
      fault: new UpstreamFault('error', `it answered ${said} to a fresh access token`),
    }
  }
  if (status === 403) throw forbidden(answer, endpoint, scopes)
  // Our paths are fixed and exist, so a 404 is a fault of the server, and passes.
  if (status >= 400 && status < 500 && status !== 404 && status !== 408) {
    throw new ConnectorError(
      'upstream-error',
      `Spotify refused the request for ${endpoint}: ${said}. Trying again will not help; please report it.`,
      { retryable: false },
    )
  }
  throw new UpstreamFault('error', `it answered ${said}`)
}

/** A 429's own words: whether it is the quota's, and how long it asks to wait. */
export function limited(answer: Answer, nowMs: number): Verdict & { kind: 'limited' } {
  return {
    kind: 'limited',
    quota: errorOf(answer)?.reason === 'QUOTA_EXCEEDED',
    retryAfterMs: parseRetryAfter(answer.headers['retry-after'], nowMs),
  }
}

/** The body as JSON. Throws UpstreamFault where it is none. */
export function parseJson(answer: Answer): unknown {
  try {
    return JSON.parse(answer.text)
  } catch (cause) {
    throw new UpstreamFault(
      'error',
      `it answered ${answer.status} with a body that is not JSON`,
      cause,
    )
  }
}

/** What the body says of an error, for people: ` "text"`, at most 200 characters, or nothing. */
export function explain(answer: Answer): string {
  const error = errorOf(answer)
  const text = error?.message ?? answer.text
  const line = text
    .slice(0, explainedLength)
    .replace(/<style.*?<\/style>|<script.*?<\/script>|<[^>]*>/gs, ' ')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  if (line === '') return ''
  return ` "${line.length > 200 ? `${line.slice(0, 200)}…` : line}"`.toWellFormed()
}

function errorOf({ text }: Answer): { message: string; reason?: unknown } | null {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return null // Spotify sends plain text and HTML too.
  }
  const error = isObject(body) ? body.error : undefined
  if (typeof error === 'string') {
    return {
      message:
        isObject(body) && typeof body.error_description === 'string'
          ? body.error_description
          : error,
    }
  }
  if (!isObject(error)) return null
  return { message: typeof error.message === 'string' ? error.message : '', reason: error.reason }
}

function forbidden(answer: Answer, endpoint: string, scopes: readonly string[]): ConnectorError {
  if (/insufficient client scope/i.test(answer.text)) {
    return new ConnectorError(
      'insufficient-scope',
      `Spotify refused ${endpoint}: the consent lacks a scope. Needed: ${scopes.join(', ')}. Authorise the app again with all scopes.`,
      { members: { scopes } },
    )
  }
  return new ConnectorError(
    'account-not-allowed',
    `Spotify refused ${endpoint} for this account:${explain(answer) || ' 403, without a reason'}. Check in Spotify's developer dashboard that the account is registered for the app, that the app's owner has Premium, and that the endpoint is open to the app.`,
  )
}
