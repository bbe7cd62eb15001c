import type { FastifySchemaCompiler } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { ConnectorError, quote } from '../errors.ts'
import { invalidOffset, offsetExample } from '../reading/offset.ts'

/** The query of a route that takes no parameter. */
export const NoQuery = Type.Object({}, { additionalProperties: false })

type Property = {
  type?: string
  enum?: readonly string[]
  minimum?: number
  maximum?: number
}

/**
 * Validates query strings by their schema, for Fastify. Ajv would drop an unknown parameter and
 * take `1e1` and ` 5` for numbers; here everything but the plain form is an `invalid-option` that
 * names the parameter, what was given and what is allowed.
 */
export const queryValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  // Names in the path are for their catalogues to judge; nothing of ours reads a body or a header.
  if (httpPart !== 'querystring') return () => true
  const { properties = {}, additionalProperties } = schema as {
    properties?: Record<string, Property>
    additionalProperties?: boolean
  }
  // What others add to is for the route to judge.
  if (additionalProperties === true) return () => true
  return (query: Record<string, unknown>) => {
    try {
      return { value: parseQuery(properties, query) }
    } catch (error) {
      return { error: error as Error }
    }
  }
}

/** The error for a parameter that is not allowed as given. */
export function invalidOption(parameter: string, given: unknown, allowed: string): ConnectorError {
  return new ConnectorError(
    'invalid-option',
    `${parameter} is ${quote(given)}; allowed: ${allowed}.`,
    { members: { parameter, given: cut(given), allowed } },
  )
}

function parseQuery(
  properties: Record<string, Property>,
  query: Record<string, unknown>,
): Record<string, unknown> {
  const parsed: Record<string, unknown> = {}
  for (const [name, given] of Object.entries(query)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (!property) throw unknownParameter(name, Object.keys(properties))
    if (typeof given !== 'string') {
      throw name === 'offset'
        ? invalidOffset('it is given more than once')
        : invalidOption(name, given, 'one value, given once')
    }
    parsed[name] = parseValue(name, property, given)
  }
  return parsed
}

function parseValue(name: string, property: Property, given: string): string | number {
  if (property.type === 'integer') {
    // Beyond it a number changes on its way into `next`.
    const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = property
    const value = /^(0|[1-9]\d*)$/.test(given) ? Number(given) : Number.NaN
    if (value >= minimum && value <= maximum) return value
    throw invalidOption(name, given, `a plain whole number from ${minimum} to ${maximum}`)
  }
  if (property.enum && !property.enum.includes(given)) {
    throw invalidOption(name, given, property.enum.join(', '))
  }
  return given
}

function unknownParameter(name: string, known: readonly string[]): ConnectorError {
  const allowed = known.length === 0 ? 'no parameters' : known.join(', ')
  const hint = known.includes('offset')
    ? ` To go on where an earlier answer ended, send its whole offset: ${offsetExample}.`
    : ''
  return new ConnectorError(
    'invalid-option',
    `There is no parameter ${quote(name)} here; allowed: ${allowed}.${hint}`,
    { members: { parameter: cut(name), allowed } },
  )
}

function cut(given: unknown): unknown {
  if (typeof given === 'string') return given.slice(0, 100).toWellFormed()
  return Array.isArray(given) ? given.slice(0, 5).map(cut) : given
}
