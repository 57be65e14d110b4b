/**
 * What has to be known of a server and a database before the work on a backup of it.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { BackupError } from "../../BackupError.js"
import type { Session } from "./Session.js"

const Facts = Schema.Struct({
  database: Schema.String,
  version: Schema.String,
  number: Schema.Number,
  bytes: Schema.Number,
  inRecovery: Schema.Boolean
})

export type Facts = typeof Facts.Type

export const facts = (
  session: Session
): Effect.Effect<Facts & { readonly major: number }, BackupError> =>
  Effect.flatMap(session.rows(Facts, sql), ([row]) =>
    row === undefined
      ? Effect.dieMessage("a SELECT without FROM gave no row")
      : Effect.succeed({ ...row, major: Math.floor(row.number / 10_000) })
  )

const sql = `SELECT current_database() AS database,
    current_setting('server_version') AS version,
    current_setting('server_version_num')::int AS number,
    pg_database_size(current_database())::float8 AS bytes,
    pg_is_in_recovery() AS "inRecovery"`
