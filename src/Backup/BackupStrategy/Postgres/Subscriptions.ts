/**
 * Subscriptions of logical replication, which belong to one database of a server and are in no restore: the
 * restored one would take from the publisher what the old one has taken already.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { BackupError } from "../../BackupError.js"
import type { Session } from "./Session.js"
import { identifier } from "./Sql.js"

const Row = Schema.Struct({
  name: Schema.String,
  publications: Schema.Array(Schema.String),
  slot: Schema.NullOr(Schema.String)
})

const sql = `SELECT s.subname AS name, s.subpublications AS publications, s.subslotname AS slot
  FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = $1`

const of = (session: Session, database: string) => session.rows(Row, sql, [database])

/**
 * Of the database that is replaced, with the statement for the restored one. What it connects to may hold a
 * password, and is for a superuser to read.
 */
export const warnings = (
  session: Session,
  database: string
): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  Effect.map(of(session, database), (rows) =>
    rows.map(({ name, publications, slot }) => {
      const slotName = slot === null ? "NONE" : `'${slot}'`
      const statement = `CREATE SUBSCRIPTION ${identifier(name)} CONNECTION '...' PUBLICATION ${publications.map(identifier).join(", ")} WITH (connect = false, slot_name = ${slotName})`
      return `the subscription ${name} stays with the database set aside. To have it in the restored one, type there as a superuser, with its connection: ${statement}`
    })
  )

/** In its own database, which cannot be dropped before. The slot at the publisher stays for the next one. */
export const drop = (session: Session, database: string): Effect.Effect<void, BackupError> =>
  Effect.flatMap(of(session, database), (rows) =>
    Effect.forEach(
      rows,
      ({ name }) =>
        Effect.forEach(
          [
            `ALTER SUBSCRIPTION ${identifier(name)} DISABLE`,
            `ALTER SUBSCRIPTION ${identifier(name)} SET (slot_name = NONE)`,
            `DROP SUBSCRIPTION ${identifier(name)}`
          ],
          session.execute,
          { discard: true }
        ),
      { discard: true }
    )
  )
