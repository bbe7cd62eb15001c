import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const notes = new WeakMap<FastifyRequest, Record<string, unknown>>()

/** Adds to what a request's log line will tell. */
export function note(request: FastifyRequest, facts: Record<string, unknown>): void {
  notes.set(request, { ...notes.get(request), ...facts })
}

/** One log line a request, when its answer is out or its reader is gone. Probes are at debug. */
export function registerRequestLog(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => logRequest(request, reply))
  app.addHook('onRequestAbort', async (request) => {
    // Whoever notes what became of it does so at the answer's `close`, which comes before this.
    const facts = { method: request.method, path: pathOf(request.url), ...notes.get(request) }
    request.log.info(facts, 'the reader went away before the answer')
  })
}

/** Writes the log line of a request that has its answer. */
export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const path = pathOf(request.url)
  const facts = {
    method: request.method,
    path,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime),
    ...notes.get(request),
  }
  const quiet = path === '/livez' || path === '/readyz'
  request.log[quiet ? 'debug' : 'info'](facts, 'request')
}

/**
 * The path of a request's URL, which may be a whole one. What stands in a query, or before a host,
 * may be a secret in the wrong place.
 */
export function pathOf(url: string): string {
  if (url.startsWith('/') && !/[?#]/.test(url)) return url
  return url.replace(/^https?:\/\/[^/?#]*\/?/i, '/').split(/[?#]/, 1)[0] as string
}
