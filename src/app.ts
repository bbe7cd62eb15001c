import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { refuseSocket, registerBareSockets } from './bare-sockets.ts'
import { registerCompression } from './compression.ts'
import { registerDraining } from './draining.ts'
import { registerRequestMetrics } from './http-metrics.ts'
import type { LastReads } from './last-reads.ts'
import { type Pressure, watchLoad } from './load.ts'
import type { Metrics } from './metrics/metrics.ts'
import { ProblemSchema, sendProblem } from './problems.ts'
import { requestIdOf } from './request-id.ts'
import { logRequest, registerRequestLog } from './request-log.ts'
import { registerDocs, registerOpenApi } from './routes/docs.ts'
import { healthRoutes } from './routes/health.ts'
import { registerHostCheck } from './routes/host.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { registerNotFound } from './routes/not-found.ts'
import { queryValidator } from './routes/query.ts'
import { type ReadRouteParts, readRoutes } from './routes/read.ts'
import { tableRoutes } from './routes/tables.ts'

/** What the app is made of. */
export type AppParts = Omit<ReadRouteParts, 'ending' | 'load'> & {
  shutdownGraceMs: number
  maxConcurrentReads: number
  /** When the event loop does not keep up. */
  pressure?: Pressure
  mode: 'demo' | 'spotify'
  version: string
  allowAnonymous: boolean
  logger: FastifyBaseLogger
  metrics: Metrics
  lastReads: LastReads
  /** What is wrong with the database; null: nothing that is known. */
  databaseTrouble(): string | null
}

/** The HTTP side of the service, ready to listen. It has no side effects until it does. */
export async function buildApp(parts: AppParts): Promise<FastifyInstance> {
  const { mode, version, allowAnonymous, secrets, logger, metrics } = parts
  // What every answer carries, whoever gives it.
  const headers = {
    'x-content-type-options': 'nosniff',
    ...(mode === 'demo' && { 'x-demo': 'true' }),
  }
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'request_id',
    }),
    requestIdHeader: false,
    genReqId: requestIdOf,
    // Its own answer while closing is no problem document; ours is below.
    return503OnClosing: false,
    http: { requireHostHeader: false },
    // It would end the closing, too, and with it the process: a running read may take longer.
    pluginTimeout: 0,
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
    frameworkErrors(error, request, reply) {
      // No hook runs for these.
      sendProblem(request, reply.headers(headers), error, secrets)
      logRequest(request, reply)
    },
    clientErrorHandler: (error, socket) => refuseSocket(error, socket, { headers, log: logger }),
  }).withTypeProvider<TypeBoxTypeProvider>()

  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error, secrets))
  registerBareSockets(app, { headers, log: logger })
  registerRequestLog(app)
  registerRequestMetrics(app, metrics)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'x-request-id': request.id, ...headers })
  })
  const ending = registerDraining(app, { graceMs: parts.shutdownGraceMs, clock: parts.clock })
  registerHostCheck(app, allowAnonymous)
  registerNotFound(app)

  const load = await watchLoad(app, parts.maxConcurrentReads, parts.pressure)
  registerCompression(app)

  app.addSchema(ProblemSchema)
  await registerOpenApi(app, { version, demo: mode === 'demo' })
  await app.register(tableRoutes, { externalOptions: parts.externalOptions })
  // As one member: Fastify takes some names, such as logLevel, for options of its own.
  await app.register(readRoutes, { parts: { ...parts, ending, load } })
  await app.register(healthRoutes, { parts: { ...parts, load } })
  await app.register(metricsRoutes, { metrics })
  await registerDocs(app)
  return app
}
