import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ConfigError } from '../errors.ts'
import { applicationId, migrate, migrations, schemaVersion } from './migrations.ts'
import { findFile, keepAside, makePrivate, makePrivateFile } from './sqlite-files.ts'
import type { WarnLog } from './store.ts'

const memory = ':memory:'

/** How long a predecessor that is just ending is waited for. */
const lockWaitMs = 2_000

/** Primary result codes, https://www.sqlite.org/rescode.html */
const busy = 5
const corrupt = 11
const notADatabase = 26

const damaged = 'is not a sound SQLite database'

/** Its message goes on from the database's path. */
class RefusedError extends Error {}
class DamagedError extends Error {}

/**
 * Opens a SQLite database for this process alone: its files are private, its schema is the newest,
 * and a write has worked. `location` is a path or `:memory:`. With `create` a missing database is
 * made, and a file that is no sound database is kept under another name, with one warning; without,
 * both are refused. `assertFits` looks at a database of ours before anything is written, and may
 * throw. Throws a ConfigError, one line, when the database can't be had.
 */
export function openDatabase(
  location: string,
  log: WarnLog,
  create: boolean,
  assertFits: (db: DatabaseSync) => void = () => {},
): DatabaseSync {
  const path = location === memory ? memory : resolve(location)
  try {
    if (path === memory) return lockAndMigrate(new DatabaseSync(memory), create, assertFits)
    if (create) return openFile(path, create, log, assertFits)
    if (!existsSync(path)) throw new RefusedError('does not exist: the service makes it at start')
    return openFile(path, create, null, assertFits)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`DATABASE_URL: ${JSON.stringify(path)} ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** With a `log` a damaged file is kept aside, without one it is refused. */
function openFile(
  path: string,
  create: boolean,
  log: WarnLog | null,
  assertFits: (db: DatabaseSync) => void,
): DatabaseSync {
  if (create) makePrivateFile(path)
  const { file, inode } = findFile(path)
  const db = new DatabaseSync(file, { timeout: lockWaitMs })
  try {
    return lockAndMigrate(db, create, assertFits)
  } catch (error) {
    try {
      if (!log || !isDamage(error)) throw error
      // Before it is closed: then SQLite would delete the WAL, unless the database has moved.
      const aside = keepAside(file, inode)
      const message = `${file} ${damaged}: it is kept as ${aside}, and a new one starts`
      if (aside) log.warn({ path: file, kept_as: aside }, message)
    } finally {
      db.close()
    }
  }
  return openFile(file, create, null, assertFits)
}

function lockAndMigrate(
  db: DatabaseSync,
  create: boolean,
  assertFits: (db: DatabaseSync) => void,
): DatabaseSync {
  // By a transaction first: who waits in exclusive mode holds on to a shared lock meanwhile, so
  // that of two processes that start at once neither would get in.
  db.exec('BEGIN EXCLUSIVE; PRAGMA locking_mode = EXCLUSIVE')
  assertUsable(db, create)
  assertFits(db)
  const file = db.location() // null: in memory
  if (file !== null) makePrivate(file)
  db.exec('ROLLBACK') // ends the transaction; the lock stays, that is what exclusive mode means
  // A rollback journal, no WAL: writes are small and rare, and nobody reads beside us. Emptied,
  // not unlinked: FULL syncs that, but no directory, so that after a power cut an unlinked one
  // could be back and undo the last commit (https://www.sqlite.org/pragma.html, "synchronous").
  db.exec('PRAGMA synchronous = FULL; PRAGMA journal_mode = TRUNCATE')
  // A token that was deleted must not stay readable in the file.
  db.exec('PRAGMA secure_delete = ON')
  migrate(db)
  // Changes nothing, but is a write: a disk that takes none is found now, not with a new token.
  db.exec(`PRAGMA user_version = ${migrations.length}`)
  return db
}

/** Changes nothing, so that a database which is not ours stays as it is. */
function assertUsable(db: DatabaseSync, create: boolean): void {
  const id = db.prepare('PRAGMA application_id').get()?.application_id
  const version = schemaVersion(db)
  if (id !== applicationId) {
    const objects = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n
    if (id !== 0 || version !== 0 || objects !== 0) {
      throw new RefusedError('is the database of another program: name another file')
    }
    if (!create) throw new RefusedError('is empty: the service has never used it')
  }
  if (version > migrations.length) {
    throw new RefusedError(
      `was written by a newer version of this program (schema ${version}, known up to ` +
        `${migrations.length}): start that one, or name another file`,
    )
  }
  const check = db.prepare('PRAGMA quick_check(1)').get()?.quick_check
  if (check !== 'ok') throw new DamagedError(String(check))
}

/** Whether a database could not be opened because another process has it open. */
export function isInUse(error: unknown): boolean {
  return error instanceof ConfigError && resultCode(error.cause) === busy
}

function isDamage(error: unknown): boolean {
  return error instanceof DamagedError || [corrupt, notADatabase].includes(resultCode(error))
}

function reasonOf(error: unknown): string {
  if (error instanceof RefusedError) return error.message
  if (isDamage(error)) return `${damaged}: put a good copy there, or name another file`
  if (resultCode(error) === busy) {
    return 'is in use by another process, and only one may have it open: stop that one first'
  }
  const why = error instanceof Error ? error.message : String(error)
  return `can't be opened for writing (${why}): name a file where this user may write`
}

/** SQLite's primary result code; 0 when the error is not SQLite's. */
function resultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
}
