/**
 * Which consent a row belongs to: a connection's name, the app's client id, and a fingerprint
 * (SHA-256, hex) of the refresh token the operator configured. Another token in the environment is
 * another origin: it starts afresh. Rows of other origins are kept, so going back to an earlier
 * token finds its rotated successor again.
 */
export type Origin = { connection: string; clientId: string; fingerprint: string }

/** What is kept of one origin. Times are Unix milliseconds. */
export type StoredConsent = {
  /** The rotated token that took the place of the configured one; null: never rotated. */
  refreshToken: string | null
  /** Why and since when the token must not be tried; null: it may be. */
  needsConsent: { reason: string; atMs: number } | null
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
