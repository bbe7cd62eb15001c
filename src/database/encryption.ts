import type { KeyObject } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { ConfigError, quote } from '../errors.ts'
import type { WarnLog } from './store.ts'
import {
  createTokenCipher,
  lockedCipher,
  type Place,
  plainCipher,
  type TokenCipher,
} from './token-cipher.ts'
import { inTransaction } from './transaction.ts'

const checkText = 'lakeflow-spotify'
const checkPlace = { table: 'encryption', connection: '', clientId: '', fingerprint: '' }

/** The tables that hold refresh tokens, each with its column of the connection's name. */
const holders = { consents: 'connection', connections: 'name' } as const

type Row = { connection: string; client_id: string; fingerprint: string; refresh_token: string }
type State = { check_text: string; leftovers: number }

/**
 * Throws a ConfigError, one line, when the tokens in a database are encrypted and none of the keys
 * fits. Changes nothing, and takes a database whose schema is older or that has none yet.
 */
export function assertKeyFits(db: DatabaseSync, keys: readonly KeyObject[]): void {
  const state = stateOf(db)
  if (state === null || fitting(state, keys) !== undefined) return
  const given = keys.length === 0 ? 'is not set' : 'is another key'
  throw new ConfigError(
    `DATABASE_ENCRYPTION_KEY ${given}, and the refresh tokens in ${pathOf(db)} are encrypted; ` +
      'nothing was changed; allowed: the key that they are encrypted with (to change it: the new ' +
      'key, a comma and the old one); if it is lost, another file in DATABASE_URL and new consents',
  )
}

/**
 * How tokens are stored in a database of the newest schema. With keys they are encrypted with the
 * first: those that were stored plain, or with another of the keys, are encrypted anew in one
 * transaction, and what the file held before is wiped. `keys` undefined: nobody will ask for a
 * token. Throws a ConfigError, one line, when that can't be done.
 */
export function openTokens(
  db: DatabaseSync,
  keys: readonly KeyObject[] | undefined,
  log: WarnLog,
): TokenCipher {
  const state = stateOf(db)
  const [key, ...others] = keys ?? []
  if (key === undefined) return state === null ? plainCipher : lockedCipher
  const cipher = createTokenCipher(key)
  const before = state === null ? plainCipher : fitting(state, keys ?? [])
  if (before === undefined) throw new Error('assertKeyFits lets no database without its key pass')
  try {
    if (state === null || !opens(cipher, state)) encryptAnew(db, before, cipher)
    if (stateOf(db)?.leftovers) wipe(db)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ConfigError(
      `DATABASE_ENCRYPTION_KEY: the refresh tokens in ${pathOf(db)} can't be encrypted (${why}); ` +
        'none was lost: mend that, and start again',
      { cause: error },
    )
  }
  if (others.length > 0) {
    log.warn({}, 'DATABASE_ENCRYPTION_KEY: only the first key is needed from now on')
  }
  return cipher
}

/** null: tokens are stored plain. */
function stateOf(db: DatabaseSync): State | null {
  const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'encryption'").get()
  if (table === undefined) return null
  const row = db.prepare('SELECT check_text, leftovers FROM encryption').get()
  return (row as State | undefined) ?? null
}

function fitting(state: State, keys: readonly KeyObject[]): TokenCipher | undefined {
  return keys.map((key) => createTokenCipher(key)).find((cipher) => opens(cipher, state))
}

function opens(cipher: TokenCipher, { check_text }: State): boolean {
  try {
    return cipher.open(check_text, checkPlace) === checkText
  } catch {
    return false // The answer to the question: it is another key.
  }
}

function encryptAnew(db: DatabaseSync, before: TokenCipher, after: TokenCipher): void {
  inTransaction(db, () => {
    for (const [table, name] of Object.entries(holders)) {
      const rows = db
        .prepare(
          `SELECT ${name} AS connection, client_id, fingerprint, refresh_token FROM ${table}
           WHERE refresh_token IS NOT NULL`,
        )
        .all() as Row[]
      const update = db.prepare(
        `UPDATE ${table} SET refresh_token = ?
         WHERE ${name} = ? AND client_id = ? AND fingerprint = ?`,
      )
      for (const row of rows) {
        const { connection, client_id: clientId, fingerprint, refresh_token } = row
        const place: Place = { table, connection, clientId, fingerprint }
        const sealed = after.seal(before.open(refresh_token, place), place)
        update.run(sealed, connection, clientId, fingerprint)
      }
    }
    db.prepare(
      `INSERT INTO encryption (id, check_text, leftovers) VALUES (1, ?, 1)
       ON CONFLICT DO UPDATE SET check_text = excluded.check_text`,
    ).run(after.seal(checkText, checkPlace))
  })
}

/**
 * Leaves nothing in the file but what is stored: pages that were freed before may hold tokens. A
 * process that dies here wipes at its next start.
 */
function wipe(db: DatabaseSync): void {
  // In memory, since VACUUM's own file would need a place to write beside the database.
  db.exec('PRAGMA temp_store = MEMORY; VACUUM')
  db.exec('UPDATE encryption SET leftovers = 0')
}

function pathOf(db: DatabaseSync): string {
  return quote(db.location() ?? ':memory:')
}
