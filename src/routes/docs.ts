import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { problemResponses } from '../problems.ts'
import { bearer, describeAccess } from './access.ts'
import { anyRoute, ok } from './answers.ts'
import { NoQuery } from './query.ts'

const summary = `The tables of a Spotify account over HTTP, for Lakeflow and every other pipeline runner.

List the tables, read one from its start, and call again with the \`offset\` of the answer as long as \`has_more\` is true. No row is lost, torn or doubled in silence: when something is wrong, a problem document (RFC 9457) says what it is and what to do.`

const demoNote =
  '**This is a demo**: the account is simulated and its rows are made up. To read a real one, set SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET, and consent at `/connections/default/authorize`.'

// The pages are whole by themselves: nothing is loaded from anywhere else, and nobody may frame them.
const contentSecurityPolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Collects the OpenAPI description from the routes that are declared behind it. */
export async function registerOpenApi(
  app: FastifyInstance,
  about: { version: string; demo: boolean; hasKeys: boolean },
): Promise<void> {
  app.addHook('onRoute', (route) => describeAccess(route, about.hasKeys))
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Lakeflow Spotify connector',
        version: about.version,
        description: about.demo ? `${demoNote}\n\n${summary}` : summary,
      },
      servers: [{ url: '/', description: 'This service' }],
      security: [],
      components: {
        securitySchemes: {
          [bearer]: {
            type: 'http',
            scheme: 'bearer',
            description:
              'One of the access keys in `API_KEYS`. Where the service has none, nobody needs one.',
          },
        },
      },
      tags: [
        { name: 'tables', description: 'What there is to read, and its rows.' },
        { name: 'connections', description: 'The accounts, and the consent of their owners.' },
        { name: 'operation', description: 'Probes and health.' },
      ],
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `def-${index}`),
    },
  })
}

/** Swagger UI at `/docs`, the document at `/openapi.json`, and `/` that leads to the former. */
export async function registerDocs(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: contentSecurityPolicy,
    uiConfig: {
      tryItOutEnabled: true,
      displayRequestDuration: true,
      // It would hold the page still for half a minute after a read of 1,200 tracks.
      syntaxHighlight: false,
      validatorUrl: null,
      // An access key is gone with the page.
      persistAuthorization: false,
    },
  })
  app.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'getOpenApi',
        tags: ['operation'],
        summary: 'This description',
        querystring: NoQuery,
        response: {
          200: ok(
            'The OpenAPI 3.1 document.',
            { type: 'object', additionalProperties: true },
            { openapi: '3.1.0' },
          ),
          ...problemResponses('invalid-option', ...anyRoute),
        },
      },
    },
    async () => app.swagger(),
  )
  app.get(
    '/',
    {
      schema: {
        operationId: 'openDocs',
        tags: ['operation'],
        summary: 'Leads to Swagger UI',
        querystring: NoQuery,
        response: {
          302: { description: 'To `/docs`.', type: 'null' },
          ...problemResponses('invalid-option', ...anyRoute),
        },
      },
    },
    async (_request, reply) => reply.redirect('/docs'),
  )
}
