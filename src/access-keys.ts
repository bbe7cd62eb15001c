import { isConnectionName } from './spotify/authorisation.ts'

// RFC 6750, section 2.1: b64token, which is what a client can send behind "Bearer".
const token = /^[A-Za-z0-9\-._~+/]+=*$/

/** An access key as configured. */
export type AccessKey = {
  key: string
  /** The connections that it is bound to; null: it reads all. */
  connections: readonly string[] | null
}

/**
 * The keys in a text, `key` or `key@connection+connection`, between commas or line ends; or what is
 * wrong with it, in words that go on from where it stands and tell nothing of a key.
 */
export function parseAccessKeys(text: string): AccessKey[] | string {
  const keys: AccessKey[] = []
  for (const [at, member] of text.split(/,|\r?\n/).entries()) {
    const [key = '', binding, ...more] = member.split('@')
    const connections = binding === undefined ? null : binding.split('+')
    if (member === '') return `has nothing where key no. ${at + 1} would be`
    if (!token.test(key)) return `has a key, no. ${at + 1}, of other characters or of none`
    if (more.length > 0 || !(connections?.every(isConnectionName) ?? true)) {
      return `binds key no. ${at + 1} to what is no connection's name`
    }
    if (keys.some((other) => other.key === key)) return `has key no. ${at + 1} twice`
    keys.push({ key, connections })
  }
  return keys
}
