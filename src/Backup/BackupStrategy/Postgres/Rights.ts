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
