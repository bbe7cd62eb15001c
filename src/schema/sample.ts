import { type SparkStruct, type SparkType, toSpark } from './spark.ts'
import type { Struct } from './types.ts'

// The first rows are enough to tell what is always null; later ones clear what is null in those only.
const firstRows = 20
const everyNth = 25
const mostUnknown = 100

/** What a few items and rows of one read have shown so far. */
export type Sample = {
  /** Rows of the read, looked at or not. */
  rows: number
  unknownFields: Set<string>
  /** Those that have been null in every row looked at; null before the first. */
  pending: readonly Column[] | null
}

/** Looks at a few of a read's items and rows: what does Spotify send that the schema does not know? */
export type Sampler = {
  look(sample: Sample, item: unknown, record: Record<string, unknown>): void
}

type Column = { path: string; keys: readonly string[]; parent: Column | null }
type Fields = Map<string, Fields | null>

/** A sample in which nothing has been looked at. */
export function emptySample(): Sample {
  return { rows: 0, unknownFields: new Set(), pending: null }
}

/**
 * The columns that were null in every row looked at, dotted; a struct's own name stands for all that
 * is in it. None where the rows are too few to tell.
 */
export function nullColumns({ rows, pending }: Sample): string[] {
  if (rows < firstRows || pending === null) return []
  const all = new Set(pending)
  return pending.filter(({ parent }) => !parent || !all.has(parent)).map(({ path }) => path)
}

/**
 * What looks at the items and rows of a table: the first 20 rows, then every 25th, and every 25th
 * item. So a row costs next to nothing, and a field that Spotify renames is seen at the next read. Of a list
 * the first element stands for all.
 */
export function compileSampler(record: Struct): Sampler {
  const spark = toSpark(record)
  const fields = fieldsOf(spark)
  const columns = columnsOf(spark, null)
  return {
    look(sample, item, row) {
      const nth = sample.rows++
      const isNth = nth % everyNth === 0
      if (nth >= firstRows && !isNth) return
      sample.pending = (sample.pending ?? columns).filter(({ keys }) => isNullAt(row, keys))
      if (isNth) findUnknown(item, fields, '', sample.unknownFields)
    },
  }
}

function fieldsOf({ fields }: SparkStruct): Fields {
  return new Map(
    fields.map(({ name, type }) => {
      const struct = structIn(type)
      return [name, struct && fieldsOf(struct)]
    }),
  )
}

function columnsOf({ fields }: SparkStruct, parent: Column | null): Column[] {
  return fields.flatMap(({ name, type }) => {
    const path = parent ? `${parent.path}.${name}` : name
    const column = { path, keys: [...(parent?.keys ?? []), name], parent }
    const struct = structIn(type)
    return struct ? [column, ...columnsOf(struct, column)] : [column]
  })
}

/** The struct that a column or the elements of its list are. */
function structIn(type: SparkType): SparkStruct | null {
  if (typeof type === 'string') return null
  return type.type === 'struct' ? type : structIn(type.elementType)
}

function isNullAt(row: unknown, keys: readonly string[]): boolean {
  let value = row
  for (const key of keys) {
    value = firstOf(value)
    if (value === null || typeof value !== 'object') return true
    value = (value as Record<string, unknown>)[key]
  }
  return value === null || value === undefined
}

function findUnknown(item: unknown, known: Fields, prefix: string, found: Set<string>): void {
  const object = firstOf(item)
  if (object === null || typeof object !== 'object') return
  for (const [name, value] of Object.entries(object)) {
    const inner = known.get(name)
    if (found.size === mostUnknown) return
    if (inner === undefined) found.add(prefix + name)
    else if (inner !== null) findUnknown(value, inner, `${prefix}${name}.`, found)
  }
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value
}
