import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { problemResponses } from '../problems.ts'
import { toDdl } from '../schema/ddl.ts'
import { toJsonSchema } from '../schema/json-schema.ts'
import { toSpark } from '../schema/spark.ts'
import { getTable, tables } from '../tables/index.ts'
import { type OptionName, optionNames, type Table } from '../tables/table.ts'
import { anyRoute, ok } from './answers.ts'
import { NoQuery } from './query.ts'

/** The path parameter that names a table. */
export const TableParams = Type.Object({
  name: Type.Unsafe<string>({
    type: 'string',
    enum: tables.map(({ name }) => name),
    description: 'The table.',
  }),
})

const formats = ['spark', 'json-schema', 'ddl'] as const
type Format = (typeof formats)[number]

const TableList = Type.Object({
  tables: Type.Array(
    Type.Object({
      name: Type.String(),
      description: Type.String(),
      ingestion_type: Type.Unsafe({ type: 'string', enum: ['snapshot', 'cdc'] }),
      primary_keys: Type.Array(Type.String(), { description: 'Dotted paths into a record.' }),
      cursor_field: Type.Unsafe({ type: ['string', 'null'] }),
      options: Type.Array(Type.Unsafe({ type: 'string', enum: [...optionNames] }), {
        description: 'The options that callers may pass.',
      }),
      scopes: Type.Array(Type.String(), { description: 'What the consent has to allow.' }),
    }),
  ),
})

const Metadata = Type.Object({
  primary_keys: Type.Array(Type.String()),
  ingestion_type: Type.Unsafe({ type: 'string', enum: ['snapshot', 'cdc'] }),
  cursor_field: Type.Optional(Type.String({ description: 'For cdc only.' })),
})

/** What the routes are given: the options that callers may pass. */
type Parts = { externalOptions: readonly OptionName[] }

/** What a runner asks about the tables before it reads. */
export const tableRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, { externalOptions }) => {
  // The catalogue does not change, so it is written once.
  const list = JSON.stringify({ tables: tables.map((table) => listed(table, externalOptions)) })
  app.get(
    '/tables',
    {
      schema: {
        operationId: 'listTables',
        tags: ['tables'],
        summary: 'List the tables',
        description: 'The tables, their keys, their options and the scopes that they need.',
        querystring: NoQuery,
        response: {
          200: ok('The tables.', TableList, {
            tables: tables.slice(0, 1).map((table) => listed(table, optionNames)),
          }),
          ...problemResponses('invalid-option', ...anyRoute),
        },
      },
    },
    async (_request, reply) => reply.type('application/json; charset=utf-8').send(list),
  )

  app.get(
    '/tables/:name/metadata',
    {
      schema: {
        operationId: 'getTableMetadata',
        tags: ['tables'],
        summary: "Get a table's keys",
        description: "To the letter what Lakeflow's `read_table_metadata` returns.",
        params: TableParams,
        querystring: NoQuery,
        response: {
          200: ok('The keys.', Metadata, metadata(getTable('tracks'))),
          ...problemResponses('table-not-found', 'invalid-option', ...anyRoute),
        },
      },
    },
    async ({ params }) => metadata(getTable(params.name)),
  )

  app.get(
    '/tables/:name/schema',
    {
      schema: {
        operationId: 'getTableSchema',
        tags: ['tables'],
        summary: "Get a table's schema",
        description:
          "The schema of a record: Spark's `StructType` JSON, which `StructType.fromJson` takes as it is, a JSON Schema, or a Spark SQL column list.",
        params: TableParams,
        querystring: Type.Object(
          {
            format: Type.Optional(
              Type.Unsafe<Format>({
                type: 'string',
                enum: [...formats],
                default: 'spark',
                description: 'How it is written.',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: {
            description: 'The schema.',
            content: {
              'application/json': {
                schema: { type: 'object', additionalProperties: true },
                example: {
                  type: 'struct',
                  fields: toSpark(getTable('tracks').record).fields.slice(0, 1),
                },
              },
              'application/schema+json': { schema: { type: 'object', additionalProperties: true } },
              'text/plain': { schema: { type: 'string' }, example: 'added_at STRING, …' },
            },
          },
          ...problemResponses('table-not-found', 'invalid-option', ...anyRoute),
        },
      },
    },
    async ({ params, query }, reply) => {
      const { name, description, record } = getTable(params.name)
      const { format = 'spark' } = query as { format?: Format }
      if (format === 'ddl') return reply.type('text/plain; charset=utf-8').send(toDdl(record))
      if (format === 'spark') return toSpark(record)
      const schema = toJsonSchema(record, { title: name, description })
      return reply.type('application/schema+json; charset=utf-8').send(JSON.stringify(schema))
    },
  )
}

function listed(table: Table, externalOptions: readonly OptionName[]) {
  return {
    name: table.name,
    description: table.description,
    ingestion_type: table.ingestionType,
    primary_keys: table.primaryKeys,
    cursor_field: table.cursorField,
    options: table.options.filter((option) => externalOptions.includes(option)),
    scopes: table.scopes,
  }
}

function metadata({ primaryKeys, ingestionType, cursorField }: Table) {
  return {
    primary_keys: primaryKeys,
    ...(cursorField !== null && { cursor_field: cursorField }),
    ingestion_type: ingestionType,
  }
}
