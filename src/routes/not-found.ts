import type { FastifyInstance } from 'fastify'
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
    const methods = [method].flat()
    const known = addresses.find((address) => address.pattern.source === pattern.source)
    if (known) for (const one of methods) known.methods.add(one)
    else addresses.push({ pattern, methods: new Set(methods) })
  })
  app.addHook('onRequest', async (request) => {
    if (!request.is404) return
    const path = pathOf(request.url)
    const address = addresses.find(({ pattern }) => pattern.test(path))
    if (!address || address.methods.has(request.method)) {
      throw new HttpFailure(
        'not-found',
        `There is nothing at ${quote(path)}. What there is: /docs.`,
      )
    }
    const allow = [...address.methods].sort().join(', ')
    throw new HttpFailure(
      'method-not-allowed',
      `${request.method} is not a method of ${quote(path)}; allowed: ${allow}.`,
      {
        headers: { allow },
      },
    )
  })
}

function patternOf(url: string): RegExp {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:[a-z]+/g, '[^/]+')
    .replace(/\*/g, '.*')
  return new RegExp(`^${source}$`)
}
