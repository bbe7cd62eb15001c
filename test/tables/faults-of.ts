import type { SparkType } from '../../src/schema/spark.ts'

/**
 * What is wrong with a value of a record: where it is not of the schema's type to the letter, fields
 * in their order, or holds an empty object or half a surrogate pair. Null is right everywhere.
 */
export function faultsOf(value: unknown, type: SparkType, path = 'record'): string[] {
  if (value === null) return []
  const wrong = [`${path} is ${JSON.stringify(value)}`]
  if (type === 'string') return typeof value === 'string' && value.isWellFormed() ? [] : wrong
  if (type === 'long') return Number.isSafeInteger(value) ? [] : wrong
  if (type === 'boolean') return typeof value === 'boolean' ? [] : wrong
  if (type.type === 'array') {
    if (!Array.isArray(value)) return wrong
    return value.flatMap((element, at) => faultsOf(element, type.elementType, `${path}[${at}]`))
  }
  if (typeof value !== 'object' || Array.isArray(value)) return wrong
  const found = Object.keys(value).join(', ')
  const wanted = type.fields.map(({ name }) => name).join(', ')
  if (found !== wanted) return [`${path} has the fields ${found || '(none)'}, not ${wanted}`]
  return type.fields.flatMap((field) =>
    faultsOf((value as Record<string, unknown>)[field.name], field.type, `${path}.${field.name}`),
  )
}
