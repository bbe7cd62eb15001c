import type { FastifyInstance, FastifyRequest } from 'fastify'
import { quote } from '../errors.ts'
import { HttpFailure } from '../problems.ts'
import { pathOf } from '../request-log.ts'

/**
 * Refuses what no route takes before a body is read: `method-not-allowed` where the address takes
 * another method, else `not-found`. To be called before the routes are declared.
 */
export function registerNotFound(app: FastifyInstance): void {
  const addresses: { pattern: RegExp; methods: Set<string> }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = patternOf(url)
    // Of a prefix that ends in a slash it tells the HEAD alone.
    const methods = method === 'HEAD' ? ['GET', 'HEAD'] : [method].flat()
    const known = addresses.find((address) => address.pattern.source === pattern.source)
    if (known) for (const one of methods) known.methods.add(one)
    else addresses.push({ pattern, methods: new Set(methods) })
  })
  app.addHook('onRequest', async (request) => {
    if (request.is404) throw refusal(request)
  })
  // For routes that find nothing themselves: the files of Swagger UI.
  app.setNotFoundHandler((request) => {
    throw refusal(request)
  })

  function refusal({ url, method }: FastifyRequest): HttpFailure {
    const path = pathOf(url)
    const address = addresses.find(({ pattern }) => pattern.test(path))
    if (!address || address.methods.has(method)) {
      return new HttpFailure(
        'not-found',
        `There is nothing at ${quote(path)}. The tables are at /tables, the description of all there is at /docs.`,
      )
    }
    const allow = [...address.methods].sort().join(', ')
    return new HttpFailure(
      'method-not-allowed',
      `${method} is not a method of ${quote(path)}; allowed: ${allow}.`,
      { headers: { allow } },
    )
  }
}

function patternOf(url: string): RegExp {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/:[a-z]+/g, '[^/]*')
  return new RegExp(`^${source}$`)
}
