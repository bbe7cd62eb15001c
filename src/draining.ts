import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HttpFailure } from './problems.ts'
import { pathOf } from './request-log.ts'

/**
 * Lets the running requests end before the server closes. Meanwhile it still listens, and answers
 * new requests with `shutting-down`, but for `/livez`. Then it ends the connections that are left:
 * a client would keep one for as long as it likes, or never finish its request.
 */
export function registerDraining(app: FastifyInstance): void {
  const running = new Set<FastifyRequest>()
  let draining = false
  let allEnded = () => {}

  app.addHook('onRequest', async (request, reply) => {
    running.add(request)
    const ended = () => {
      running.delete(request)
      if (running.size === 0) allEnded()
    }
    reply.raw.once('finish', ended).once('close', ended)
    if (!draining || pathOf(request.url) === '/livez') return
    throw new HttpFailure('shutting-down', 'The service is shutting down. Ask again in a moment.', {
      headers: { connection: 'close', 'retry-after': '5' },
    })
  })
  app.addHook('onSend', async (_request, reply) => {
    if (draining) reply.header('connection', 'close')
  })
  app.addHook('preClose', async () => {
    draining = true
    await new Promise<void>((resolve) => {
      allEnded = resolve
      if (running.size === 0) resolve()
    })
    app.server.closeAllConnections()
  })
}
