import { hash } from 'node:crypto'

/** A short name of a text: 72 bits of its SHA-256, in 12 characters. */
export function hashOf(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 12)
}

/** The digest of a sequence, from that of the sequence without its last text. `''` is of none. */
export function extend(digest: string, text: string): string {
  return hashOf(`${digest} ${text}`)
}
