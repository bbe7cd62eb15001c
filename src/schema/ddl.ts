import { type SparkField, type SparkType, toSpark } from './spark.ts'
import type { Struct } from './types.ts'

const scalars = { string: 'STRING', long: 'BIGINT', boolean: 'BOOLEAN' } as const

/**
 * The record's columns in Spark SQL, such as `id STRING, owner STRUCT<id: STRING>`: what
 * `StructType.fromDDL`, `createDataFrame` and `CREATE TABLE t (…)` take.
 */
export function toDdl(record: Struct): string {
  return columns(toSpark(record).fields, ' ')
}

function columns(fields: SparkField[], separator: string): string {
  return fields.map(({ name, type }) => `${quoted(name)}${separator}${ddlType(type)}`).join(', ')
}

function ddlType(type: SparkType): string {
  if (typeof type === 'string') return scalars[type]
  if (type.type === 'array') return `ARRAY<${ddlType(type.elementType)}>`
  return `STRUCT<${columns(type.fields, ': ')}>`
}

// The rule of Spark's own `StructType.toDDL`: keywords are good names unless
// spark.sql.ansi.enforceReservedKeywords is set, which it is not by default.
function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : `\`${name.replaceAll('`', '``')}\``
}
