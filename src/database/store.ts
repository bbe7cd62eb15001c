/**
 * Which consent a row belongs to: a connection's name, the app's client id, and a fingerprint
 * (SHA-256, hex) of the refresh token the operator configured. Another token in the environment is
 * another origin: it starts afresh. Rows of other origins are kept, so going back to an earlier
 * token finds its rotated successor again.
 */
export type Origin = { connection: string; clientId: string; fingerprint: string }

/** Whose account it is, by what Spotify calls it. One of the ids is there. */
export type StoredAccount = {
  accountId: string | null
  userId: string | null
  displayName: string | null
}

/** A connection that a consent made. Its origin's fingerprint is that of `refreshToken`. */
export type StoredConnection = {
  origin: Origin
  /** The token that the consent brought; a rotated one is kept under the origin. */
  refreshToken: string
  account: StoredAccount
  /** null: Spotify did not say. */
  scopes: readonly string[] | null
  consentedAtMs: number
  /** The fingerprint of the environment's token that it took the place of; null: there was none. */
  replaced: string | null
}

/** What is kept of one origin. Times are Unix milliseconds. */
export type StoredConsent = {
  /** The rotated token that took the place of the configured one; null: never rotated. */
  refreshToken: string | null
  /** Why and since when the token must not be tried; null: it may be. */
  needsConsent: { reason: string; atMs: number } | null
  /** null: not known yet. */
  account: StoredAccount | null
  firstSeenAtMs: number
}

/** Until when (Unix ms) nothing may be sent to an endpoint; `endpoint` null: to none of them. */
export type StoredBan = { endpoint: string | null; untilMs: number }

/**
 * What must survive a restart. Every engine keeps these promises: a method that writes is atomic,
 * and what it wrote is durable (it outlives the process and a power cut; in memory: the store)
 * when it returns. A method that fails throws a plain Error which says what failed and holds no
 * token; nothing is changed then, and the same call works again once the cause is gone. Times are
 * whole Unix milliseconds.
 */
export interface Store {
  /** The row of this origin, made when it is new (`firstSeenAtMs` is then `nowMs`). */
  openConsent(origin: Origin, nowMs: number): StoredConsent
  /**
   * Keeps the rotated token in place of the one before. A mark stays as it is. The row is made when
   * it is new. An empty token is a programming error: it throws a TypeError.
   */
  saveRefreshToken(origin: Origin, token: string, nowMs: number): void
  /** Marks the origin as needing consent; the latest mark counts. The row is made when it is new. */
  markNeedsConsent(origin: Origin, reason: string, nowMs: number): void
  /** Keeps whose consent it is. The row is made when it is new. */
  saveAccount(origin: Origin, account: StoredAccount, nowMs: number): void
  /**
   * Keeps a connection in place of the one of the same app and name that an earlier consent made, of
   * which nothing stays. Where `replaced` is null, it is the origin of that name that was seen last,
   * if there is one. An empty token is a programming error: it throws a TypeError.
   */
  saveConnection(connection: StoredConnection): void
  /** The connections of an app that consents made, by name. */
  connections(clientId: string): StoredConnection[]
  /** Forgets such a connection, its rotated token, mark and account; false where there is none. */
  deleteConnection(clientId: string, name: string): boolean
  /**
   * Takes the marks of a connection away, whatever their origin, so that the same token is tried
   * again; returns how many there were.
   */
  clearMarks(connection: string): number
  /**
   * True when a connection of an app other than `exceptClientId` is stored: then made-up rows must
   * never be served in its place.
   */
  holdsConnections(exceptClientId: string): boolean
  /** The bans of an app, the one for all endpoints first; those that have ended may be among them. */
  bans(clientId: string): StoredBan[]
  /**
   * Keeps a ban; of two for the same endpoint the one that ends later counts. The app's bans that
   * have ended at `nowMs` are dropped on the way.
   */
  saveBan(clientId: string, endpoint: string | null, untilMs: number, nowMs: number): void
  /** Lets go of the database, so that another process can open it. Closing twice is fine. */
  close(): void
}

/** Where a store tells of what the operator should know; a pino logger is one. */
export type WarnLog = { warn(details: object, message: string): void }
