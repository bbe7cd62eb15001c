import cookie from '@fastify/cookie'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Access } from '../access.ts'
import type { Clock } from '../clock.ts'
import { ConnectorError } from '../errors.ts'
import { HttpFailure, noteProblem, problemResponses } from '../problems.ts'
import { note } from '../request-log.ts'
import type { Secrets } from '../secrets.ts'
import { unguessable } from '../short-lived.ts'
import { connectionNames, isConnectionName } from '../spotify/authorisation.ts'
import type { Connections } from '../spotify/connections.ts'
import type { ConsentLinks } from '../spotify/consents.ts'
import type { Tickets } from '../tickets.ts'
import { accessOf } from './access.ts'
import { anyRoute, ok } from './answers.ts'
import { Check, checkConnection, checkExample } from './connection-check.ts'
import { statusExample, statusMembers, statusOf } from './connection-status.ts'
import {
  connectedPage,
  consentHeaders,
  pageType,
  plainType,
  problemPage,
  sendPage,
  wantsPage,
} from './consent-pages.ts'
import { invalidOption, NoQuery } from './query.ts'
import { readerGone } from './reader-gone.ts'

/** What the routes are given. */
export type ConnectionRouteParts = {
  connections: Connections
  links: ConsentLinks
  /** null: nobody has to show an access key. */
  tickets: Tickets | null
  clock: Clock
  secrets: Secrets
  readWaitBudgetMs: number
}

type Parts = ConnectionRouteParts

const ConnectionParams = Type.Object({
  name: Type.String({
    description: `The connection: ${connectionNames}.`,
    examples: ['default'],
  }),
})

const StatusList = Type.Object({ connections: Type.Array(Type.Object(statusMembers)) })

const Connected = Type.Object({
  ...statusMembers,
  also_as: Type.Array(Type.String(), {
    description: 'Other connections of the same account: its rows are read twice.',
  }),
})

// As long as a consent may take.
const cookieMaxAgeS = 600
const browserSecret = /^[\w-]{43}$/

