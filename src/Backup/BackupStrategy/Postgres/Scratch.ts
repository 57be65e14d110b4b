/**
 * Databases that a run makes for itself, and drops again whatever happens to it.
 *
 * Each is named by whose it is and by its run, and the run holds an advisory lock on the name for
 * as long as it lives: the server gives it back when the run is killed. So a later run can tell what
 * is left over from what another run works with.
 *
 * @internal
 */
import { Effect, Exit, Schedule, Schema, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import { BackupError } from "../../BackupError.js"
import * as Failure from "./Failure.js"
import type { Maintenance } from "./Maintenance.js"
import * as Maintenances from "./Maintenance.js"
import * as Names from "./Names.js"
import type { Session } from "./Session.js"
import { identifier, literal } from "./Sql.js"
import type { Target } from "./Target.js"

/** An empty database, made from template0 with these options, for as long as the scope is open. */
export const make = (
  target: Target,
  maintenance: Maintenance,
  options: {
    readonly purpose: Names.Purpose
    readonly database: string
    /** What stands behind TEMPLATE in CREATE DATABASE. */
    readonly create: string
  }
): Effect.Effect<string, BackupError, Scope.Scope> => {
  const name = Names.scratch(options.purpose, options.database, randomBytes(6).toString("hex"))
  const { session } = maintenance
  const text = `${comment}: ${options.purpose} of ${options.database}`
  const create = session
    .attempt(`CREATE DATABASE ${identifier(name)} TEMPLATE template0 ${options.create}`)
    .pipe(
      // Another program copies template0 at this moment.
      Effect.retry({
        while: ({ code }) => code === "55006",
        schedule: Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(5))
      }),
      Effect.mapError(Failure.fromPostgres(target))
    )
  return Effect.acquireRelease(
    Effect.gen(function* () {
      yield* session.rows(Any, "SELECT pg_advisory_lock($1) IS NULL AS any", [Names.lockKey(name)])
      yield* create
      yield* session
        .execute(`COMMENT ON DATABASE ${identifier(name)} IS ${literal(text)}`)
        .pipe(Effect.onError(() => dropAfterwards(target, maintenance, name)))
      return name
    }),
    () => dropAfterwards(target, maintenance, name)
  )
}

/** Drops what killed runs for this database have left, and tells their names. */
export const sweep = (
  maintenance: Maintenance,
  database: string
): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  Effect.gen(function* () {
    const { session } = maintenance
    const candidates = yield* session.rows(Left, listed, [`${comment}: %`])
    const left = candidates.filter(({ name }) => Names.scratchPurpose(database, name) !== undefined)
    const dropped = yield* Effect.forEach(left, ({ name }) =>
      Effect.acquireUseRelease(
        session.rows(Locked, "SELECT pg_try_advisory_lock($1) AS locked", [Names.lockKey(name)]),
        // Its lock is free, so nobody works with it, unless it is gone already.
        ([row]) =>
          row?.locked === true
            ? drop(session, name).pipe(
                Effect.as([name]),
                // What cannot be dropped is no reason not to restore.
                Effect.catchAll((error) =>
                  Effect.as(Effect.logWarning(`${name} is left over: ${error.message}`), [])
                )
              )
            : Effect.succeed<ReadonlyArray<string>>([]),
        ([row]) =>
          row?.locked === true
            ? Effect.ignore(
                session.rows(Any, "SELECT pg_advisory_unlock($1) AS any", [Names.lockKey(name)])
              )
            : Effect.void
      )
    )
    return dropped.flat()
  })

/** One restore of a database at a time, from wherever: fails with `Locked`. */
export const exclusively = (
  target: Target,
  { session }: Maintenance,
  database: string
): Effect.Effect<void, BackupError> =>
  Effect.flatMap(
    session.rows(Locked, "SELECT pg_try_advisory_lock($1) AS locked", [
      Names.lockKey(`holter restore of ${database}`)
    ]),
    ([row]) =>
      row?.locked === true
        ? Effect.void
        : new BackupError({
            reason: "Locked",
            subject: target.address,
            expected: `no other restore of ${database}`,
            found: "one that is under way",
            advice: "Wait until it has ended"
          })
  )

/** In a session of its own, since the one before may wait for an answer; and not for ever. */
const dropAfterwards = (
  target: Target,
  maintenance: Maintenance,
  name: string
): Effect.Effect<void> =>
  Maintenances.again(target, maintenance).pipe(
    Effect.flatMap((session) => drop(session, name)),
    Effect.scoped,
    Effect.interruptible,
    Effect.timeout("30 seconds"),
    Effect.exit,
    Effect.flatMap((exit) =>
      Exit.isSuccess(exit)
        ? Effect.void
        : Effect.logWarning(`The database ${name} is left over; the next run drops it.`)
    )
  )

/** With the sessions in it: a pg_restore may outlive the run that started it. */
const drop = (session: Session, name: string): Effect.Effect<void, BackupError> =>
  session
    .rows(
      Any,
      "SELECT count(pg_terminate_backend(pid)) > 0 AS any FROM pg_stat_activity WHERE datname = $1",
      [name]
    )
    .pipe(
      Effect.zipRight(session.execute(`DROP DATABASE IF EXISTS ${identifier(name)}`)),
      Effect.retry(Schedule.intersect(Schedule.spaced("200 millis"), Schedule.recurs(5)))
    )

const comment = "Holter"

const Any = Schema.Struct({ any: Schema.Boolean })
const Locked = Schema.Struct({ locked: Schema.Boolean })
const Left = Schema.Struct({ name: Schema.String })

/** With a comment of ours, or none: a run may be killed before it wrote one. */
const listed = `SELECT datname AS name FROM pg_database d
  WHERE datname LIKE 'holter\\_%' AND pg_has_role(datdba, 'USAGE')
    AND coalesce(shobj_description(oid, 'pg_database') LIKE $1, true)`
