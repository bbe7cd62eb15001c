import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problemResponses } from '../problems.ts'
import { anyRoute } from './answers.ts'
import { NoQuery } from './query.ts'

/** What the route is given. */
type Parts = { metrics: { contentType: string; text(): Promise<string> } }

const example = `# HELP spotify_connector_consent_days_left Days until the account's consent ends, which no refresh prolongs.
# TYPE spotify_connector_consent_days_left gauge
spotify_connector_consent_days_left{connection="default"} 181
`

/** What Prometheus asks for. It asks nobody else. */
export const metricsRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, { metrics }) => {
  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        tags: ['operation'],
        summary: 'What is counted',
        description:
          'Metrics in the text format of Prometheus, each with its meaning. What is of one account carries its name in the label `connection`.',
        querystring: NoQuery,
        response: {
          200: {
            description: 'The metrics.',
            content: { 'text/plain': { schema: { type: 'string' }, example } },
          },
          ...problemResponses('invalid-option', ...anyRoute),
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  )
}
