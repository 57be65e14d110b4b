/**
 * The databases that earlier restores have set aside.
 *
 * @internal
 */
import { Effect, Option, Order, Schema, type Scope } from "effect"
import { BackupError } from "../../BackupError.js"
import type { SetAside } from "../Strategy.js"
import * as Failure from "./Failure.js"
import * as Maintenances from "./Maintenance.js"
import * as Names from "./Names.js"
import type { Session } from "./Session.js"
import * as Sessions from "./Session.js"
import { identifier } from "./Sql.js"
import * as Subscriptions from "./Subscriptions.js"
import type { Target } from "./Target.js"

/** Newest first. */
export const list = (
  target: Target,
  database: string
): Effect.Effect<ReadonlyArray<SetAside>, BackupError> =>
  anySession(target, database).pipe(
    Effect.flatMap((session) => session.rows(Row, sql)),
    Effect.map((rows) =>
      rows
        .flatMap(({ bytes, name }) =>
          Option.toArray(
            Option.map(Names.setAsideAt(database, name), (at) => ({
              name,
              at,
              bytes: bytes ?? undefined
            }))
          )
        )
        .sort(Order.reverse(Order.mapInput(Order.number, ({ at }: SetAside) => at.epochMillis)))
    ),
    Effect.scoped
  )

/** Only what a restore of this database has set aside, and only where nobody uses it. */
export const drop = (
  target: Target,
  database: string,
  name: string
): Effect.Effect<void, BackupError> => {
  if (Option.isNone(Names.setAsideAt(database, name))) {
    return new BackupError({
      reason: "NotFound",
      subject: target.address,
      expected: `a database that a restore of ${database} has set aside`,
      found: name
    })
  }
  return anySession(target, database).pipe(
    Effect.tap((session) => withoutSubscriptions(target, session, name)),
    Effect.flatMap((session) => session.attempt(`DROP DATABASE ${identifier(name)}`)),
    Effect.catchTag("PostgresError", (error) =>
      error.code === "3D000"
        ? new BackupError({
            reason: "NotFound",
            subject: target.address,
            expected: `the database ${name}`,
            found: "none of this name"
          })
        : Failure.fromPostgres(target)(error)
    ),
    Effect.scoped
  )
}

/** The server drops no database that has one. */
const withoutSubscriptions = (
  target: Target,
  session: Session,
  name: string
): Effect.Effect<void, BackupError> =>
  Effect.flatMap(Subscriptions.warnings(session, name), (found) =>
    found.length === 0
      ? Effect.void
      : Effect.scoped(
          Effect.flatMap(Sessions.open(target, name), (inside) => Subscriptions.drop(inside, name))
        )
  )

/** From wherever this user may connect to. */
const anySession = (
  target: Target,
  database: string
): Effect.Effect<Session, BackupError, Scope.Scope> =>
  Effect.flatMap(
    Maintenances.open(target, database),
    Option.match({
      onSome: ({ session }) => Effect.succeed(session),
      onNone: () => Sessions.open(target)
    })
  )

const Row = Schema.Struct({ name: Schema.String, bytes: Schema.NullOr(Schema.Number) })

const sql = `SELECT datname AS name,
    CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid)::float8 END AS bytes
  FROM pg_database WHERE datname LIKE '%\\_pre\\_restore\\_%'`
