import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import type { Origin } from './store.ts'

// Authenticated encryption with a 256-bit key. Sources: NIST SP 800-38D, sections 5.2.1.1 (what is
// authenticated besides) and 8.2.2 (random nonces: one key is good for 2^32 of them).
const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16
const version = 'v1.'

/** Where a sealed text lies: a table, and which of its rows. It opens nowhere else. */
export type Place = { table: string } & Origin

/** Turns refresh tokens into what is stored, and back. */
export type TokenCipher = {
  /** What is to be stored of a token; another text each time. */
  seal(token: string, place: Place): string
  /**
   * The token that was sealed for this place. Throws an Error, which tells nothing of it, when the
   * text was made with another key or for another place, or was changed.
   */
  open(sealed: string, place: Place): string
}

/** Seals with a key of 32 bytes. `random` gives so many bytes, never the same twice. */
export function createTokenCipher(
  key: KeyObject,
  random: (bytes: number) => Buffer = randomBytes,
): TokenCipher {
  return {
    seal(token, place) {
      const nonce = random(nonceBytes)
      const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
      cipher.setAAD(nameOf(place))
      const sealed = Buffer.concat([nonce, cipher.update(token, 'utf8'), cipher.final()])
      return version + Buffer.concat([sealed, cipher.getAuthTag()]).toString('base64url')
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed.slice(version.length), 'base64url')
      if (!sealed.startsWith(version) || bytes.length < nonceBytes + tagBytes) {
        throw new Error('it is not of the form in which this version encrypts')
      }
      const nonce = bytes.subarray(0, nonceBytes)
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
      decipher.setAAD(nameOf(place))
      decipher.setAuthTag(bytes.subarray(-tagBytes))
      try {
        const token = decipher.update(bytes.subarray(nonceBytes, -tagBytes))
        return Buffer.concat([token, decipher.final()]).toString('utf8')
      } catch (error) {
        throw new Error(
          'it was changed, moved here from another row, or encrypted with another key',
          {
            cause: error,
          },
        )
      }
    },
  }
}

/** Stores tokens as they are. */
export const plainCipher: TokenCipher = { seal: (token) => token, open: (text) => text }

/** For those who come without the key, to do what needs no token. */
export const lockedCipher: TokenCipher = { seal: refuse, open: refuse }

function refuse(): never {
  throw new Error('the database is encrypted, and was opened without DATABASE_ENCRYPTION_KEY')
}

/** As JSON, so that no two places have one name. */
function nameOf({ table, connection, clientId, fingerprint }: Place): Buffer {
  return Buffer.from(JSON.stringify([table, connection, clientId, fingerprint]))
}
