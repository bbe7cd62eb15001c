import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Load } from '../load.ts'
import { noteProblem, problemResponses, toProblem } from '../problems.ts'
import { type Collected, collect, type Written } from '../reading/collect.ts'
import type { Row } from '../reading/reading.ts'
import { note } from '../request-log.ts'
import type { Secrets } from '../secrets.ts'
import type { Connections } from '../spotify/connections.ts'
import { tables } from '../tables/index.ts'
import type { ReadObserver } from '../tables/read-report.ts'
import { callOf, type OptionName } from '../tables/table.ts'
import { accessOf } from './access.ts'
import { anyRoute } from './answers.ts'
import { type Format, formatOf, mediaTypes } from './format.ts'
import { ndjson } from './ndjson.ts'
import { Answer, example, exampleLine, Line, recordName } from './read-answer.ts'
import { nextUrl, ReadQuery, type ReadRequest, readRequest } from './read-request.ts'
import { ReadWatch } from './read-watch.ts'
import { readerGone } from './reader-gone.ts'
import { TableParams } from './tables.ts'

/** What the route is given. */
export type ReadRouteParts = {
  connections: Connections
  clock: Clock
  secrets: Secrets
  /** Pages of one read in flight at once. */
  concurrency: number
  readWaitBudgetMs: number
  streamWaitBudgetMs: number
  externalOptions: readonly OptionName[]
  load: Pick<Load, 'enter'>
  /** Ends the reads that are running, with its reason. */
  ending: AbortSignal
  /** Is told how each read ended. */
  reads: ReadObserver
}

type Parts = ReadRouteParts

type Request = FastifyRequest<{ Params: { name: string }; Querystring: ReadQuery }>

/** Reads the rows of a table. */
export const readRoutes: FastifyPluginAsyncTypebox<{ parts: Parts }> = async (app, { parts }) => {
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
          200: {
            description: 'Rows, and where to go on.',
            content: {
              [mediaTypes.json]: { schema: Answer, example },
              [mediaTypes.ndjson]: { schema: Line, example: exampleLine },
            },
          },
          ...problemResponses(
            'table-not-found',
            'connection-not-found',
            'invalid-option',
            'invalid-offset',
            'reauthorisation-required',
            'credentials-rejected',
            'insufficient-scope',
            'account-not-allowed',
            'snapshot-changed',
            'rate-limited',
            'quota-exceeded',
            'upstream-error',
            'upstream-timeout',
            'overloaded',
            ...anyRoute,
          ),
        },
      },
    },
    (request, reply) =>
      formatOfRequest(request as Request) === 'json'
        ? answerJson(request as Request, reply, parts)
        : answerNdjson(request as Request, reply, parts),
  )
  // A reader that asks HEAD first (DuckDB does) must not cost Spotify a read, so HEAD has its own.
  app.head(
    url,
    { schema: { hide: true, params: TableParams, querystring: ReadQuery } },
    async (request, reply) => {
      check(request as Request, parts)
      return headers(reply, formatOfRequest(request as Request)).send()
    },
  )
}

/** A read that has been checked and begun: whoever writes it asks it for its pages. */
function begin(request: Request, reply: FastifyReply, parts: Parts, format: Format) {
  const { table, start, connection } = check(request, parts)
  const leave = parts.load.enter()
  // A reader that goes away ends the read: it would eat the rate limit of the one that tries again.
  const gone = readerGone(reply)
  const signal = AbortSignal.any([gone, parts.ending])
  const { spotify, budget } = connection.open({
    ...callOf(table),
    signal,
    waitBudgetMs: format === 'json' ? parts.readWaitBudgetMs : parts.streamWaitBudgetMs,
  })
  const watch = new ReadWatch({
    request,
    budget,
    table: table.name,
    connection: connection.name,
    observer: parts.reads,
  })
  reply.raw.once('close', () => {
    leave()
    // Where the read has ended before, this tells nothing.
    watch.readerGone()
  })
  const { tally, sample, onSeamFoundAgain } = watch
  const reading = start({
    spotify,
    tally,
    onSeamFoundAgain,
    ...(sample && { sample }),
    nowMs: parts.clock.now(),
    log: request.log,
    concurrency: parts.concurrency,
    mayStartOver: format === 'json',
  })
  return {
    watch,
    budget,
    signal,
    reading: watch.follow(reading),
    isGone: () => gone.aborted,
  }
}

