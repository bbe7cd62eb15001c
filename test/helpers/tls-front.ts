import { once } from 'node:events'
import { request as forward, type OutgoingHttpHeaders, type RequestOptions } from 'node:http'
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { cert, key } from './certificate.ts'

// RFC 9113, section 8.2.2, forbids them.
const hopByHop = /^(connection|keep-alive|transfer-encoding)$/

/** What a test closes over: tap's `t`. */
type Test = { teardown(fn: () => unknown): void }

type Options = {
  /** Streams of one HTTP/2 connection before it is told to go away; left out: any number. */
  goAwayAfter?: number
}

/**
 * A TLS server on the loopback that speaks HTTP/2 and HTTP/1.1, as the caller prefers, and hands
 * everything on to a plain server of the same paths; it ends with the test.
 */
export async function startTlsFront(t: Test, targetUrl: string, { goAwayAfter }: Options = {}) {
  const versions: string[] = []
  const sockets = new Set<Socket>()
  const target = ({ method, url, headers }: Http2ServerRequest): RequestOptions => ({
    host: '127.0.0.1',
    port: new URL(targetUrl).port,
    method,
    path: url,
    headers: without(/^:|^connection$/, headers),
  })
  const server = createSecureServer({ cert, key, allowHTTP1: true })
  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    versions.push(request.httpVersion)
    const asked = forward(target(request), (answer) => {
      response.writeHead(answer.statusCode ?? 502, without(hopByHop, answer.headers))
      answer.pipe(response)
    })
    asked.on('error', () => response.stream?.destroy())
    request.pipe(asked)
  })
  server.on('session', (session: ServerHttp2Session) => {
    let streams = 0
    session.on('stream', () => {
      streams += 1
      if (streams === goAwayAfter) session.goaway()
    })
  })
  server.on('secureConnection', (socket) => sockets.add(socket))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    /** The HTTP version of each request. */
    versions,
    /** How many connections there were. */
    connections: () => sockets.size,
  }
}

function without(names: RegExp, headers: object): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.test(name)))
}
