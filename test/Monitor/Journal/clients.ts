/**
 * Journals in real databases.
 */
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Layer, Redacted } from "effect"
import * as SqliteJournal from "../../../src/Cli/Journal/SqliteClient.js"
import * as Journal from "../../../src/Monitor/Journal.js"

export const sqliteClient = (filename: string) =>
  Layer.orDie(SqliteClient.layer({ filename, disableWAL: true, prepareCacheTTL: "5 seconds" }))

/** A connection of the journal's own: several in one process must not wait for each other in SQLite. */
export const own: Journal.Options = { prepare: SqliteJournal.tune }

export const sqlite = (filename: string, options: Journal.Options = {}) =>
  Layer.provide(Journal.layer({ ...own, ...options }), sqliteClient(filename))

export const postgresClient = (url: string) =>
  PgClient.layer({ url: Redacted.make(url), maxConnections: 3 })

export const postgres = (url: string, options: Journal.Options = {}) =>
  Layer.provide(Journal.layer(options), postgresClient(url))
