import { randomUUID } from 'node:crypto'
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Log } from './log.ts'
import { HttpFailure, problemType, toProblem } from './problems.ts'
import { requestIdOf } from './request-id.ts'
import { Secrets } from './secrets.ts'

// How long the rest of what is being sent is read and dropped.
const lingerMs = 1_000

const refused = new WeakSet<Socket>()

/** What every refusal carries, and where it is told of. */
type Parts = { headers: Record<string, string>; log: Log }

/** Takes what Node's server would otherwise answer itself, with an empty body or not at all. */
export function registerBareSockets({ server }: FastifyInstance, parts: Parts): void {
  // CONNECT asks for a tunnel, and Node hands over the bare socket.
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    // Nobody else listens to it any more: a reset would end the process.
    socket.on('error', () => socket.destroy())
    const allow = 'GET, HEAD'
    const failure = new HttpFailure(
      'method-not-allowed',
      `CONNECT is not a method of this service, which is no proxy; allowed: ${allow}.`,
      { headers: { allow } },
    )
    refuse(socket, failure, requestIdOf(request), parts)
  })
  // RFC 9110, section 10.1.1, lets a server pass over an Expect that it does not know, and answer
  // instead of asking for a body that it does not read.
  for (const event of ['checkExpectation', 'checkContinue']) {
    server.on(event, (request, response) => server.emit('request', request, response))
  }
}

/**
 * Answers on the bare socket to what never became a request: headers too large, no HTTP, a
 * request that does not come to its end. For Fastify's `clientErrorHandler`.
 */
export function refuseSocket(error: NodeJS.ErrnoException, socket: Socket, parts: Parts): void {
  const [status, detail] = complaintOf(error)
  refuse(socket, new HttpFailure('bad-request', detail, { status }), randomUUID(), parts)
}

function complaintOf({ code }: NodeJS.ErrnoException): [status: number, detail: string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [431, 'The request line and the headers are over 16 KiB. Shorten them.']
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [400, 'The request did not come to its end in time.']
    default:
      return [400, `What came is not HTTP/1.1 (${code ?? 'unreadable'}).`]
  }
}

function refuse(socket: Socket, failure: HttpFailure, id: string, { headers, log }: Parts): void {
  // Node reports the rest of a flood as further errors.
  if (refused.has(socket)) return
  refused.add(socket)
  // A reset, or a client that has gone: there is nobody to be told.
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const problem = toProblem(failure, { url: '', id }, new Secrets())
  const { status, code, detail } = problem
  log.info({ request_id: id, status, code, detail }, 'request')
  const body = JSON.stringify(problem)
  const fields = {
    'content-type': problemType,
    'content-length': Buffer.byteLength(body),
    'x-request-id': id,
    'cache-control': 'no-store',
    ...headers,
    ...failure.headers,
    connection: 'close',
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'))
  // Closed at once, with bytes still coming, it would be reset, and the answer lost. But a client
  // that keeps its half open must not hold up the end of the service.
  socket.resume()
  const linger = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(linger))
}
