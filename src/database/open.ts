import type { KeyObject } from 'node:crypto'
import { ConfigError } from '../errors.ts'
import { assertKeyFits, openTokens } from './encryption.ts'
import { SqliteStore } from './sqlite.ts'
import { openDatabase } from './sqlite-open.ts'
import type { Store, WarnLog } from './store.ts'

const usage = 'write sqlite:PATH (such as sqlite:.data/connector.db) or sqlite::memory:'

/**
 * Opens the store that a `DATABASE_URL` names, and makes it where it is missing; with
 * `create: false` a missing, empty or damaged one is refused instead. `keys` of 32 bytes encrypt its
 * refresh tokens, the first of them from now on; without the option no token can be asked for where
 * they are encrypted. Blocks for up to 2 s while
 * another process holds it. Throws a ConfigError: one line that says what is wrong and what to do,
 * and tells nothing of the URL but scheme and path, since the rest may hold a password.
 */
export function openStore(
  databaseUrl: string,
  log: WarnLog,
  { create = true, keys }: { create?: boolean; keys?: readonly KeyObject[] } = {},
): Store {
  const scheme = /^sqlite(?=:)|^[a-z][a-z0-9+.-]*(?=:\/\/)/i.exec(databaseUrl)?.[0].toLowerCase()
  switch (scheme) {
    case 'sqlite':
      return openSqlite(sqliteLocation(databaseUrl), log, create, keys)
    case 'postgres':
    case 'postgresql':
      throw unusable(`${scheme}:// is not supported yet by this version`)
    default:
      throw unusable(scheme ? `${scheme}:// is not supported` : 'names no kind of database')
  }
}

function openSqlite(
  location: string,
  log: WarnLog,
  create: boolean,
  keys: readonly KeyObject[] | undefined,
): Store {
  const db = openDatabase(location, log, create, (its) => keys && assertKeyFits(its, keys))
  try {
    return new SqliteStore(db, openTokens(db, keys, log))
  } catch (error) {
    db.close()
    if (error instanceof ConfigError) throw error
    // Somebody changed the tables: SQLite names what the statements miss.
    const why = error instanceof Error ? error.message : String(error)
    throw new ConfigError(
      `DATABASE_URL: not the tables of this program (${why}): name another file`,
    )
  }
}

/** The path, or `:memory:`. What other programs write behind `sqlite:` is refused, not guessed at. */
function sqliteLocation(databaseUrl: string): string {
  const location = databaseUrl.slice('sqlite:'.length)
  if (location.trim() === '') throw unusable('the path is empty')
  if (location.startsWith('//')) throw unusable('sqlite: is followed by a path, without "//"')
  if (location.includes('?')) throw unusable('sqlite: takes no parameters ("?…")')
  if (location.endsWith('/')) throw unusable('the path ends in "/", so it is that of a directory')
  return location
}

function unusable(problem: string): ConfigError {
  return new ConfigError(`DATABASE_URL: ${problem}: ${usage}`)
}
