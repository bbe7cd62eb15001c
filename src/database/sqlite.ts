import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { Origin, Store, StoredBan, StoredConsent } from './store.ts'
import { inTransaction } from './transaction.ts'

type ConsentRow = {
  refresh_token: string | null
  mark_reason: string | null
  marked_at_ms: number | null
  first_seen_at_ms: number
}

/** The store in a database that `openDatabase` has opened; closing the store closes it. */
export class SqliteStore implements Store {
  readonly #db: DatabaseSync
  readonly #statements: ReturnType<typeof prepareStatements>
  readonly #inode: number | null

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#statements = prepareStatements(db)
    this.#inode = inodeOf(db)
  }

  openConsent(origin: Origin, nowMs: number): StoredConsent {
    return attempt(`open ${consentOf(origin)}`, () => {
      this.#statements.addConsent.run(...keyOf(origin), nowMs)
      const row = this.#statements.getConsent.get(...keyOf(origin)) as ConsentRow
      const { mark_reason: reason, marked_at_ms: atMs } = row
      return {
        refreshToken: row.refresh_token,
        needsConsent: reason === null || atMs === null ? null : { reason, atMs },
        firstSeenAtMs: row.first_seen_at_ms,
      }
    })
  }

  saveRefreshToken(origin: Origin, token: string, nowMs: number): void {
    if (token === '') throw new TypeError('an empty refresh token is never stored')
    this.#write(`store the refresh token of ${consentOf(origin)}`, () =>
      this.#statements.saveRefreshToken.run(...keyOf(origin), nowMs, token),
    )
  }

  markNeedsConsent(origin: Origin, reason: string, nowMs: number): void {
    this.#write(`mark ${consentOf(origin)}`, () =>
      this.#statements.markNeedsConsent.run(...keyOf(origin), nowMs, reason, nowMs),
    )
  }

  clearMarks(connection: string): number {
    return attempt(`clear the marks of connection ${JSON.stringify(connection)}`, () =>
      Number(this.#statements.clearMarks.run(connection).changes),
    )
  }

  holdsConnections(exceptClientId: string): boolean {
    return attempt(
      'look for connections',
      () => this.#statements.getOtherConsent.get(exceptClientId) !== undefined,
    )
  }

  bans(clientId: string): StoredBan[] {
    return attempt('read the bans', () =>
      (this.#statements.getBans.all(clientId) as StoredBan[]).map((ban) => ({ ...ban })),
    )
  }

  saveBan(clientId: string, endpoint: string | null, untilMs: number, nowMs: number): void {
    this.#write('store a ban', () =>
      inTransaction(this.#db, () => {
        this.#statements.saveBan.run(clientId, endpoint, untilMs)
        this.#statements.dropEndedBans.run(clientId, nowMs)
      }),
    )
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  /** SQLite would go on writing to a file that was removed or moved, where no start finds it. */
  #write(what: string, work: () => void): void {
    attempt(what, () => {
      if (inodeOf(this.#db) !== this.#inode) throw new Error('its file was removed or replaced')
      work()
    })
  }
}

function prepareStatements(db: DatabaseSync) {
  return {
    addConsent: db.prepare(`
      INSERT INTO consents (connection, client_id, fingerprint, first_seen_at_ms)
      VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`),
    getConsent: db.prepare(`
      SELECT refresh_token, mark_reason, marked_at_ms, first_seen_at_ms FROM consents
      WHERE connection = ? AND client_id = ? AND fingerprint = ?`),
    saveRefreshToken: db.prepare(`
      INSERT INTO consents (connection, client_id, fingerprint, first_seen_at_ms, refresh_token)
      VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET refresh_token = excluded.refresh_token`),
    markNeedsConsent: db.prepare(`
      INSERT INTO consents
        (connection, client_id, fingerprint, first_seen_at_ms, mark_reason, marked_at_ms)
      VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE
        SET mark_reason = excluded.mark_reason, marked_at_ms = excluded.marked_at_ms`),
    clearMarks: db.prepare(`
      UPDATE consents SET mark_reason = NULL, marked_at_ms = NULL
      WHERE connection = ? AND mark_reason IS NOT NULL`),
    getOtherConsent: db.prepare('SELECT 1 FROM consents WHERE client_id <> ? LIMIT 1'),
    getBans: db.prepare(`
      SELECT endpoint, until_ms AS untilMs FROM bans WHERE client_id = ?
      ORDER BY endpoint NULLS FIRST`),
    saveBan: db.prepare(`
      INSERT INTO bans (client_id, endpoint, until_ms) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)`),
    dropEndedBans: db.prepare('DELETE FROM bans WHERE client_id = ? AND until_ms <= ?'),
  }
}

/** The inode at the database's path; null in memory, and where nothing is. */
function inodeOf(db: DatabaseSync): number | null {
  const file = db.location()
  return file === null ? null : (statSync(file, { throwIfNoEntry: false })?.ino ?? null)
}

function keyOf({ connection, clientId, fingerprint }: Origin): [string, string, string] {
  return [connection, clientId, fingerprint]
}

function consentOf({ connection }: Origin): string {
  return `the consent of connection ${JSON.stringify(connection)}`
}

/** SQLite's messages name tables and columns, never a value, so that no token gets into one. */
function attempt<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`the database can't ${what}: ${why}`, { cause: error })
  }
}
