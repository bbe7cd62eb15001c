import { DatabaseSync } from 'node:sqlite'
import type { Test } from 'tap'
import { openDatabase } from '../../src/database/sqlite-open.ts'

export type Warning = { details: object; message: string }

/** A log that fails the test when something is told. */
export const silent = (t: Test) => ({
  warn: (_details: object, message: string) => t.fail(message),
})

/** Opens the database, says which bans it holds, and leaves a further one. */
export function use(t: Test, path: string, warnings?: Warning[]): string[] {
  const warn = (details: object, message: string) => warnings?.push({ details, message })
  const db = openDatabase(path, warnings ? { warn } : silent(t), true)
  const ids = db.prepare('SELECT client_id AS id FROM bans ORDER BY id').all()
  db.exec(`INSERT INTO bans (client_id, until_ms) VALUES ('app ${ids.length + 1}', 1)`)
  db.close()
  return ids.map(({ id }) => String(id))
}

/** What another program does to a database. */
export function run(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}
