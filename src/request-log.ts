import type { FastifyInstance, FastifyRequest } from 'fastify'

const notes = new WeakMap<FastifyRequest, Record<string, unknown>>()

/** Adds to what a request's log line will tell. */
export function note(request: FastifyRequest, facts: Record<string, unknown>): void {
  notes.set(request, { ...notes.get(request), ...facts })
}

/** One log line a request, when its answer is out or its reader is gone. Probes are at debug. */
export function registerRequestLog(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const facts = {
      method: request.method,
      path: pathOf(request.url),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...notes.get(request),
    }
    const quiet = request.url === '/livez' || request.url === '/readyz'
    request.log[quiet ? 'debug' : 'info'](facts, 'request')
  })
  app.addHook('onRequestAbort', async (request) => {
    request.log.info({ path: pathOf(request.url) }, 'the reader went away before the answer')
  })
}

/** The path of a URL: what stands in a query may be a secret in the wrong place. */
export function pathOf(url: string): string {
  return url.split('?', 1)[0] as string
}
