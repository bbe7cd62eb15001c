import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Access } from '../access.ts'
import { problemResponses } from '../problems.ts'
import type { ConnectionStatus } from '../spotify/connection.ts'
import type { Connections } from '../spotify/connections.ts'
import type { GateState } from '../spotify/rate-gate.ts'
import { accessOf } from './access.ts'
import { anyRoute, ok } from './answers.ts'
import { iso, statusExample, statusMembers, statusOf } from './connection-status.ts'
import { NoQuery } from './query.ts'

/** What the routes are given. */
type Parts = {
  connections: Connections
  mode: 'demo' | 'spotify'
  version: string
}

const Up = Type.Object({ status: Type.Unsafe({ const: 'ok', type: 'string' }) })
const instant = statusMembers.consented_at

const Health = Type.Object({
  status: Type.Unsafe({ type: 'string', enum: ['ok', 'degraded'] }),
  mode: Type.Unsafe({ type: 'string', enum: ['demo', 'spotify'] }),
  version: Type.String(),
  connections: Type.Array(Type.Object(statusMembers)),
  gate: Type.Object({
    until: instant,
    endpoints: Type.Unsafe({
      type: 'object',
      additionalProperties: { type: 'object', properties: { until: instant }, required: ['until'] },
      description: "Spotify's endpoints that are shut for themselves.",
    }),
  }),
  database: Type.Object({
    status: Type.Unsafe({ type: 'string', enum: ['ok', 'failing'] }),
    detail: Type.Optional(Type.String()),
  }),
})

const example = {
  status: 'ok',
  mode: 'spotify',
  version: '0.1.0',
  connections: [statusExample],
  gate: { until: null, endpoints: { '/me/playlists': { until: '2026-11-26T07:00:00.000Z' } } },
  database: { status: 'ok' },
}

/** For orchestrators, and for whoever is woken at night. None of them asks Spotify anything. */
export const healthRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, parts) => {
  app.get(
    '/livez',
    {
      schema: {
        operationId: 'getLiveness',
        tags: ['operation'],
        summary: 'Is the process alive?',
        querystring: NoQuery,
        response: {
          200: ok('It can serve.', Up, { status: 'ok' }),
          ...problemResponses(
            'invalid-option',
            'bad-request',
            'host-not-allowed',
            'method-not-allowed',
          ),
        },
      },
    },
    async () => ({ status: 'ok' }),
  )

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        tags: ['operation'],
        summary: 'Should it get traffic?',
        description: 'Never depends on Spotify: an outage there must not take the service out.',
        querystring: NoQuery,
        response: {
          200: ok('It should.', Up, { status: 'ok' }),
          ...problemResponses('invalid-option', ...anyRoute),
        },
      },
    },
    async () => ({ status: 'ok' }),
  )

  app.get(
    '/health',
    {
      schema: {
        operationId: 'getHealth',
        tags: ['operation'],
        summary: 'How does everything stand?',
        description: 'For people and monitors: always 200; `degraded` when something needs a look.',
        querystring: NoQuery,
        response: {
          200: ok('How it stands.', Health, example),
          ...problemResponses('invalid-option', ...anyRoute),
        },
      },
    },
    async (request) => health(parts, accessOf(request)),
  )
}

function health({ connections, mode, version }: Parts, access: Access) {
  const statuses = access.filter(connections.all()).map((connection) => connection.status())
  const gate = connections.gate()
  const unstored = statuses.some((status) => status.unstored)
  const troubled =
    unstored || gate.untilMs !== null || gate.endpoints.length > 0 || statuses.some(isTroubled)
  return {
    status: troubled ? 'degraded' : 'ok',
    mode,
    version,
    connections: statuses.map(statusOf),
    gate: gateOf(gate),
    database: unstored
      ? {
          status: 'failing',
          detail:
            'A rotated refresh token could not be stored, and is in memory only. Do not stop the service before the database can be written: see the log.',
        }
      : { status: 'ok' },
  }
}

/** It can't be read, or soon won't be. Scopes may be missing because the owner wanted it so. */
function isTroubled({ state, daysLeft }: ConnectionStatus): boolean {
  return (state !== 'ok' && state !== 'unknown') || (daysLeft !== null && daysLeft < 0)
}

function gateOf({ untilMs, endpoints }: GateState) {
  return {
    until: iso(untilMs),
    endpoints: Object.fromEntries(
      endpoints.map(({ endpoint, untilMs: until }) => [endpoint, { until: iso(until) }]),
    ),
  }
}
