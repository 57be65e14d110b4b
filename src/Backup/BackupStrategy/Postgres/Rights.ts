/**
 * What the user of the URL may do, asked before any work.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import { BackupError } from "../../BackupError.js"
import * as Failure from "./Failure.js"
import type { Facts } from "./Server.js"
import type { Session } from "./Session.js"
import * as Sessions from "./Session.js"
import { identifier } from "./Sql.js"
import type { Target } from "./Target.js"

const Row = Schema.Struct({ user: Schema.String, createDatabase: Schema.Boolean })

export type Rights = typeof Row.Type

export const read = (session: Session): Effect.Effect<Rights, BackupError> =>
  Effect.flatMap(session.rows(Row, sql), ([row]) =>
    row === undefined ? Effect.dieMessage("the session's role is gone") : Effect.succeed(row)
  )

/** With the statement that grants it. */
export const missingCreate = (target: Target, rights: Rights, what: string): BackupError =>
  Failure.make(target, {
    reason: "NotPermitted",
    expected: `the right to create databases, for ${what}`,
    found: `the role ${rights.user} without it`,
    advice: `Grant it as a superuser: ALTER ROLE ${identifier(rights.user)} CREATEDB`
  })

/**
 * A superuser that restores tables of other roles runs what these have written, as functions of indexes and
 * checks, with all his rights.
 */
export const risks = (target: Target, database: string): Effect.Effect<ReadonlyArray<string>> =>
  Sessions.open(target, database).pipe(
    Effect.flatMap((session) => session.rows(Others, othersSql)),
    Effect.map(([row]) =>
      row === undefined || row.owners.length === 0
        ? []
        : [
            `the role ${row.user} is a superuser, and the database has objects of ${row.owners.join(", ")}: a restore runs their functions with all rights on the server. Use the URL of the role that owns the database, with CREATEDB: ALTER ROLE ${identifier(row.owners[0] ?? "")} CREATEDB`
          ]
    ),
    Effect.scoped,
    // One that is not there has nothing of others.
    Effect.orElseSucceed(() => [])
  )

const Others = Schema.Struct({ user: Schema.String, owners: Schema.Array(Schema.String) })

const othersSql = `SELECT r.rolname AS user, ARRAY(
      SELECT DISTINCT o.rolname::text FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner
      WHERE NOT o.rolsuper AND p.oid >= 16384
      UNION SELECT o.rolname::text FROM pg_class c JOIN pg_roles o ON o.oid = c.relowner
      WHERE NOT o.rolsuper AND c.oid >= 16384 AND c.relkind IN ('r', 'p', 'm', 'v')
      ORDER BY 1 LIMIT 3) AS owners
  FROM pg_roles r WHERE r.rolname = current_user AND r.rolsuper`

export const notStandby = (target: Target, server: Facts): Effect.Effect<void, BackupError> =>
  server.inRecovery
    ? Failure.make(target, {
        reason: "NotPermitted",
        expected: "a server that takes writes",
        found: "a standby",
        advice: "Use the URL of the primary"
      })
    : Effect.void

const sql = `SELECT rolname AS user, rolsuper OR rolcreatedb AS "createDatabase"
  FROM pg_roles WHERE rolname = current_user`
