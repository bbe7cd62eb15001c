import type { DatabaseSync } from 'node:sqlite'

/** Runs `work` in one transaction: all of it is durable when this returns, or none of it is. */
export function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    work()
    db.exec('COMMIT')
  } catch (error) {
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
