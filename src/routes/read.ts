import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../clock.ts'
import { problemResponses, toProblem } from '../problems.ts'
import { type Collected, collect } from '../reading/collect.ts'
import { note } from '../request-log.ts'
import type { Secrets } from '../secrets.ts'
import type { Connections } from '../spotify/connections.ts'
import { tables } from '../tables/index.ts'
import { anyRoute, ok } from './answers.ts'
import { nextUrl, ReadQuery, type ReadRequest, readRequest } from './read-request.ts'
import { TableParams } from './tables.ts'

/** What the route is given. */
type Parts = { connections: Connections; clock: Clock; secrets: Secrets }

type Request = FastifyRequest<{ Params: { name: string }; Querystring: ReadQuery }>

const Answer = Type.Object({
  records: Type.Array(
    Type.Unsafe({ anyOf: tables.map(({ name }) => ({ $ref: `${recordName(name)}#` })) }),
  ),
  offset: Type.Unsafe({
    type: ['object', 'null'],
    description: 'Goes into the next call as it is; null when a snapshot has been read whole.',
  }),
  has_more: Type.Boolean(),
  next: Type.Optional(
    Type.String({ description: 'When `has_more`: the relative URL of the next call.' }),
  ),
  skipped: Type.Optional(Type.Integer({ description: 'Items without a key, left out.' })),
  gap: Type.Optional(
    Type.Object(
      { after: Type.String(), before: Type.String() },
      { description: 'Plays may have been lost between these instants (Unix ms).' },
    ),
  ),
  retry_after_s: Type.Optional(Type.Integer({ description: 'When to come back.' })),
  interrupted: Type.Optional(Type.Unsafe({ $ref: 'Problem#' })),
})

const example = {
  records: [
    {
      id: 'ada',
      display_name: 'Ada',
      uri: 'spotify:user:ada',
      href: 'https://api.spotify.com/v1/users/ada',
      email: null,
      country: null,
      product: null,
      explicit_content: null,
      followers: null,
      images: [],
      external_urls: { spotify: 'https://open.spotify.com/user/ada' },
      account_id: '5f2b8c0d9e',
    },
  ],
  offset: null,
  has_more: false,
}

/** Reads the rows of a table. */
export const readRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, parts) => {
  for (const { name, description, record } of tables) {
    app.addSchema({ $id: recordName(name), title: recordName(name), description, ...record })
  }
  const url = '/tables/:name/read'
  app.get(
    url,
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'readTable',
        tags: ['tables'],
        summary: 'Read rows',
        description:
          'Gives the rows of a table from `offset` on. As long as `has_more` is true, call again with the `offset` of the answer. For `recently_played` keep the last `offset`: it is the checkpoint from which the next run goes on.',
        params: TableParams,
        querystring: ReadQuery,
        response: {
          200: ok('Rows, and where to go on.', Answer, example),
          ...problemResponses(
            'table-not-found',
            'connection-not-found',
            'invalid-option',
            'invalid-offset',
            'reauthorisation-required',
            'credentials-rejected',
            'insufficient-scope',
            'account-not-allowed',
            'rate-limited',
            'quota-exceeded',
            'upstream-error',
            'upstream-timeout',
            ...anyRoute,
          ),
        },
      },
    },
    (request, reply) => answer(request as Request, reply, parts),
  )
  // A reader that asks HEAD first (DuckDB does) must not cost Spotify a read, so HEAD has its own.
  app.head(
    url,
    { schema: { hide: true, params: TableParams, querystring: ReadQuery } },
    async (request, reply) => {
      check(request as Request, parts)
      return headers(reply).send()
    },
  )
}

function recordName(table: string): string {
  return `${table}_record`
}

async function answer(request: Request, reply: FastifyReply, parts: Parts): Promise<FastifyReply> {
  const { table, start, connection } = check(request, parts)
  // A reader that goes away ends the read: it would eat the rate limit of the one that tries again.
  const reader = new AbortController()
  reply.raw.once('close', () => reader.abort(new Error('the reader went away')))
  const tally = { mistyped: 0 }
  const session = connection.open({
    scopes: table.scopes,
    plays: table.ingestionType === 'cdc',
    signal: reader.signal,
  })
  const reading = start({
    spotify: session.spotify,
    nowMs: parts.clock.now(),
    log: request.log,
    tally,
  })
  let result: Collected
  try {
    result = await collect(reading)
  } catch (error) {
    if (!reader.signal.aborted) throw error
    // There is nobody to be answered, and nothing has gone wrong.
    return reply.hijack()
  } finally {
    note(request, {
      wait_ms: session.budget.spentMs,
      ...(tally.mistyped > 0 && { mistyped: tally.mistyped }),
    })
  }
  note(request, { rows: result.records.length, pages: result.pages, outcome: outcomeOf(result) })
  warnOf(request, result, tally.mistyped)
  const next =
    result.hasMore && result.offset ? nextUrl(table.name, request.query, result.offset) : null
  if (next) reply.header('link', `<${next}>; rel="next"`)
  return headers(reply).send(
    JSON.stringify({
      records: result.records,
      offset: result.offset,
      has_more: result.hasMore,
      ...(next && { next }),
      ...(result.skipped > 0 && { skipped: result.skipped }),
      ...(result.gap && { gap: result.gap }),
      ...(result.interrupted?.retryAfterS && { retry_after_s: result.interrupted.retryAfterS }),
      ...(result.interrupted && {
        interrupted: toProblem(result.interrupted, request, parts.secrets),
      }),
    }),
  )
}

function check(request: Request, { connections }: Parts) {
  const read: ReadRequest = readRequest(request.params.name, request.query)
  const { table, options } = read
  note(request, { table: table.name, connection: options.connection })
  return { ...read, connection: connections.get(options.connection) }
}

/** What became of the read, for the log. */
function outcomeOf({ interrupted, hasMore }: Collected): string {
  if (interrupted) return `interrupted by ${interrupted.code}`
  return hasMore ? 'more' : 'whole'
}

function warnOf(request: Request, { skipped, interrupted }: Collected, mistyped: number): void {
  const { name } = request.params
  if (skipped > 0) request.log.warn({ table: name, skipped }, 'items without a key were left out')
  if (mistyped > 0)
    request.log.warn({ table: name, mistyped }, 'values of another type became null')
  if (interrupted) {
    request.log.warn(
      { table: name, code: interrupted.code, detail: interrupted.message },
      'a read ended before its time',
    )
  }
}

function headers(reply: FastifyReply): FastifyReply {
  return reply
    .header('cache-control', 'no-store')
    .header('accept-ranges', 'none')
    .type('application/json; charset=utf-8')
}
