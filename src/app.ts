import { randomUUID } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Clock } from './clock.ts'
import {
  HttpFailure,
  ProblemSchema,
  refuseSocket,
  registerProblems,
  sendProblem,
} from './problems.ts'
import { registerRequestLog } from './request-log.ts'
import { registerDocs, registerOpenApi } from './routes/docs.ts'
import { healthRoutes } from './routes/health.ts'
import { registerHostCheck } from './routes/host.ts'
import { registerNotFound } from './routes/not-found.ts'
import { queryValidator } from './routes/query.ts'
import { readRoutes } from './routes/read.ts'
import { tableRoutes } from './routes/tables.ts'
import type { Secrets } from './secrets.ts'
import type { Connections } from './spotify/connections.ts'

const saneRequestId = /^[\w.:@/+=-]{1,128}$/

/** What the app is made of. */
export type AppParts = {
  connections: Connections
  mode: 'demo' | 'spotify'
  version: string
  allowAnonymous: boolean
  secrets: Secrets
  clock: Clock
  logger: FastifyBaseLogger
}

/** The HTTP side of the service, ready to listen. It has no side effects until it does. */
export async function buildApp(parts: AppParts): Promise<FastifyInstance> {
  const { connections, mode, version, allowAnonymous, secrets, clock, logger } = parts
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'request_id',
    }),
    requestIdHeader: false,
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    // Its own answer while closing is no problem document; ours is below.
    return503OnClosing: false,
    http: { requireHostHeader: false },
    // As factories: compilers that are set would be lost wherever a plugin adds a schema. The
    // schemas of answers describe; fast-json-stringify would drop or throw where they are wrong.
    schemaController: {
      compilersFactory: {
        // The types know no compiler but Ajv's.
        buildValidator: () => queryValidator as never,
        buildSerializer: () => () => JSON.stringify,
      },
    },
    routerOptions: { maxParamLength: 16_384 },
    frameworkErrors: (error, request, reply) => sendProblem(request, reply, error, secrets),
    clientErrorHandler: refuseSocket,
  }).withTypeProvider<TypeBoxTypeProvider>()

  registerProblems(app, secrets)
  registerRequestLog(app)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    reply.header('x-content-type-options', 'nosniff')
    if (mode === 'demo') reply.header('x-demo', 'true')
  })
  registerDraining(app)
  registerHostCheck(app, allowAnonymous)
  registerNotFound(app)

  app.addSchema(ProblemSchema)
  await registerOpenApi(app, { version, demo: mode === 'demo' })
  await app.register(tableRoutes)
  await app.register(readRoutes, { connections, clock, secrets })
  await app.register(healthRoutes, { connections, mode, version })
  await registerDocs(app)
  return app
}

/** While the server closes, kept connections still bring requests: they are told so, and ended. */
function registerDraining(app: FastifyInstance): void {
  let draining = false
  app.addHook('preClose', async () => {
    draining = true
  })
  app.addHook('onRequest', async ({ url }) => {
    if (!draining || url === '/livez') return
    throw new HttpFailure('shutting-down', 'The service is shutting down. Ask again in a moment.', {
      headers: { connection: 'close', 'retry-after': '5' },
    })
  })
}

function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && saneRequestId.test(given) ? given : randomUUID()
}
