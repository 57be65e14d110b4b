/**
 * Puts a new database in the place of one that programs are connected to.
 *
 * One transaction renames both. The lock of the first rename holds newcomers, while a second session
 * ends those who are connected already; whoever waited is refused once, since the name that it asked
 * for is another database's by then, and connects to the new one at its next try. Nothing is
 * forbidden in the meantime that would stay forbidden if this run were killed.
 *
 * @internal
 */
import { Effect, Schedule, Schema } from "effect"
import type { PostgresError } from "../../../Postgres/PostgresError.js"
import type { BackupError } from "../../BackupError.js"
import * as Failure from "./Failure.js"
import type { Maintenance } from "./Maintenance.js"
import * as Maintenances from "./Maintenance.js"
import * as Outcome from "./Outcome.js"
import type { Session } from "./Session.js"
import { identifier, literal } from "./Sql.js"
import type { Target } from "./Target.js"

export interface Names {
  readonly live: string
  /** Of the database that is `live` now; undefined where there is none. */
  readonly oid: number | undefined
  readonly fresh: string
  readonly aside: string
  /** What the live database is commented with. */
  readonly comment: string | null
  /** The process of a session in the live database that is ended last: it holds locks until then. */
  readonly keeper: number | undefined
}

/** Not to be interrupted once it has begun: the server ends it by itself, within seconds. */
export const swap = (
  target: Target,
  maintenance: Maintenance,
  names: Names
): Effect.Effect<void, BackupError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const killer = yield* restore(Maintenances.again(target, maintenance))
      const ending = endSessions(killer, names).pipe(
        // An answer is waited for: the session is asked something else afterwards.
        Effect.uninterruptible,
        Effect.repeat(Schedule.spaced("10 millis")),
        Effect.ignore
      )
      yield* attempt(maintenance.session, names).pipe(
        Effect.raceFirst(Effect.interruptible(Effect.zipRight(ending, Effect.never))),
        Effect.catchAll((error) =>
          error.reason === "Unreachable"
            ? settled(target, maintenance, names, error)
            : Effect.flatMap(connected(killer, names.oid), (who) =>
                failure(target, names, error, who)
              )
        )
      )
    }).pipe(Effect.scoped)
  )

const Exists = Schema.Struct({ exists: Schema.Boolean })

/**
 * The connection was lost before the answer came. The server may still be at it, for whoever waits no
 * more: that is ended, and whether it was done shows in the names.
 */
const settled = (
  target: Target,
  maintenance: Maintenance,
  { aside, fresh, live }: Names,
  error: PostgresError
): Effect.Effect<void, BackupError> => {
  const lost = Failure.fromPostgres(target)(error)
  const question = `is there a database ${aside}? Then ${live} is the restored one, otherwise it is as it was`
  return Maintenances.again(target, maintenance).pipe(
    Effect.flatMap((session) =>
      session.rows(Schema.Unknown, endSql, [fresh]).pipe(
        Effect.repeat({
          schedule: Schedule.spaced("200 millis"),
          until: (left) => left.length === 0
        }),
        Effect.timeout("30 seconds"),
        Effect.zipRight(session.rows(Exists, existsSql, [fresh]))
      )
    ),
    Effect.scoped,
    Effect.retry(Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(3))),
    Effect.interruptible,
    Effect.mapError(() => Outcome.unknown(target, lost, question)),
    Effect.flatMap(([row]) => (row?.exists === false ? Effect.void : Outcome.notDone(lost)))
  )
}

/** The session that renames is called by the new database's first name (`Scratch.claim`). */
const endSql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"

const existsSql = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS exists"

const attempt = (session: Session, names: Names): Effect.Effect<void, PostgresError> => {
  const live = identifier(names.live)
  const setAside =
    names.oid === undefined ? [] : [`ALTER DATABASE ${live} RENAME TO ${identifier(names.aside)}`]
  return session
    .attempt(
      [
        "BEGIN",
        ...setAside,
        `ALTER DATABASE ${identifier(names.fresh)} RENAME TO ${live}`,
        `COMMENT ON DATABASE ${live} IS ${names.comment === null ? "NULL" : literal(names.comment)}`,
        "COMMIT"
      ].join(";\n")
    )
    .pipe(Effect.tapError(() => Effect.ignore(session.attempt("ROLLBACK"))))
}

/** By the database's identity: its name is the new one's from one moment to the next. */
const endSessions = (killer: Session, { keeper, oid }: Names): Effect.Effect<void, BackupError> =>
  oid === undefined
    ? Effect.void
    : Effect.asVoid(
        killer.rows(
          Schema.Unknown,
          `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
            JOIN pg_roles r ON r.oid = a.usesysid JOIN pg_roles me ON me.rolname = current_user
            WHERE a.datid = $1::int8::oid AND (me.rolsuper OR NOT r.rolsuper AND (
              pg_has_role(a.usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))
            AND (a.pid <> $2 OR NOT EXISTS (SELECT FROM pg_stat_activity o
              WHERE o.datid = a.datid AND o.usesysid IS NOT NULL AND o.pid <> $2))`,
          [oid, keeper ?? 0]
        )
      )

const Connected = Schema.Struct({ who: Schema.String })

const connected = (
  session: Session,
  oid: number | undefined
): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  Effect.map(
    session.rows(
      Connected,
      `SELECT DISTINCT concat_ws(' ', usename, nullif(application_name, ''), host(client_addr)) AS who
        FROM pg_stat_activity WHERE datid = $1::int8::oid`,
      [oid ?? 0]
    ),
    (rows) => rows.map(({ who }) => who)
  )

const failure = (
  target: Target,
  names: Names,
  error: PostgresError,
  who: ReadonlyArray<string>
): BackupError =>
  error.code === "55006"
    ? Failure.make(
        target,
        {
          reason: "InUse",
          expected: `sessions in ${names.live} that this user may end`,
          found: who.length === 0 ? error.found : `others: ${who.join(", ")}`,
          advice: "Stop these programs, or use a role with pg_signal_backend"
        },
        error
      )
    : Failure.fromPostgres(target)(error)
