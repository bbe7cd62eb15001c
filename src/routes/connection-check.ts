import { Type } from 'typebox'
import type { Problem } from '../problems.ts'
import type { Connection } from '../spotify/connection.ts'
import { tables } from '../tables/index.ts'
import { callOf, type ReadParts, type Table } from '../tables/table.ts'
import { statusExample, statusMembers, statusOf } from './connection-status.ts'

const MaybeProblem = Type.Optional(Type.Unsafe({ $ref: 'Problem#' }))

/** The OpenAPI schema of a check. */
export const Check = Type.Object({
  ok: Type.Boolean({ description: 'A token could be had, and every table can be read.' }),
  ...statusMembers,
  display_name: Type.Unsafe({ type: ['string', 'null'] }),
  authorize_url: Type.String({
    description:
      'Where the owner consents (again), in a browser. With access keys it holds a ticket that is good once, for 15 minutes.',
  }),
  token: Type.Object({
    ok: Type.Boolean({ description: 'An access token could be had, and the account be asked.' }),
    problem: MaybeProblem,
  }),
  tables: Type.Array(
    Type.Object({ name: Type.String(), ok: Type.Boolean(), problem: MaybeProblem }),
  ),
})

/** A check of a connection where all is well. */
export const checkExample = {
  ok: true,
  ...statusExample,
  display_name: 'Ada',
  authorize_url: 'http://127.0.0.1:8080/connections/default/authorize',
  token: { ok: true },
  tables: tables.map(({ name }) => ({ name, ok: true })),
}

type Parts = Pick<ReadParts, 'nowMs' | 'log'> & {
  signal: AbortSignal
  waitBudgetMs: number
  authorizeUrl: string
  /** The problem that an error is; throws it again where the reader is gone. */
  problemOf(error: unknown): Problem
}

/**
 * Asks Spotify how a connection stands now: a new token, whose it is, and of each table one item.
 * What can't be had is told as the problem that a read would be.
 */
export async function checkConnection(connection: Connection, parts: Parts) {
  const { signal, authorizeUrl, problemOf } = parts
  const token = await outcome(() => connection.check(signal), problemOf)
  const probes = tables.map(async (table) => ({
    name: table.name,
    // Without a token all of them would fail in the same way.
    ...(token.ok ? await outcome(() => probe(table, connection, parts), problemOf) : token),
  }))
  const results = await Promise.all(probes)
  return {
    ok: token.ok && results.every(({ ok }) => ok),
    ...statusOf(connection.status()),
    display_name: connection.account?.displayName ?? null,
    authorize_url: authorizeUrl,
    token,
    tables: results,
  }
}

async function outcome(work: () => Promise<unknown>, problemOf: Parts['problemOf']) {
  try {
    await work()
    return { ok: true }
  } catch (error) {
    return { ok: false, problem: problemOf(error) }
  }
}

/** Reads one page of one item. */
async function probe(table: Table, connection: Connection, parts: Parts): Promise<void> {
  const { nowMs, log, signal, waitBudgetMs } = parts
  const start = table.open(
    { connection: connection.name, timeRange: 'medium_term', limit: 1, maxPages: 1 },
    {},
  )
  const { spotify } = connection.open({
    ...callOf(table),
    signal,
    waitBudgetMs,
  })
  const tally = { mistyped: 0 }
  const reading = start({ spotify, nowMs, log, tally, concurrency: 1, mayStartOver: false })
  await reading.next()
  await reading.return({ offset: null, hasMore: false })
}
