import { once } from 'node:events'
import { createServer, request as forward, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** What a test closes over: tap's `t`. */
type Test = { teardown(fn: () => unknown): void }

/** A proxy, and what came by. */
export type TestProxy = {
  port: number
  /** The hosts that were asked for, `CONNECT` first where it was a tunnel. */
  seen: string[]
  /** The `proxy-authorization` headers that came. */
  authorizations: (string | undefined)[]
  /** Answers with this status instead of passing anything on; null: passes on again. */
  refuseWith(status: number | null): void
  close(): void
}

/** A proxy on the loopback that leads every host to one port of it; it ends with the test. */
export async function startProxy(t: Test, targetPort: number): Promise<TestProxy> {
  const seen: string[] = []
  const authorizations: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  let refusal: number | null = null
  const note = (what: string, { headers }: IncomingMessage) => {
    seen.push(what)
    authorizations.push(headers['proxy-authorization'])
  }
  const server = createServer((request, response) => {
    const { host, pathname, search } = new URL(request.url ?? '')
    note(host, request)
    if (refusal !== null) return void response.writeHead(refusal).end()
    const { method, headers } = request
    const options = { port: targetPort, method, headers, path: pathname + search }
    const onward = forward(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    response.once('close', () => onward.destroy())
    request.pipe(onward)
  })
  server.on('connection', (socket) => sockets.add(socket))
  server.on('connect', (request, socket) => {
    note(`CONNECT ${request.url}`, request)
    socket.on('error', () => socket.destroy())
    if (refusal !== null) {
      socket.end(`HTTP/1.1 ${refusal} No\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const target = connect(targetPort, '127.0.0.1')
    sockets.add(target)
    target.on('error', () => socket.destroy())
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    target.pipe(socket).pipe(target)
    socket.once('close', () => target.destroy())
  })
  const close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  t.teardown(close)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    authorizations,
    refuseWith: (status) => {
      refusal = status
    },
    close,
  }
}
