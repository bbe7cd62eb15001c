import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { type Clock, isSlow } from './clock.ts'
import { ConnectorError } from './errors.ts'
import { pathOf } from './request-log.ts'

/** How long readers have to take the end of what the grace's end has cut short, in ms. */
const lastWordsMs = 3_000
const retryAfterS = 5

/**
 * Lets the running requests end before the server closes: for `graceMs` as they would, then the
 * signal that it gives is aborted, with `shutting-down`, and reads end where they are. Who has not
 * taken the answer 3 s later is cut off.
 *
 * Meanwhile it still listens, and answers new requests with `shutting-down`, but for `/livez`.
 * Connections that wait for another request are closed at once: a client would keep one for as
 * long as it likes.
 */
export function registerDraining(
  app: FastifyInstance,
  { graceMs, clock }: { graceMs: number; clock: Pick<Clock, 'sleep'> },
): AbortSignal {
  // Of sockets that have brought a request: how many of theirs are running, or that none is.
  const busy = new Map<Socket, number>()
  const idle = new Set<Socket>()
  const ending = new AbortController()
  const allEnded = Promise.withResolvers<void>()
  let draining = false
  const sleep: Clock['sleep'] = (ms, signal) => clock.sleep(ms, signal)

  function end(socket: Socket): void {
    const left = (busy.get(socket) ?? 0) - 1
    if (left > 0) {
      busy.set(socket, left)
      return
    }
    busy.delete(socket)
    if (draining && busy.size === 0) allEnded.resolve()
    // Without a server there is no socket, but what stands for it in a test.
    if (socket.destroyed !== false) return
    if (draining) socket.destroySoon()
    else idle.add(socket)
  }

  app.server.on('connection', (socket) => socket.once('close', () => idle.delete(socket)))
  app.addHook('onRequest', async ({ raw: { socket }, url }, reply) => {
    if (draining) {
      // Not counted: new ones that come and come must not hold up the end.
      if (pathOf(url) === '/livez') return
      throw shuttingDown('The service is shutting down. Ask again in a moment.')
    }
    idle.delete(socket)
    busy.set(socket, (busy.get(socket) ?? 0) + 1)
    let isRunning = true
    const ended = () => {
      if (isRunning) end(socket)
      isRunning = false
    }
    reply.raw.once('finish', ended).once('close', ended)
  })
  app.addHook('onSend', async ({ raw: { socket } }, reply) => {
    // Said before the last answer, it would cut off those to requests that were sent ahead.
    if (draining && (busy.get(socket) ?? 0) <= 1) reply.header('connection', 'close')
  })
  app.addHook('preClose', async () => {
    draining = true
    if (busy.size === 0) allEnded.resolve()
    for (const socket of idle) socket.destroySoon()
    if (await isSlow(allEnded.promise, graceMs, sleep)) {
      app.log.warn({ running: busy.size, graceMs }, 'the grace is over: running reads end now')
      ending.abort(
        shuttingDown('The service is shutting down, and this read took longer than it could wait.'),
      )
      if (await isSlow(allEnded.promise, lastWordsMs, sleep)) {
        app.log.warn({ running: busy.size }, 'readers that do not take their answer are cut off')
      }
    }
    app.server.closeAllConnections()
  })
  return ending.signal
}

function shuttingDown(message: string): ConnectorError {
  return new ConnectorError('shutting-down', message, { retryAfterS })
}
