import { ConfigError } from './errors.ts'
import type { Proxies, ProxyAddress } from './spotify/dispatchers.ts'

const allowed = 'http:// or https://, a host and a port, such as http://proxy.example:3128'

/**
 * The proxies that the environment names, as other programs read it: in lower case or upper case
 * (the former counts where both are set), the scheme may be left out, empty is as not set.
 * Throws `ConfigError` that names the variable and never its value, which may hold a password.
 */
export function readProxies(env: NodeJS.ProcessEnv): Proxies {
  return {
    http: readProxy('http_proxy', env),
    https: readProxy('https_proxy', env),
    except: env.no_proxy ?? env.NO_PROXY ?? '',
  }
}

/** What of a proxy must not be told: its password, and the header that it goes into. */
export function secretsOf({ url }: ProxyAddress): string[] {
  const { username, password } = new URL(url)
  if (password === '') return []
  const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)]
  return [secret, password, Buffer.from(`${user}:${secret}`).toString('base64')]
}

function readProxy(name: string, env: NodeJS.ProcessEnv): ProxyAddress | null {
  const variable = env[name] === undefined ? name.toUpperCase() : name
  const text = env[variable]?.trim() ?? ''
  if (text === '') return null
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url === null || !isProxy(url)) {
    throw new ConfigError(`${variable} is set to what is no proxy's address; allowed: ${allowed}`)
  }
  return { variable, url: url.href }
}

function isProxy({ protocol, hostname, pathname, search, hash, username, password }: URL): boolean {
  const isPlain = pathname === '/' && search === '' && hash === ''
  return (
    ['http:', 'https:'].includes(protocol) &&
    hostname !== '' &&
    isPlain &&
    [username, password].every(isEncoded)
  )
}

/** A lone % would be found only when the first request is sent. */
function isEncoded(text: string): boolean {
  return !/%(?![\da-f]{2})/i.test(text)
}
