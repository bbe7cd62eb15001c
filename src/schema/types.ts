import { type Static, type TSchema, type TUnsafe, Type } from 'typebox'

/**
 * What a column of a record, or an element of a list, can be: a TypeBox schema, and so JSON Schema
 * as OpenAPI 3.1 has it. All columns may be null; a struct becomes nullable by being one.
 */
export type Column =
  | { type: ['string', 'null'] }
  | { type: ['integer', 'null']; format: 'int64' }
  | { type: ['boolean', 'null'] }
  | List
  | Struct
  | Struct<['object', 'null']>

/** A list column, as `array` makes it. */
export interface List extends TUnsafe<unknown[] | null> {
  type: ['array', 'null']
  items: Column
}

/** What `struct` makes: a record, or the shape of a column. It is closed and lacks no column. */
export interface Struct<T = 'object'> extends TUnsafe<Record<string, unknown>> {
  type: T
  properties: Record<string, Column>
  required: string[]
  additionalProperties: false
}

type Nullable<S extends { type: string }> = TUnsafe<Static<S> | null> & {
  type: [S['type'], 'null']
}

/** The same schema, and null. For a literal or an enum use `Type.Union` with `Type.Null()`. */
export function nullable<S extends TSchema & { type: string; const?: never }>(
  schema: S,
): Nullable<S> {
  // A list of types rather than `anyOf`: Swagger UI shows it as "string | null", on one line.
  return Type.Unsafe({ ...schema, type: [schema.type, 'null'] }) as Nullable<S>
}

/** Text: STRING in Spark. */
export function string() {
  return nullable(Type.String())
}

/** A 64-bit integer: BIGINT in Spark. JSON carries those within ±(2^53 - 1) exactly. */
export function long() {
  return Object.assign(nullable(Type.Integer()), { format: 'int64' } as const)
}

/** True or false: BOOLEAN in Spark. */
export function boolean() {
  return nullable(Type.Boolean())
}

/** A list, each element of which is `of` or null. */
export function array(of: Column): List {
  return nullable(Type.Array(orNull(of))) as List
}

/** An object with exactly these columns, in this order, each of which may be null. */
export function struct(columns: Record<string, Column>): Struct {
  const properties = Object.entries(columns).map(([name, column]) => [name, orNull(column)])
  return Type.Unsafe({
    type: 'object',
    properties: Object.fromEntries(properties),
    required: Object.keys(columns),
    additionalProperties: false,
  }) as Struct
}

function orNull(column: Column): TSchema {
  return column.type === 'object' ? nullable(column) : column
}
