import { Type } from 'typebox'
import { ConnectorError, quote } from '../errors.ts'
import { invalidOffset, type Offset } from '../reading/offset.ts'
import type { Reading } from '../reading/reading.ts'
import { getTable } from '../tables/index.ts'
import {
  type OptionName,
  type Options,
  optionNames,
  type ReadParts,
  type Table,
  type TimeRange,
  timeRanges,
} from '../tables/table.ts'
import type { Format } from './format.ts'
import { invalidOption } from './query.ts'

const longestOffset = 8000

/** The parameters of a read, as callers see them. */
export const ReadQuery = Type.Object(
  {
    offset: Type.Optional(
      Type.String({
        description:
          'Where to go on: the `offset` of an earlier answer, a JSON object, URL-encoded. Left out, empty, `null` and `{}` mean: from the start.',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 50,
        default: 50,
        description: "Items a page of Spotify's. `recently_played` always takes all 50.",
      }),
    ),
    max_pages: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          "Pages of Spotify's for this one call, 100 where it is left out. Not for `user_profile`.",
      }),
    ),
    time_range: Type.Optional(
      Type.Unsafe<TimeRange>({
        type: 'string',
        enum: [...timeRanges],
        description:
          'For `top_tracks` and `top_artists` only: about 4 weeks, 6 months (where it is left out), a year.',
      }),
    ),
    connection: Type.Optional(
      Type.String({ default: 'default', description: 'Which account is read.' }),
    ),
    format: Type.Optional(
      Type.Unsafe<Format>({
        type: 'string',
        enum: ['json', 'ndjson'],
        default: 'json',
        description:
          'How the answer is written: as one JSON object, or as a stream of lines. It goes before the `Accept` header.',
      }),
    ),
  },
  { additionalProperties: false },
)

/** The parameters of a read, by type. */
export type ReadQuery = {
  offset?: string
  limit?: number
  max_pages?: number
  time_range?: TimeRange
  connection?: string
  format?: Format
}

/** A read that has been checked whole, and has asked nobody yet. */
export type ReadRequest = {
  table: Table
  options: Options
  start(parts: ReadParts): Reading
}

/**
 * Checks a read's table, options and offset; of the table's options callers may pass those that
 * are external. Throws `table-not-found`, `invalid-option` or `invalid-offset`.
 */
export function readRequest(
  name: string,
  query: ReadQuery,
  external: readonly OptionName[] = optionNames,
): ReadRequest {
  const table = getTable(name)
  for (const option of optionNames) {
    if (query[option] !== undefined && !table.options.includes(option)) {
      throw noSuchOption(table, option, query[option])
    }
    if (query[option] !== undefined && !external.includes(option)) {
      throw notExternal(option, query[option], external)
    }
  }
  if (query.connection === '') throw invalidOption('connection', '', "a connection's name")
  const options: Options = {
    connection: query.connection ?? 'default',
    timeRange: query.time_range ?? 'medium_term',
    limit: query.limit ?? 50,
    maxPages: query.max_pages ?? 100,
  }
  return { table, options, start: table.open(options, parseOffset(query.offset)) }
}

/** The relative URL of the call that goes on from `offset`, with the caller's own parameters. */
export function nextUrl(name: string, query: ReadQuery, offset: Offset): string {
  const given = Object.entries({ ...query, offset: JSON.stringify(offset) })
  return `/tables/${name}/read?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`
}

function parseOffset(text: string | undefined): Offset {
  if (text === undefined || text === '') return {}
  if (text.length > longestOffset)
    throw invalidOffset(`it is longer than ${longestOffset} characters (${quote(text)})`)
  let offset: unknown
  try {
    offset = JSON.parse(text)
  } catch {
    throw invalidOffset(`${quote(text)} is not JSON`)
  }
  if (offset === null) return {}
  if (typeof offset !== 'object' || Array.isArray(offset)) {
    throw invalidOffset(`${quote(text)} is not a JSON object`)
  }
  return offset as Offset
}

function noSuchOption(table: Table, option: OptionName, given: unknown): ConnectorError {
  return new ConnectorError(
    'invalid-option',
    `The table ${table.name} has no option ${option} (given: ${quote(String(given))}); its options: ${table.options.join(', ')}.`,
    { members: { parameter: option, given, allowed: table.options } },
  )
}

function notExternal(
  option: OptionName,
  given: unknown,
  external: readonly OptionName[],
): ConnectorError {
  const allowed = external.length === 0 ? 'none' : external.join(', ')
  return new ConnectorError(
    'invalid-option',
    `The option ${option} may not be passed to this service (given: ${quote(String(given))}). Its operator allows: ${allowed} (EXTERNAL_OPTIONS_ALLOW_LIST). Leave ${option} out, or ask the operator to allow it.`,
    { members: { parameter: option, given, allowed: external } },
  )
}
