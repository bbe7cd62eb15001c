import { ConnectorError, quote } from '../errors.ts'

/** JSON that says where a read goes on; callers send it back as it is and don't look inside. */
export type Offset = Record<string, unknown>

/** What a snapshot's offset is good for: this table, this connection, this time range. */
export type Binding = { table: string; connection: string; time_range?: string }

/** An offset made of a place in a list, bound to what it is a place of. */
export function bind(binding: Binding, place: Offset): Offset {
  return { ...binding, ...place }
}

/**
 * The place in a bound offset. Throws `invalid-offset` when it is bound to something else, or says
 * no place.
 */
export function unbind(binding: Binding, offset: Offset): Offset {
  const place = { ...offset }
  for (const [name, expected] of Object.entries(binding)) {
    if (!Object.hasOwn(place, name)) throw invalidOffset(`it has no ${quote(name)}`)
    if (place[name] !== expected) {
      throw invalidOffset(
        `its ${name} is ${quote(place[name])}, and this read's is ${quote(expected)}`,
      )
    }
    delete place[name]
  }
  if (Object.keys(place).length === 0) throw invalidOffset('it says no place to go on from')
  return place
}

/** Throws `invalid-offset` when the place has other fields than these. */
export function requireFields(place: Offset, allowed: readonly string[]): void {
  const unknown = Object.keys(place).find((name) => !allowed.includes(name))
  if (unknown !== undefined) throw invalidOffset(`it has an unknown field ${quote(unknown)}`)
}

/** How an offset is sent, for people. */
export const offsetExample = `offset=${encodeURIComponent('{"cursor":"1795176000123"}')}`

/** The error for an offset that is not ours; `reason` completes "…, but". */
export function invalidOffset(reason: string): ConnectorError {
  return new ConnectorError(
    'invalid-offset',
    `offset has to be the whole "offset" of an earlier answer of this table, as it was and URL-encoded (such as ${offsetExample}), but ${reason}. Leave it out to read from the start.`,
    { members: { parameter: 'offset', example: offsetExample } },
  )
}
