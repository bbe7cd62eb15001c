import { isObject } from '../json.ts'
import { type SparkStruct, type SparkType, toSpark } from './spark.ts'
import type { Struct } from './types.ts'

/** Counts the values that were of another type than the schema's and became null. */
export type Tally = { mistyped: number }

/**
 * Makes a record of an item, which it leaves as it is: every column of the schema in its order and
 * no other, null where the item lacks it, no empty object anywhere, every string well-formed.
 */
export type Projector = (item: unknown, tally: Tally) => Record<string, unknown>

type Source = Record<string, unknown>
type Fill = (source: Source, tally: Tally) => Record<string, unknown>
type Convert = (value: unknown, tally: Tally) => unknown

const scalars = { string: toText, long: toLong, boolean: toBoolean }

/**
 * The projector of a table's records. A value of another type becomes the schema's where that is
 * exact, and otherwise null, counted. An item that is no object gives a record of nulls.
 */
export function compileProjector(record: Struct): Projector {
  const fill = filler(toSpark(record))
  return (item, tally) => {
    if (isObject(item)) return fill(ownFields(item), tally)
    refuse(item, tally)
    return fill({}, tally)
  }
}

// A function of its own for each struct, written out as one object literal: V8 learns the shape of
// what it reads and makes at every place in the code, and one loop for all structs would be one place
// for all shapes. It is 4 times as fast. Nothing but the schema's own column names gets into the code.
function filler({ fields }: SparkStruct): Fill {
  if (fields.some(({ name }) => name === '__proto__')) {
    throw new Error('No column can be named __proto__: to assign it is to set the prototype.')
  }
  const converters = fields.map((_, at) => `c${at}`)
  const columns = fields.map(({ name }, at) => {
    const key = JSON.stringify(name)
    // These are there in every object, inherited.
    const guard = name in Object.prototype ? `!Object.hasOwn(source, ${key}) ? null : ` : ''
    return `${key}: ${guard}${converters[at]}(source[${key}], tally)`
  })
  const body = `return (source, tally) => ({ ${columns.join(', ')} })`
  const make = new Function(...converters, body) as (...convert: Convert[]) => Fill
  return make(...fields.map(({ type }) => converter(type)))
}

function converter(type: SparkType): Convert {
  if (typeof type === 'string') return scalars[type]
  if (type.type === 'struct') {
    const fill = filler(type)
    return (value, tally) => {
      if (!isObject(value)) return refuse(value, tally)
      return isEmpty(value) ? null : fill(ownFields(value), tally)
    }
  }
  const convert = converter(type.elementType)
  return (value, tally) => {
    if (!Array.isArray(value)) return refuse(value, tally)
    return value.map((element) => convert(element, tally))
  }
}

function toText(value: unknown, tally: Tally): string | null {
  if (typeof value === 'string') return value.toWellFormed()
  // Beyond the safe integers JSON.parse has lost digits, which an id would show.
  const exact = typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER
  return exact || typeof value === 'boolean' ? String(value) : refuse(value, tally)
}

function toLong(value: unknown, tally: Tally): number | null {
  const long = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  return Number.isSafeInteger(long) ? (long as number) : refuse(value, tally)
}

function toBoolean(value: unknown, tally: Tally): boolean | null {
  if (typeof value === 'boolean') return value
  const word = typeof value === 'string' ? value.toLowerCase() : undefined
  return word === 'true' || word === 'false' ? word === 'true' : refuse(value, tally)
}

/** Gives null, and counts what is not null itself. */
function refuse(value: unknown, tally: Tally): null {
  if (value !== null && value !== undefined) tally.mistyped += 1
  return null
}

function isEmpty(value: Source): boolean {
  for (const name in value) if (Object.hasOwn(value, name)) return false
  return true
}

/** The object without what it inherits: itself, as JSON.parse makes it, else a copy. */
function ownFields(value: Source): Source {
  return Object.getPrototypeOf(value) === Object.prototype ? value : { ...value }
}
