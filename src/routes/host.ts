import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { isLoopbackHost } from '../config.ts'
import { ConnectorError, quote } from '../errors.ts'
import { HttpFailure } from '../problems.ts'

/**
 * Refuses requests whose `Host` is no loopback name, unless any may come: a web page that
 * points its own name at 127.0.0.1 (DNS rebinding) would read the account in its visitor's browser.
 */
export function registerHostCheck(app: FastifyInstance, anyHost: boolean): void {
  app.addHook('onRequest', async ({ headers, raw }) => {
    if (headers.host === undefined) {
      // RFC 9112, section 3.2: HTTP/1.1 asks for it; HTTP/1.0 has none, and no browser speaks it.
      if (raw.httpVersion === '1.0') return
      throw new HttpFailure('bad-request', 'The request has no Host header.')
    }
    if (countHosts(raw) > 1) {
      throw new HttpFailure('bad-request', 'The request has more than one Host header.')
    }
    const host = hostOf(raw.url) ?? headers.host
    if (anyHost || isLoopbackHost(nameOf(host))) return
    throw new ConnectorError(
      'host-not-allowed',
      `The request is for the host ${quote(host)}, and without access keys the service answers only to loopback names (localhost, 127.0.0.1, [::1]). Use one of these, set API_KEYS, or set ALLOW_ANONYMOUS=true if everybody who reaches the service may read the account.`,
    )
  })
}

function countHosts({ rawHeaders }: IncomingMessage): number {
  return rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length
}

/** RFC 9112, section 3.2.2: where a whole URL is asked for, its host counts and not the header's. */
function hostOf(url = ''): string | undefined {
  return /^https?:\/\/([^/?#]*)/i.exec(url)?.[1]
}

function nameOf(host: string): string {
  return host.replace(/:\d*$/, '')
}
