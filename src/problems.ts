import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { ConnectorError, type FailureCode, failures, quote } from './errors.ts'
import { note, pathOf } from './request-log.ts'
import type { Secrets } from './secrets.ts'

/** The media type of every problem document. */
export const problemType = 'application/problem+json; charset=utf-8'

/** How each kind of failure looks in HTTP: its status and its title, which never change. */
export const kinds: Record<FailureCode, { status: number; title: string }> = {
  'table-not-found': { status: 404, title: 'There is no such table' },
  'connection-not-found': { status: 404, title: 'There is no such connection' },
  'not-found': { status: 404, title: 'There is nothing at this address' },
  'method-not-allowed': { status: 405, title: 'This address does not take that method' },
  'bad-request': { status: 400, title: 'The request could not be read' },
  'invalid-option': { status: 400, title: 'A parameter is not allowed as given' },
  'invalid-offset': { status: 400, title: 'The offset is not one of this table and read' },
  unauthorized: { status: 401, title: 'An access key is needed' },
  'host-not-allowed': { status: 403, title: 'The Host header names another host' },
  'reauthorisation-required': { status: 424, title: "The account's owner has to consent again" },
  'credentials-rejected': { status: 424, title: "Spotify does not accept the app's credentials" },
  'consent-failed': { status: 400, title: 'The consent did not count' },
  'insufficient-scope': { status: 403, title: 'The consent lacks a scope' },
  'account-not-allowed': { status: 403, title: 'Spotify refuses this account or app' },
  'snapshot-changed': { status: 409, title: 'The list changed too much while it was read' },
  'rate-limited': { status: 429, title: 'Spotify limits the requests of this app' },
  'quota-exceeded': { status: 429, title: "The app's quota at Spotify is used up" },
  'upstream-error': { status: 502, title: 'Spotify did not answer as it should' },
  'upstream-timeout': { status: 504, title: 'Spotify did not answer in time' },
  overloaded: { status: 503, title: 'The service has too much to do' },
  'shutting-down': { status: 503, title: 'The service is shutting down' },
  internal: { status: 500, title: 'A fault of this service' },
}

/** A problem document. Source: RFC 9457; further members by code. */
export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: FailureCode
  retryable: boolean
  request_id: string
  [member: string]: unknown
}

/** The OpenAPI schema of every problem document. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: '`urn:lakeflow-spotify:` and the code.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What was asked, what is wrong, what to do next.' }),
    instance: Type.String({ description: 'The path that was asked for.' }),
    code: Type.Unsafe<FailureCode>({ type: 'string', enum: Object.keys(failures) }),
    retryable: Type.Boolean({ description: 'The same request may succeed later.' }),
    request_id: Type.String(),
  },
  { $id: 'Problem', additionalProperties: true, description: 'A failure (RFC 9457).' },
)

/** The OpenAPI answers for the codes that a route can give, by status. */
export function problemResponses(...codes: FailureCode[]): Record<number, object> {
  const all = [...codes, 'internal' as const]
  const byStatus = Map.groupBy(all, (code) => kinds[code].status)
  // The one code with several statuses.
  if (all.includes('bad-request')) {
    for (const status of [414, 431]) byStatus.set(status, ['bad-request'])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [
      status,
      {
        description: those.map((code) => `\`${code}\`: ${kinds[code].title}.`).join(' '),
        content: {
          'application/problem+json': {
            schema: { $ref: 'Problem#' },
            examples: Object.fromEntries(
              those.map((code) => [code, { value: { ...exampleOf(code), status } }]),
            ),
          },
        },
      },
    ]),
  )
}

function exampleOf(code: FailureCode): Problem {
  return {
    type: `urn:lakeflow-spotify:${code}`,
    ...kinds[code],
    detail: 'What was asked, what is wrong, what to do next.',
    instance: '/tables/tracks/read',
    code,
    retryable: failures[code].retryable,
    request_id: '7f1c1f0e-3c39-4bd0-8df5-7e2a4d1c9f10',
  }
}

/** A failure that is of HTTP itself. `status` where the code has several. */
export class HttpFailure extends ConnectorError {
  readonly status: number | undefined
  readonly headers: Record<string, string>

  constructor(
    code: FailureCode,
    message: string,
    { status, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
  ) {
    super(code, message)
    this.status = status
    this.headers = headers
  }
}

/** Answers with the problem that an error is. What is not a failure of ours is a bug: `internal`. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  secrets: Secrets,
): FastifyReply {
  const failure = toFailure(error, request.url)
  const problem = noteProblem(request, failure, secrets, error)
  if (failure.retryAfterS !== undefined) reply.header('retry-after', failure.retryAfterS)
  if (failure instanceof HttpFailure) reply.headers(failure.headers)
  return reply
    .code(problem.status)
    .header('x-request-id', request.id)
    .header('cache-control', 'no-store')
    .type(problemType)
    .serializer(JSON.stringify)
    .send(problem)
}

/** The problem document that an error is; the request's log line tells of it. */
export function noteProblem(
  request: FastifyRequest,
  error: unknown,
  secrets: Secrets,
  cause = error,
): Problem {
  const failure = toFailure(error, request.url)
  const problem = toProblem(failure, request, secrets)
  if (failure.code === 'internal') request.log.error({ err: cause }, 'a fault of this service')
  note(request, { code: failure.code, detail: problem.detail })
  return problem
}

/** The problem document of a failure, with every secret struck out. */
export function toProblem(
  failure: ConnectorError,
  request: Pick<FastifyRequest, 'url' | 'id'>,
  secrets: Secrets,
): Problem {
  const { code, retryable, retryAfterS, members, message } = failure
  const problem = {
    type: `urn:lakeflow-spotify:${code}`,
    title: kinds[code].title,
    status: (failure instanceof HttpFailure && failure.status) || kinds[code].status,
    detail: message,
    instance: pathOf(request.url),
    code,
    retryable,
    request_id: request.id,
    ...(retryAfterS !== undefined && { retry_after_s: retryAfterS }),
    ...members,
  }
  return JSON.parse(secrets.scrub(JSON.stringify(problem)))
}

function toFailure(error: unknown, url: string): ConnectorError {
  if (error instanceof ConnectorError) return error
  const { statusCode, code } = (error ?? {}) as Partial<FastifyError>
  if (statusCode === 414 || code === 'FST_ERR_MAX_PARAM_LENGTH') {
    return new HttpFailure('bad-request', 'A part of the path is too long.', { status: 414 })
  }
  if (code === 'FST_ERR_BAD_URL') {
    return new HttpFailure(
      'bad-request',
      `${quote(pathOf(url))} is no path: it has to begin with a slash, and every % in it an encoded UTF-8 character, such as %20.`,
    )
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new HttpFailure(
      'bad-request',
      `The request could not be read: ${(error as Error).message}.`,
    )
  }
  return new ConnectorError(
    'internal',
    'The service has a fault. It is in its log under the request_id; please report it.',
  )
}
