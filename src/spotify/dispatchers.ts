import { Agent, type buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici'
import type { Timeouts } from './transport.ts'

/** A proxy, and the environment variable that names it. */
export type ProxyAddress = { variable: string; url: string }

/**
 * The proxies for requests over http and https (the latter's may be the former's, too), and for
 * which hosts none is used: `NO_PROXY`, as it is.
 */
export type Proxies = { http: ProxyAddress | null; https: ProxyAddress | null; except: string }

/** How Spotify's hosts are reached. */
export type Network = {
  proxies?: Proxies
  /** Hosts for which no proxy is ever used. */
  isDirect?: (hostname: string) => boolean
  /** The one certificate authority to trust, PEM; left out: those of Node, `NODE_EXTRA_CA_CERTS` too. */
  ca?: string
}

/** What sends the requests for a host. */
export type Dispatchers = {
  /** The dispatcher, and the proxy that it would use if the host is no exception; null: none. */
  of(url: URL): { dispatcher: Dispatcher; proxy: ProxyAddress | null }
  close(): Promise<void>
}

/** No connection to the proxy itself came about; `cause` says why. */
export class ProxyUnreachable extends Error {
  override readonly name = 'ProxyUnreachable'
}

/**
 * What undici sends requests with, by the proxies that are to be used.
 *
 * HTTP/1.1 on purpose, each request on a connection of its own that is kept: a lost connection
 * costs one attempt of one page. Over HTTP/2, undici's default, all pages in flight share one
 * connection: when it is lost they fail together, and a slow body holds up the others. It is no
 * faster here, where a page is one request of 8 in flight and the rate is limited.
 */
export function createDispatchers(timeouts: Timeouts, network: Network): Dispatchers {
  const { proxies, isDirect = () => false, ca } = network
  const tls = { allowH2: false, ...(ca !== undefined && { ca }) }
  const options = { allowH2: false, connectTimeout: timeouts.connectMs, connect: tls }
  const direct = new Agent(options)
  const proxyOf = (url: URL) =>
    (url.protocol === 'https:' ? (proxies?.https ?? proxies?.http) : proxies?.http) ?? null
  if (!proxies?.http && !proxies?.https) {
    return { of: () => ({ dispatcher: direct, proxy: null }), close: () => direct.destroy() }
  }
  const urls = [proxies.http?.url, proxies.https?.url]
  const factory = (origin: string | URL, its: object) =>
    urls.includes(String(origin))
      ? toProxy(origin, its as Options, timeouts)
      : new Pool(origin, its)
  const proxied = new EnvHttpProxyAgent({
    ...options,
    requestTls: tls,
    proxyTls: tls,
    // Left out, undici would look into the environment itself.
    httpProxy: proxies.http?.url ?? '',
    httpsProxy: proxies.https?.url ?? '',
    noProxy: proxies.except,
    clientFactory: factory,
    factory,
  })
  return {
    of: (url) =>
      isDirect(url.hostname)
        ? { dispatcher: direct, proxy: null }
        : { dispatcher: proxied, proxy: proxyOf(url) },
    close: async () => {
      await Promise.all([direct.destroy(), proxied.destroy()])
    },
  }
}

type Options = { connect: buildConnector.connector }

/** Connections to the proxy itself. It has as long to open a tunnel as a host has to answer. */
function toProxy(origin: string | URL, { connect }: Options, { headersMs }: Timeouts): Pool {
  return new Pool(origin, {
    allowH2: false,
    headersTimeout: headersMs,
    connect: (target, callback) =>
      connect(target, (...[cause, socket]) => {
        if (cause === null) callback(null, socket)
        else callback(new ProxyUnreachable('no connection to the proxy', { cause }), null)
      }),
  })
}
