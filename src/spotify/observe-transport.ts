import { UpstreamFault } from './fault.ts'
import type { SpotifyObserver } from './observer.ts'
import type { Transport } from './transport.ts'

type Parts = {
  /** The addresses that requests go to: what follows them is the endpoint. */
  bases: readonly string[]
  observer: SpotifyObserver
  /** A clock that only goes forward, in ms. */
  now?: () => number
}

/** The same transport, whose requests are told to an observer. */
export function observeTransport(transport: Transport, parts: Parts): Transport {
  const { bases, observer, now = () => performance.now() } = parts
  return {
    ...transport,
    async send(request, signal) {
      const endpoint = endpointOf(request.url, bases)
      const from = now()
      try {
        const answer = await transport.send(request, signal)
        observer.answered(endpoint, answer.status, now() - from)
        return answer
      } catch (error) {
        observer.answered(endpoint, howItFailed(error), now() - from)
        throw error
      }
    },
  }
}

function howItFailed(error: unknown): 'timeout' | 'error' | 'aborted' {
  return error instanceof UpstreamFault ? error.kind : 'aborted'
}

/** What a URL names behind the base it begins with, without its query. */
function endpointOf(url: string, bases: readonly string[]): string {
  const base = bases.find((one) => url.startsWith(one)) ?? ''
  return url.slice(base.length).split('?', 1)[0] as string
}
