import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { ConfigError } from '../errors.ts'
import type {
  Origin,
  Store,
  StoredAccount,
  StoredBan,
  StoredConnection,
  StoredConsent,
} from './store.ts'
import type { TokenCipher } from './token-cipher.ts'
import { inTransaction } from './transaction.ts'

type AccountColumns = {
  account_id: string | null
  user_id: string | null
  display_name: string | null
}

type ConnectionRow = AccountColumns & {
  name: string
  fingerprint: string
  refresh_token: string
  replaced: string | null
  scopes: string | null
  consented_at_ms: number
}

type ConsentRow = AccountColumns & {
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
  readonly #cipher: TokenCipher

  constructor(db: DatabaseSync, cipher: TokenCipher) {
    this.#db = db
    this.#cipher = cipher
    this.#statements = prepareStatements(db)
    this.#inode = inodeOf(db)
  }

  openConsent(origin: Origin, nowMs: number): StoredConsent {
    return attempt(`open ${consentOf(origin)}`, () => {
      this.#statements.addConsent.run(...keyOf(origin), nowMs)
      const row = this.#statements.getConsent.get(...keyOf(origin)) as ConsentRow
      const { mark_reason: reason, marked_at_ms: atMs } = row
      return {
        refreshToken: this.#open('consents', origin, row.refresh_token),
        needsConsent: reason === null || atMs === null ? null : { reason, atMs },
        account: accountOf(row),
        firstSeenAtMs: row.first_seen_at_ms,
      }
    })
  }

  saveAccount(origin: Origin, account: StoredAccount, nowMs: number): void {
    this.#write(`store the account of ${consentOf(origin)}`, () =>
      this.#statements.saveAccount.run(...keyOf(origin), nowMs, ...columnsOf(account)),
    )
  }

  saveConnection(connection: StoredConnection): void {
    const { origin, refreshToken, account, scopes, consentedAtMs, replaced } = connection
    const { connection: name, clientId, fingerprint } = origin
    if (refreshToken === '') throw new TypeError('an empty refresh token is never stored')
    this.#write(`store ${consentOf(origin)}`, () =>
      inTransaction(this.#db, () => {
        this.#forget(clientId, name)
        const lastSeen = this.#statements.getLastSeen.get(clientId, name)?.fingerprint
        this.#statements.addConnection.run(
          clientId,
          name,
          fingerprint,
          this.#cipher.seal(refreshToken, { table: 'connections', ...origin }),
          replaced ?? (lastSeen === undefined ? null : String(lastSeen)),
          scopes?.join(' ') ?? null,
          consentedAtMs,
        )
        // The same token may have come again: what was known of it is over.
        this.#statements.dropConsent.run(...keyOf(origin))
        this.#statements.saveAccount.run(...keyOf(origin), consentedAtMs, ...columnsOf(account))
      }),
    )
  }

  connections(clientId: string): StoredConnection[] {
    return attempt('read the connections', () =>
      (this.#statements.getConnections.all(clientId) as ConnectionRow[]).map((row) => {
        const origin = { connection: row.name, clientId, fingerprint: row.fingerprint }
        return {
          origin,
          refreshToken: this.#open('connections', origin, row.refresh_token),
          account: accountOf(row) ?? { accountId: null, userId: null, displayName: null },
          scopes: row.scopes?.split(' ').filter(Boolean) ?? null,
          consentedAtMs: row.consented_at_ms,
          replaced: row.replaced,
        }
      }),
    )
  }

  deleteConnection(clientId: string, name: string): boolean {
    let isGone = false
    this.#write(`delete connection ${JSON.stringify(name)}`, () =>
      inTransaction(this.#db, () => {
        isGone = this.#forget(clientId, name)
      }),
    )
    return isGone
  }

  saveRefreshToken(origin: Origin, token: string, nowMs: number): void {
    if (token === '') throw new TypeError('an empty refresh token is never stored')
    this.#write(`store the refresh token of ${consentOf(origin)}`, () =>
      this.#statements.saveRefreshToken.run(
        ...keyOf(origin),
        nowMs,
        this.#cipher.seal(token, { table: 'consents', ...origin }),
      ),
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

  /** The token in a column. Throws a ConfigError: it can be known at start, and nothing mends it. */
  #open<Text extends string | null>(table: string, origin: Origin, text: Text): Text | string {
    if (text === null) return text
    try {
      return this.#cipher.open(text, { table, ...origin })
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new ConfigError(
        `DATABASE_URL: the refresh token of connection ${JSON.stringify(origin.connection)} in the ` +
          `database can't be decrypted (${why}): put a good copy of the file there, or name another`,
        { cause: error },
      )
    }
  }

  /** In the caller's transaction. */
  #forget(clientId: string, name: string): boolean {
    this.#statements.dropConsentOfConnection.run(clientId, name)
    return this.#statements.dropConnection.run(clientId, name).changes > 0
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
      SELECT refresh_token, mark_reason, marked_at_ms, first_seen_at_ms,
        account_id, user_id, display_name
      FROM consents
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
    saveAccount: db.prepare(`
      INSERT INTO consents
        (connection, client_id, fingerprint, first_seen_at_ms, account_id, user_id, display_name)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET account_id = excluded.account_id, user_id = excluded.user_id,
        display_name = excluded.display_name`),
    addConnection: db.prepare(`
      INSERT INTO connections
        (client_id, name, fingerprint, refresh_token, replaced, scopes, consented_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?)`),
    getConnections: db.prepare(`
      SELECT c.name, c.fingerprint, c.refresh_token, c.replaced, c.scopes, c.consented_at_ms,
        o.account_id, o.user_id, o.display_name
      FROM connections c LEFT JOIN consents o
        ON o.connection = c.name AND o.client_id = c.client_id AND o.fingerprint = c.fingerprint
      WHERE c.client_id = ? ORDER BY c.name`),
    dropConnection: db.prepare('DELETE FROM connections WHERE client_id = ? AND name = ?'),
    dropConsent: db.prepare(
      'DELETE FROM consents WHERE connection = ? AND client_id = ? AND fingerprint = ?',
    ),
    dropConsentOfConnection: db.prepare(`
      DELETE FROM consents WHERE (client_id, connection, fingerprint) IN
        (SELECT client_id, name, fingerprint FROM connections WHERE client_id = ? AND name = ?)`),
    getLastSeen: db.prepare(`
      SELECT fingerprint FROM consents WHERE client_id = ? AND connection = ?
      ORDER BY first_seen_at_ms DESC, fingerprint LIMIT 1`),
    clearMarks: db.prepare(`
      UPDATE consents SET mark_reason = NULL, marked_at_ms = NULL
      WHERE connection = ? AND mark_reason IS NOT NULL`),
    // A connection that a consent made has a row there too.
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

function accountOf(row: AccountColumns): StoredAccount | null {
  const { account_id: accountId, user_id: userId, display_name: displayName } = row
  return accountId === null && userId === null ? null : { accountId, userId, displayName }
}

function columnsOf({ accountId, userId, displayName }: StoredAccount) {
  return [accountId, userId, displayName] as const
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
    if (error instanceof ConfigError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`the database can't ${what}: ${why}`, { cause: error })
  }
}
