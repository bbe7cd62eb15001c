import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConnectorError } from '../src/errors.ts'
import { toProblem } from '../src/problems.ts'
import { connectedPage, pageHeaders, problemPage } from '../src/routes/consent-pages.ts'
import type { Secrets } from '../src/secrets.ts'
import type { Connected } from '../src/spotify/connections.ts'
import type { Callback } from '../src/spotify/consents.ts'
import { callbackIn } from './authorize-terminal.ts'

/** Where the browser comes back to, if it is on this machine. */
export type Listener = {
  /** What the redirect URI begins with. */
  base: string
  /** Why nothing answers there; null: it does. */
  silent: string | null
  /** The callback of this state, when a browser brings it; that browser then waits. */
  next(state: string): Promise<Callback>
  /** Answers the browser that waits, if one does. */
  answer(outcome: Connected | ConnectorError): void
  /** Whoever still waits is cut off. */
  close(): Promise<void>
}

const foreign = new ConnectorError(
  'consent-failed',
  'What came back is not of the consent that the terminal waits for. Nothing was changed. Open the link in the terminal.',
)

/** Listens where the redirect URI leads to, if that is a loopback address whose port is free. */
export async function listenForCallback(
  { publicUrl, port }: { publicUrl: string | null; port: number },
  secrets: Secrets,
): Promise<Listener> {
  const home = new URL(publicUrl ?? `http://127.0.0.1:${port}`)
  const server = createServer()
  const silent = home.protocol === 'http:' ? await listen(server, home) : 'it is another machine’s'
  if (publicUrl === null && silent === null) {
    home.port = String((server.address() as AddressInfo).port)
  }
  const base = publicUrl ?? home.origin
  let waiting: ServerResponse | undefined
  return {
    base,
    silent,
    next: (state) =>
      new Promise((resolve) => {
        server.on('request', (request, response) => {
          const url = URL.parse(request.url ?? '', home)
          if (request.method !== 'GET' || url?.pathname !== new URL(`${base}/callback`).pathname) {
            response.writeHead(404).end()
            return
          }
          const callback = callbackIn(url.href)
          if (callback?.state !== state || waiting) return tell(response, foreign)
          waiting = response
          resolve(callback)
        })
      }),
    answer(outcome) {
      if (waiting) tell(waiting, outcome)
      waiting = undefined
    },
    async close() {
      if (silent !== null) return
      const closed = once(server, 'close')
      server.close()
      waiting?.destroy()
      // An answer that is on its way still gets there; it ends its connection.
      await closed
    },
  }

  function tell(response: ServerResponse, outcome: Connected | ConnectorError): void {
    const headers = { ...pageHeaders, 'x-content-type-options': 'nosniff', connection: 'close' }
    if (!(outcome instanceof ConnectorError)) {
      response.writeHead(200, headers).end(connectedPage(outcome))
      return
    }
    const problem = toProblem(outcome, { url: '/callback', id: randomUUID() }, secrets)
    response.writeHead(problem.status, headers).end(problemPage(problem, null))
  }
}

/** Why it can't listen; null: it does. */
async function listen(server: Server, { hostname, port }: URL): Promise<string | null> {
  server.listen({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || '80') })
  try {
    await once(server, 'listening')
    return null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EADDRINUSE' ? 'another program has its port' : `${code}`
  }
}