async function answerJson(
  request: Request,
  reply: FastifyReply,
  parts: Parts,
): Promise<FastifyReply> {
  const { reading, watch, isGone } = begin(request, reply, parts, 'json')
  let collected: Written<Buffer>
  try {
    collected = await collect(reading, encode)
  } catch (error) {
    if (!isGone()) {
      watch.failed(error)
      throw error
    }
    // There is nobody to be answered, and nothing has gone wrong.
    return reply.hijack()
  }
  watch.ended(collected)
  const tail = tailOf(request, collected, parts.secrets)
  if (tail.next) reply.header('link', `<${tail.next}>; rel="next"`)
  return headers(reply, 'json').send(Readable.from(pieces(collected.parts, tail)))
}

/** Rows with a comma before each; as bytes, since text with one foreign character takes twice as many. */
function encode(records: readonly Row[]): Buffer {
  return Buffer.from(`,${JSON.stringify(records).slice(1, -1)}`)
}

/** The body in pieces, each of which is let go when it is out: it is never held whole a second time. */
function* pieces(parts: Buffer[], tail: object): Generator<string | Buffer, void, void> {
  yield '{"records":['
  const first = parts.shift()
  if (first) yield first.subarray(1)
  for (let part = parts.shift(); part; part = parts.shift()) yield part
  yield `],${JSON.stringify(tail).slice(1)}`
}

async function answerNdjson(
  request: Request,
  reply: FastifyReply,
  parts: Parts,
): Promise<FastifyReply> {
  const { reading, watch, budget, signal, isGone } = begin(request, reply, parts, 'ndjson')
  const lines = ndjson(reading, {
    signal,
    waiting() {
      const wait = budget.current
      return (
        wait && {
          seconds: Math.max(1, Math.ceil((wait.untilMs - parts.clock.now()) / 1000)),
          code: wait.code,
        }
      )
    },
    end(collected) {
      watch.ended(collected)
      const { records, pages } = collected
      return { ...tailOf(request, collected, parts.secrets), records, pages }
    },
    // Where the reader is gone, nobody is to be told, and nothing has gone wrong.
    problem(error) {
      if (isGone()) return {}
      watch.failed(error)
      return noteProblem(request, error, parts.secrets)
    },
  })
  try {
    // The status waits for the first line: what fails before it is a plain problem.
    const first = await lines.next()
    return headers(reply, 'ndjson').send(Readable.from(resume(first, lines), { highWaterMark: 1 }))
  } catch (error) {
    if (isGone()) return reply.hijack()
    watch.failed(error)
    throw error
  }
}

async function* resume(
  first: IteratorResult<string, void>,
  lines: AsyncGenerator<string, void, void>,
): AsyncGenerator<string, void, void> {
  if (first.done) return
  yield first.value
  yield* lines
}

function check(request: Request, { connections, externalOptions }: Parts) {
  const read: ReadRequest = readRequest(request.params.name, request.query, externalOptions)
  const { table, options } = read
  note(request, { table: table.name, connection: options.connection })
  return { ...read, connection: accessOf(request).get(connections, options.connection) }
}

function formatOfRequest({ query, headers }: Request): Format {
  return query.format ?? formatOf(headers.accept)
}

/** What an answer has beside its rows. */
function tailOf(request: Request, collected: Collected, secrets: Secrets) {
  const { offset, hasMore, skipped, gap, interrupted } = collected
  const next = hasMore && offset ? nextUrl(request.params.name, request.query, offset) : undefined
  return {
    offset,
    has_more: hasMore,
    ...(next !== undefined && { next }),
    ...(skipped > 0 && { skipped }),
    ...(gap && { gap }),
    ...(interrupted?.retryAfterS && { retry_after_s: interrupted.retryAfterS }),
    ...(interrupted && { interrupted: toProblem(interrupted, request, secrets) }),
  }
}

function headers(reply: FastifyReply, format: Format): FastifyReply {
  return reply
    .header('cache-control', 'no-store')
    .header('accept-ranges', 'none')
    .header('vary', 'accept')
    .type(`${mediaTypes[format]}; charset=utf-8`)
}