/** Who can be read, whether that is so, and how people let the service read. */
export const connectionRoutes: FastifyPluginAsyncTypebox<{ parts: Parts }> = async (
  app,
  { parts },
) => {
  const { connections, links, tickets } = parts
  await app.register(cookie)

  app.get(
    '/connections',
    {
      schema: {
        operationId: 'listConnections',
        tags: ['connections'],
        summary: 'List the connections',
        description: 'The accounts that can be read, and how each stands. Nobody is asked.',
        querystring: NoQuery,
        response: {
          200: ok('The connections.', StatusList, { connections: [statusExample] }),
          ...problemResponses('invalid-option', ...anyRoute),
        },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      const own = accessOf(request).filter(connections.all())
      return { connections: own.map((one) => statusOf(one.status())) }
    },
  )

  app.get(
    '/connections/:name/check',
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'checkConnection',
        tags: ['connections'],
        summary: 'Check a connection',
        description:
          'Asks Spotify now: a new access token, whose it is, and one item of each table. Where something can not be had, its problem says what to do. `authorize_url` is where the owner consents (again); for a name that is not connected yet, the problem has it.',
        params: ConnectionParams,
        querystring: NoQuery,
        response: {
          200: ok('What can be had.', Check, checkExample),
          ...problemResponses('connection-not-found', 'invalid-option', ...anyRoute),
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params
      note(request, { connection: name })
      const connection = found(name, parts, accessOf(request))
      const signal = readerGone(reply)
      try {
        const check = await checkConnection(connection, {
          signal,
          log: request.log,
          nowMs: parts.clock.now(),
          waitBudgetMs: parts.readWaitBudgetMs,
          authorizeUrl: links.authorizeNow(name),
          problemOf(error) {
            if (signal.aborted) throw error
            return noteProblem(request, error, parts.secrets)
          },
        })
        return reply.header('cache-control', 'no-store').send(check)
      } catch (error) {
        if (!signal.aborted) throw error
        return reply.hijack()
      }
    },
  )

  app.get(
    '/connections/:name/authorize',
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'authorizeConnection',
        tags: ['connections'],
        summary: 'Begin a consent',
        description:
          "To be opened in a browser that is signed in to Spotify as the account to be read: leads to Spotify's consent page, and from there to `/callback`. The connection may be a new one. It has to be finished in the same browser, within 10 minutes.",
        params: ConnectionParams,
        querystring: Type.Object(
          {
            ticket: Type.Optional(
              Type.String({
                description:
                  'Good once, for 15 minutes, in place of an access key: of `authorize_url` in a check or a problem.',
              }),
            ),
            moved: Type.Optional(
              Type.Unsafe<'true'>({
                type: 'string',
                enum: ['true'],
                description: 'Set by the service when it leads to its own public address.',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          302: {
            description: "To the service's own address first, then to Spotify.",
            type: 'null',
          },
          ...problemResponses('connection-not-found', 'invalid-option', ...anyRoute),
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params
      if (!isConnectionName(name)) throw invalidOption('name', name, connectionNames)
      accessOf(request).assertMay(connections, name)
      note(request, { connection: name })
      reply.headers(consentHeaders)
      // The cookie has to be there at the callback, so it is set at the callback's own origin.
      const home = new URL(links.callback())
      if (request.query.moved === undefined && !isAt(home, request)) {
        const url = new URL(links.authorizeNow(name))
        url.searchParams.set('moved', 'true')
        return reply.redirect(url.href)
      }
      const browser = browserOf(request, home) ?? unguessable()
      reply.setCookie(cookieName(home), browser, {
        path: '/',
        httpOnly: true,
        sameSite: 'lax',
        secure: home.protocol === 'https:',
        maxAge: cookieMaxAgeS,
      })
      return reply.redirect(connections.consents.begin(name, browser))
    },
  )

  app.get(
    '/callback',
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'finishConsent',
        tags: ['connections'],
        summary: 'End a consent',
        description:
          'Where Spotify sends the browser back to: exchanges the code, asks whose it is, stores the connection and tells what was granted. A page for those who ask for HTML by name, else JSON. A consent counts once, in the browser that began it; what does not count changes nothing.',
        // Spotify may add others.
        querystring: Type.Object(
          {
            state: Type.Optional(Type.String()),
            code: Type.Optional(Type.String()),
            error: Type.Optional(Type.String({ description: 'Why there is no code.' })),
          },
          { additionalProperties: true },
        ),
        response: {
          200: {
            description: 'The connection is authorised.',
            content: {
              [plainType]: { schema: Connected, example: { ...statusExample, also_as: [] } },
              [pageType]: { schema: { type: 'string' }, example: '<!DOCTYPE html>…' },
            },
          },
          ...problemResponses(
            'consent-failed',
            'credentials-rejected',
            'account-not-allowed',
            'rate-limited',
            'quota-exceeded',
            'upstream-error',
            'upstream-timeout',
            ...anyRoute,
          ),
        },
      },
    },
    async (request, reply) => {
      const isPage = wantsPage(request.headers.accept)
      reply.headers({ ...consentHeaders, vary: 'accept' })
      try {
        const browser = browserOf(request, new URL(links.callback()))
        const connected = await connections.consents.finish(callbackOf(request.query), browser)
        const { connection } = connected
        note(request, { connection: connection.name })
        // Who comes back here has shown no access key: with keys, the log alone tells of others.
        const alsoAs = connected.alsoAs.filter(accessOf(request).may)
        if (isPage) return sendPage(reply, 200, connectedPage({ ...connected, alsoAs }))
        return reply.send({ ...statusOf(connection.status()), also_as: alsoAs })
      } catch (error) {
        if (!isPage) throw error
        const problem = noteProblem(request, error, parts.secrets)
        if (problem.retry_after_s) reply.header('retry-after', String(problem.retry_after_s))
        return sendPage(reply, problem.status, problemPage(problem, againAt(problem.connection)))
      }
    },
  )

  app.delete(
    '/connections/:name',
    {
      schema: {
        operationId: 'deleteConnection',
        tags: ['connections'],
        summary: 'Delete a connection',
        description:
          'Forgets the consent behind a connection and all that was stored of it; reads of it that are under way end. `default` then is what the environment makes it. The owner can also take the consent back, at https://www.spotify.com/account/apps.',
        params: ConnectionParams,
        querystring: NoQuery,
        response: {
          204: { description: 'It is gone.', type: 'null' },
          ...problemResponses('connection-not-found', 'invalid-option', ...anyRoute),
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params
      note(request, { connection: name })
      accessOf(request).get(connections, name)
      if (connections.remove(name)) return reply.code(204).send(null)
      throw new HttpFailure(
        'method-not-allowed',
        `Connection ${name} holds no consent that could be deleted: its credentials come from the environment. Take SPOTIFY_REFRESH_TOKEN (or SPOTIFY_REFRESH_TOKEN_FILE) out of it and restart.`,
        { headers: { allow: '' } },
      )
    },
  )

  /** With tickets, whoever comes back without a consent has to ask for another one. */
  function againAt(connection: unknown): string | null {
    return typeof connection === 'string' && tickets === null ? links.authorize(connection) : null
  }
}

/** The connection; where there is none of that name yet, the problem says where to add it. */
function found(name: string, { connections, links }: Parts, access: Access) {
  try {
    return access.get(connections, name)
  } catch (error) {
    if (!(error instanceof ConnectorError) || !isConnectionName(name) || !access.may(name))
      throw error
    throw new ConnectorError(
      'connection-not-found',
      `${error.message} To add one by that name, open authorize_url in a browser.`,
      { members: { ...error.members, authorize_url: links.authorizeNow(name) }, cause: error },
    )
  }
}

function isAt(home: URL, { headers, protocol }: FastifyRequest): boolean {
  const asked = URL.parse(`${home.protocol}//${headers.host}`)
  return asked?.host === home.host && `${protocol}:` === home.protocol
}

/** Where it is https, no other host of the same domain can set it: RFC 6265bis, section 4.1.3.2. */
function cookieName({ protocol }: URL): string {
  return protocol === 'https:' ? '__Host-consent' : 'consent'
}

/** The secret that the browser was given when it began a consent; null: it has none. */
function browserOf({ cookies }: FastifyRequest, home: URL): string | null {
  const given = cookies[cookieName(home)]
  return given !== undefined && browserSecret.test(given) ? given : null
}

function callbackOf(query: unknown) {
  const { state, code, error } = query as Record<string, unknown>
  return { state: text(state), code: text(code), error: text(error) }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
