import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { type Access, accessTo, createKeyring } from '../access.ts'
import type { AccessKey } from '../access-keys.ts'
import { HttpFailure, problemResponses } from '../problems.ts'
import { note } from '../request-log.ts'

/** The name of the scheme in the OpenAPI document. */
export const bearer = 'bearer'

const realm = 'lakeflow-spotify'

/**
 * The addresses that are open to all, `/docs` with what is below it. The README and the Dockerfile
 * say the same, and so does the OpenAPI document, through `describeAccess`.
 */
export const openAddresses = ['/livez', '/readyz', '/', '/docs', '/openapi.json', '/callback']
// What tells of all connections at once: a key that is bound to some is not enough.
const whole = ['/metrics']

// Where a browser goes, which can't send a key.
const ticketed = '/connections/:name/authorize'

const usedTicket =
  'The ticket of this link is not for this connection, was used before or is over 15 minutes old. Ask /connections/NAME/check for another link.'

/** What lets a browser begin the consent of one connection, once. */
type Tickets = { spend(ticket: string, connection: string): boolean }

const accesses = new WeakMap<FastifyRequest, Access>()

/** What a request may see. At an address that is open to all: no connection at all. */
export function accessOf(request: FastifyRequest): Access {
  return accesses.get(request) ?? accessTo([])
}

/** Whether a route, named by its pattern, is open to those without a key. */
export function isOpen(pattern: string): boolean {
  return openAddresses.includes(pattern) || pattern.startsWith('/docs/')
}

/**
 * Lets nobody in without an access key where there are keys, but to the open addresses; what no
 * route takes needs one, too. A ticket, which is then used up, does instead where its connection is
 * authorised. To be called before the routes are declared.
 * Source: RFC 6750, sections 2.1 and 3.
 */
export function registerAccess(
  app: FastifyInstance,
  keys: readonly AccessKey[],
  tickets: Tickets | null = null,
): void {
  const find = createKeyring(keys)
  app.addHook('onRequest', async (request) => {
    if (keys.length === 0) {
      accesses.set(request, accessTo(null))
      return
    }
    const pattern = request.routeOptions.url
    if (pattern !== undefined && isOpen(pattern)) return
    const sent = sentKey(request.headers.authorization)
    const { ticket } = request.query as { ticket?: unknown }
    if (sent === null && pattern === ticketed && typeof ticket === 'string') {
      const { name } = request.params as { name: string }
      if (!tickets?.spend(ticket, name)) throw unauthorized(usedTicket)
      accesses.set(request, accessTo([name]))
      return
    }
    if (sent === null) throw unauthorized('The request has no access key.')
    const admitted = find(sent)
    if (admitted === null) {
      throw unauthorized('The access key of the request is none of this service.', 'invalid_token')
    }
    // Which keys are still in use is what one wants to know before one takes a key away.
    note(request, { key: admitted.place })
    if (pattern !== undefined && whole.includes(pattern) && !admitted.access.isWhole) {
      throw unauthorized(
        'The access key is bound to some of the connections, and what is here tells of all of them.',
        'invalid_token',
      )
    }
    accesses.set(request, admitted.access)
  })
}

/** Says in a route's description whether it needs a key; with `required`, that keys there are. */
export function describeAccess(route: RouteOptions, required: boolean): void {
  if (!route.schema || route.schema.hide) return
  const { response } = route.schema as { response?: object }
  route.schema = isOpen(route.url)
    ? { ...route.schema, security: [] }
    : {
        ...route.schema,
        security: [...(required ? [] : [{}]), { [bearer]: [] }],
        response: { ...problemResponses('unauthorized'), ...response },
      }
}

/** What stands behind `Bearer`, whatever it is; null: no key was sent. */
function sentKey(authorization = ''): string | null {
  // RFC 9110, section 11.1: the scheme's case does not matter.
  return /^bearer +(.+)$/is.exec(authorization)?.[1] ?? null
}

function unauthorized(what: string, error?: 'invalid_token'): HttpFailure {
  return new HttpFailure(
    'unauthorized',
    `${what} Send one of those in API_KEYS as "Authorization: Bearer KEY", in no other place.`,
    {
      headers: {
        'www-authenticate': `Bearer realm="${realm}"${error ? `, error="${error}"` : ''}`,
      },
    },
  )
}
