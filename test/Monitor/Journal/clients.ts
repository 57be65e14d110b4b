/**
 * Journals in real databases.
 */
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Layer, Redacted } from "effect"
import * as Journal from "../../../src/Monitor/Journal.js"

export const sqliteClient = (filename: string) =>
  Layer.orDie(SqliteClient.layer({ filename, disableWAL: true, prepareCacheTTL: "5 seconds" }))

export const sqlite = (filename: string, options: Journal.Options = {}) =>
  Layer.provide(Journal.layer(options), sqliteClient(filename))

export const postgresClient = (url: string) =>
  PgClient.layer({ url: Redacted.make(url), maxConnections: 3 })

export const postgres = (url: string, options: Journal.Options = {}) =>
  Layer.provide(Journal.layer(options), postgresClient(url))
