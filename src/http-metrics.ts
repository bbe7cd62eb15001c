import type { FastifyInstance } from 'fastify'

/** Counts requests by their route's pattern, `none` where they met no route. */
export type RequestObserver = { answered(route: string, status: number, ms: number): void }

/** Tells an observer of every request that was answered. */
export function registerRequestMetrics(app: FastifyInstance, observer: RequestObserver): void {
  app.addHook('onResponse', (request, reply, done) => {
    observer.answered(request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime)
    done()
  })
}
