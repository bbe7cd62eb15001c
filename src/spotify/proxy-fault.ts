import { type ProxyAddress, ProxyUnreachable } from './dispatchers.ts'
import { UpstreamFault } from './fault.ts'

/**
 * What a failure comes to that is the proxy's own, not of the host behind it; null for any other.
 * undici names no status but in its messages.
 */
export function proxyFault(
  error: unknown,
  { host }: URL,
  proxy: ProxyAddress,
): UpstreamFault | null {
  const { variable } = proxy
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (error instanceof ProxyUnreachable) {
    const { cause } = error as { cause?: { code?: unknown; name?: unknown } }
    return new UpstreamFault(
      'error',
      `no connection to the proxy of ${variable} (${cause?.code ?? cause?.name})`,
      error,
      `Check the host and the port in ${variable}, and that the proxy runs.`,
    )
  }
  const status = /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(
    String(message),
  )?.[1]
  if (status === '407') {
    return new UpstreamFault(
      'error',
      `the proxy of ${variable} asks for a user and a password, or does not take those it got (407)`,
      error,
      `Put them into ${variable}, as http://USER:PASSWORD@HOST:PORT and encoded as in a URL, and restart.`,
    )
  }
  if (status !== undefined) {
    return new UpstreamFault(
      'error',
      `the proxy of ${variable} opens no tunnel to ${host} (${status})`,
      error,
      `Have it let requests to ${host} pass, or name the host in NO_PROXY where it can be reached without the proxy.`,
    )
  }
  if (code === 'UND_ERR_PRX_CONN' || code === 'UND_ERR_PRX_TLS') {
    return new UpstreamFault(
      'error',
      `the proxy of ${variable} broke off before there was a tunnel to ${host} (${code})`,
      error,
      `Check that what ${variable} names is a proxy, and that its scheme, http or https, is right.`,
    )
  }
  return null
}
