import type { Column, Struct } from './types.ts'

/** A Spark type as pyspark's `StructType.fromJson` takes it. */
export type SparkType = 'string' | 'long' | 'boolean' | SparkArray | SparkStruct

/** Spark's `ArrayType`. */
export type SparkArray = { type: 'array'; elementType: SparkType; containsNull: true }

/** Spark's `StructType`, keys in the order in which Spark itself writes them. */
export type SparkStruct = { type: 'struct'; fields: SparkField[] }

/** Spark's `StructField`. */
export type SparkField = {
  name: string
  type: SparkType
  nullable: true
  metadata: Record<string, never>
}

const scalars = { string: 'string', integer: 'long', boolean: 'boolean' } as const

/** The Spark schema of a record, which `StructType.fromJson` takes as it is. */
export function toSpark(record: Pick<Struct, 'properties'>): SparkStruct {
  const fields = Object.entries(record.properties).map(
    ([name, column]): SparkField => ({
      name,
      type: sparkType(column),
      nullable: true,
      metadata: {},
    }),
  )
  return { type: 'struct', fields }
}

function sparkType(column: Column): SparkType {
  if ('properties' in column) return toSpark(column)
  if ('items' in column) {
    return { type: 'array', elementType: sparkType(column.items), containsNull: true }
  }
  return scalars[column.type[0]]
}
