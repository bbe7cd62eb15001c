import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type TSchema, Type } from 'typebox'
import type { LastRead, LastReads } from '../last-reads.ts'
import type { Load } from '../load.ts'
import { problemResponses } from '../problems.ts'
import type { ConnectionStatus, Connections } from '../spotify/connections.ts'
import type { GateState } from '../spotify/rate-gate.ts'
import { anyRoute, ok } from './answers.ts'
import { NoQuery } from './query.ts'

/** What the routes are given. */
type Parts = {
  load: Pick<Load, 'objection'>
  connections: Connections
  mode: 'demo' | 'spotify'
  version: string
  lastReads: LastReads
  databaseTrouble(): string | null
}

// What somebody has to look into. Gate and connections tell of others; a table that Spotify does not
// give to the account may be meant so.
const troubling = new Set(['upstream-error', 'upstream-timeout', 'internal'])

const Up = Type.Object({ status: Type.Unsafe({ const: 'ok', type: 'string' }) })
const instant = Type.Unsafe({ type: ['string', 'null'], format: 'date-time' })
const texts = Type.Unsafe({ type: ['array', 'null'], items: { type: 'string' } })

const Health = Type.Object({
  status: Type.Unsafe({ type: 'string', enum: ['ok', 'degraded'] }),
  mode: Type.Unsafe({ type: 'string', enum: ['demo', 'spotify'] }),
  version: Type.String(),
  connections: Type.Array(
    Type.Object({
      name: Type.String(),
      state: Type.Unsafe({
        type: 'string',
        enum: ['ok', 'needs-consent', 'credentials-rejected', 'unknown'],
        description: '`unknown` until Spotify has been asked.',
      }),
      account: Type.Unsafe({ type: ['string', 'null'] }),
      scopes: texts,
      missing_scopes: texts,
      consented_at: instant,
      expires_at: instant,
      days_left: Type.Unsafe({ type: ['integer', 'null'] }),
    }),
  ),
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
  last_reads: Type.Array(
    Type.Object({
      table: Type.String(),
      connection: Type.String(),
      succeeded: orNull({
        at: Type.String({ format: 'date-time' }),
        rows: Type.Integer(),
        outcome: Type.Unsafe({ type: 'string', enum: ['whole', 'more'] }),
      }),
      failed: orNull({ at: Type.String({ format: 'date-time' }), code: Type.String() }),
    }),
    { description: 'How each table was read last since the start.' },
  ),
})

const example = {
  status: 'ok',
  mode: 'spotify',
  version: '0.1.0',
  connections: [
    {
      name: 'default',
      state: 'ok',
      account: null,
      scopes: ['user-library-read'],
      missing_scopes: ['user-top-read'],
      consented_at: '2026-11-25T00:00:00.000Z',
      expires_at: '2027-05-25T00:00:00.000Z',
      days_left: 181,
    },
  ],
  gate: { until: null, endpoints: { '/me/playlists': { until: '2026-11-26T07:00:00.000Z' } } },
  database: { status: 'ok' },
  last_reads: [
    {
      table: 'recently_played',
      connection: 'default',
      succeeded: { at: '2026-11-25T12:00:00.000Z', rows: 12, outcome: 'whole' },
      failed: { at: '2026-11-24T03:00:00.000Z', code: 'upstream-timeout' },
    },
  ],
}

/** For orchestrators, and for whoever is woken at night. None of them asks Spotify anything. */
export const healthRoutes: FastifyPluginAsyncTypebox<{ parts: Parts }> = async (app, { parts }) => {
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
        description:
          'Not while it starts, stops or has too much to do. Never depends on Spotify: an outage there must not take the service out.',
        querystring: NoQuery,
        response: {
          200: ok('It should.', Up, { status: 'ok' }),
          ...problemResponses('invalid-option', 'overloaded', ...anyRoute),
        },
      },
    },
    async () => {
      const objection = parts.load.objection()
      if (objection) throw objection
      return { status: 'ok' }
    },
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
    async () => health(parts),
  )
}

function health({ connections, mode, version, lastReads, databaseTrouble }: Parts) {
  const statuses = connections.all().map((connection) => connection.status())
  const gate = connections.gate()
  const unstored = statuses.some((status) => status.unstored)
  const reads = lastReads.all()
  const trouble = databaseTrouble()
  const troubled =
    unstored ||
    trouble !== null ||
    gate.untilMs !== null ||
    gate.endpoints.length > 0 ||
    statuses.some(isTroubled) ||
    reads.some(needsALook)
  return {
    status: troubled ? 'degraded' : 'ok',
    mode,
    version,
    connections: statuses.map(connectionOf),
    gate: gateOf(gate),
    database: databaseOf(unstored, trouble),
    last_reads: reads.map(lastReadOf),
  }
}

function databaseOf(unstored: boolean, trouble: string | null) {
  if (unstored) {
    return {
      status: 'failing',
      detail:
        'A rotated refresh token could not be stored, and is in memory only. Do not stop the service before the database can be written: see the log.',
    }
  }
  return trouble === null ? { status: 'ok' } : { status: 'failing', detail: trouble }
}

/** Its last read failed, and no good one has come since. */
function needsALook({ isFailing, failed }: LastRead): boolean {
  return isFailing && failed !== null && troubling.has(failed.code)
}

function lastReadOf({ table, connection, succeeded, failed }: LastRead) {
  return {
    table,
    connection,
    succeeded: succeeded && {
      at: iso(succeeded.atMs),
      rows: succeeded.rows,
      outcome: succeeded.outcome,
    },
    failed: failed && { at: iso(failed.atMs), code: failed.code },
  }
}

/** It can't be read, or soon won't be. Scopes may be missing because the owner wanted it so. */
function isTroubled({ state, daysLeft }: ConnectionStatus): boolean {
  return (state !== 'ok' && state !== 'unknown') || (daysLeft !== null && daysLeft < 0)
}

function connectionOf(status: ConnectionStatus) {
  return {
    name: status.name,
    state: status.state,
    account: null,
    scopes: status.scopes,
    missing_scopes: status.missingScopes,
    consented_at: iso(status.consentedAtMs),
    expires_at: iso(status.expiresAtMs),
    days_left: status.daysLeft,
  }
}

function gateOf({ untilMs, endpoints }: GateState) {
  return {
    until: iso(untilMs),
    endpoints: Object.fromEntries(
      endpoints.map(({ endpoint, untilMs: until }) => [endpoint, { until: iso(until) }]),
    ),
  }
}

function orNull(properties: Record<string, TSchema>) {
  return Type.Unsafe({ ...Type.Object(properties), type: ['object', 'null'] })
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
