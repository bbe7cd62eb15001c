import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'

/** What a test closes over: tap's `t`. */
type Test = { teardown(fn: () => unknown): void }

/** A listener on the loopback that speaks no protocol by itself; it ends with the test. */
export async function rawServer(
  t: Test,
  serve: (socket: Socket) => void,
): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  t.teardown(close)
  return { port: (server.address() as AddressInfo).port, close }
}
