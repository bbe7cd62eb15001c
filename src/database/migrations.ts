import type { DatabaseSync } from 'node:sqlite'
import { inTransaction } from './transaction.ts'

/** Marks a SQLite file as this service's ("LSPC" in ASCII): `PRAGMA application_id`. */
export const applicationId = 0x4c535043

/**
 * The schema, step by step: entry n leads from version n to n + 1 (`PRAGMA user_version`). Entries
 * that were released never change; a new version is a new entry at the end.
 */
export const migrations: readonly string[] = [
  `
  PRAGMA application_id = ${applicationId};
  CREATE TABLE consents (
    connection TEXT NOT NULL,
    client_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    refresh_token TEXT CHECK (refresh_token <> ''),
    mark_reason TEXT,
    marked_at_ms INTEGER,
    first_seen_at_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, client_id, fingerprint),
    CHECK ((mark_reason IS NULL) = (marked_at_ms IS NULL))
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE bans (client_id TEXT NOT NULL, endpoint TEXT, until_ms INTEGER NOT NULL) STRICT;
  -- NULLs are all different to a unique index; 0 is no TEXT, so it is equal to no endpoint.
  CREATE UNIQUE INDEX bans_key ON bans (client_id, ifnull(endpoint, 0));
  `,
  `
  CREATE TABLE connections (
    client_id TEXT NOT NULL,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    refresh_token TEXT NOT NULL CHECK (refresh_token <> ''),
    replaced TEXT,
    scopes TEXT,
    consented_at_ms INTEGER NOT NULL,
    PRIMARY KEY (client_id, name)
  ) STRICT, WITHOUT ROWID;
  -- Whose a consent is, once it is known; what an app calls a person may be any of the three.
  ALTER TABLE consents ADD COLUMN account_id TEXT;
  ALTER TABLE consents ADD COLUMN user_id TEXT;
  ALTER TABLE consents ADD COLUMN display_name TEXT;
  `,
  `
  -- Its one row is there once tokens are encrypted: a text that is known, sealed with their key, and
  -- whether the file may still hold what it held before.
  CREATE TABLE encryption (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    check_text TEXT NOT NULL,
    leftovers INTEGER NOT NULL CHECK (leftovers IN (0, 1))
  ) STRICT;
  `,
]

/** Brings the schema from the version it has to the newest of `steps`, each in one transaction. */
export function migrate(db: DatabaseSync, steps: readonly string[] = migrations): void {
  for (const [index, step] of steps.entries()) {
    if (index < schemaVersion(db)) continue
    inTransaction(db, () => db.exec(`${step}; PRAGMA user_version = ${index + 1}`))
  }
}

/** The version of the schema that a database has; 0: none yet. */
export function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version)
}
