import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import type { SimulatedRequest } from './answer.ts'

/** Answers a request on the bare response. What it throws is answered with a 500 that says it. */
export type Handle = (request: SimulatedRequest, response: ServerResponse) => Promise<void>

/** Under which path each service answers. */
export const prefixes = { api: '/v1', accounts: '/accounts' } as const

/** The simulator's HTTP server: hands over whatever comes, in any method, with any body. */
export function buildServer(handle: Handle) {
  const app = Fastify({
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    frameworkErrors: (_error, request, reply) => onRequest(request, reply),
  })
  // A body of any type, or of none, is just bytes.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.all('/*', onRequest)
  // Other methods, and `OPTIONS *`.
  app.setNotFoundHandler(onRequest)
  // The rest of what can happen before the handler: a body that is too large or breaks off.
  app.setErrorHandler((_error, request, reply) => onRequest(request, reply))
  app.server.on('connect', refuseTunnel)
  return app

  async function onRequest(request: FastifyRequest, reply: FastifyReply) {
    reply.hijack()
    try {
      await handle(simulatedRequest(request), reply.raw)
    } catch (error) {
      if (reply.raw.headersSent) reply.raw.destroy()
      else reply.raw.writeHead(500, { 'content-type': 'text/plain' }).end(String(error))
    }
  }
}

function simulatedRequest({ raw, body }: FastifyRequest): SimulatedRequest {
  // A client that takes the simulator for a proxy sends the whole address.
  const [path = '', ...search] = (raw.url ?? '').replace(/^https?:\/\/[^/]*/i, '').split('?')
  const service = path.startsWith(`${prefixes.api}/`)
    ? 'api'
    : path.startsWith(`${prefixes.accounts}/`)
      ? 'accounts'
      : 'none'
  return {
    service,
    method: raw.method ?? 'GET',
    path: service === 'none' ? path : path.slice(prefixes[service].length),
    query: Object.fromEntries(new URLSearchParams(search.join('?'))),
    headers: raw.headers,
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
  }
}

/** `CONNECT` comes without a response; the socket is on its own from here. */
function refuseTunnel(_request: unknown, socket: Duplex) {
  socket.on('error', () => socket.destroy())
  socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
}
