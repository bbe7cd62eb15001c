import { createHash, timingSafeEqual } from 'node:crypto'
import type { AccessKey } from './access-keys.ts'
import type { Connection } from './spotify/connection.ts'
import { type Connections, connectionNotFound } from './spotify/connections.ts'

/** What the sender of a request may see. Routes ask it, and nobody else, for a connection. */
export type Access = {
  /** Nothing is kept from it: a plain key, or a service without keys. */
  readonly isWhole: boolean
  /** Whether it may know of a connection of this name, be there one or not. */
  may(name: string): boolean
  /** Those of the connections, or of what else is named so, that it may know of. */
  filter<Named extends { name: string }>(all: readonly Named[]): Named[]
  /**
   * Throws `connection-not-found`, naming those that it may know of, where it may not know of a
   * connection of this name.
   */
  assertMay(connections: Pick<Connections, 'all'>, name: string): void
  /** The connection of this name. Throws `connection-not-found`, naming as above. */
  get(connections: Pick<Connections, 'all'>, name: string): Connection
}

/** The access to the connections of these names; null: to all there are. */
export function accessTo(names: readonly string[] | null): Access {
  const may = (name: string) => names === null || names.includes(name)
  const filter = <Named extends { name: string }>(all: readonly Named[]) =>
    all.filter((one) => may(one.name))
  return {
    isWhole: names === null,
    may,
    filter,
    assertMay(connections, name) {
      if (!may(name)) throw connectionNotFound(name, namesOf(filter(connections.all())))
    },
    get(connections, name) {
      const own = filter(connections.all())
      const found = own.find((one) => one.name === name)
      if (found) return found
      throw connectionNotFound(name, namesOf(own))
    },
  }
}

/** A key that was found: its place in the configuration, from 1, and what it may see. */
export type Admitted = { place: number; access: Access }

/**
 * Finds keys by what a request sends. Digests are compared, each of them whole and always all of
 * them, so that the time tells neither a key's characters nor its length nor its place.
 */
export function createKeyring(keys: readonly AccessKey[]): (sent: string) => Admitted | null {
  const entries = keys.map(({ key, connections }, at) => ({
    digest: digestOf(key),
    admitted: { place: at + 1, access: accessTo(connections) },
  }))
  return (sent) => {
    const digest = digestOf(sent)
    let found: Admitted | null = null
    for (const entry of entries) if (timingSafeEqual(entry.digest, digest)) found = entry.admitted
    return found
  }
}

function namesOf(connections: readonly Connection[]): string[] {
  return connections.map(({ name }) => name)
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
