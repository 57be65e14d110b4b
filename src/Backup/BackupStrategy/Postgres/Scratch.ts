/**
 * Databases that a run makes for itself, and drops again whatever happens to it.
 *
 * Each is named by whose it is and by its run, and a session of the run is called by the same name
 * (`application_name`) for as long as it lives. Every session of the cluster sees that, whatever
 * database it is in and whoever it is, which it would not of an advisory lock. So a later run can
 * tell what is left over from what another run works with.
 *
 * @internal
 */
import { Effect, Exit, Schedule, Schema, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import { BackupError } from "../../BackupError.js"
import * as Archive from "./Archive.js"
import * as Failure from "./Failure.js"
import type { Maintenance } from "./Maintenance.js"
import * as Maintenances from "./Maintenance.js"
import * as Names from "./Names.js"
import type { Session } from "./Session.js"
import { identifier, literal } from "./Sql.js"
import type { Target } from "./Target.js"
import type * as Unmade from "./Unmade.js"

/** Calls the session by a name of this run's own: it lives as long as the session does. */
export const claim = (
  session: Session,
  purpose: Names.Purpose,
  database: string
): Effect.Effect<Claim, BackupError> =>
  Effect.gen(function* () {
    const run = yield* Effect.sync(() => randomBytes(6).toString("hex"))
    const name = Names.scratch(purpose, database, run)
    yield* session.execute(`SET application_name = ${literal(name)}`)
    return { name, purpose, database }
  })

export interface Claim {
  readonly name: string
  readonly purpose: Names.Purpose
  readonly database: string
}

/**
 * An empty database, made from template0 with these options, for as long as the scope is open. The
 * claim is of the maintenance session.
 */
const make = (
  target: Target,
  maintenance: Maintenance,
  { database, name, purpose }: Claim,
  /** What stands behind TEMPLATE in CREATE DATABASE. */
  options: string
): Effect.Effect<string, BackupError, Scope.Scope> => {
  const { session } = maintenance
  const text = `${comment}: ${purpose} of ${database}`
  const create = session
    .attempt(`CREATE DATABASE ${identifier(name)} TEMPLATE template0 ${options}`)
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
      yield* create
      yield* session
        .execute(`COMMENT ON DATABASE ${identifier(name)} IS ${literal(text)}`)
        .pipe(Effect.onError(() => dropAfterwards(target, maintenance, name)))
      return name
    }),
    () => dropAfterwards(target, maintenance, name)
  )
}

/**
 * One whose locale may be missing on the server's machine: then it has the server's own, and the locale is the
 * first of what cannot be made.
 */
export const makeAnyway = (
  target: Target,
  maintenance: Maintenance,
  claim: Claim,
  options: string
): Effect.Effect<
  { readonly name: string; readonly unmade: ReadonlyArray<Unmade.Unmade> },
  BackupError,
  Scope.Scope
> =>
  make(target, maintenance, claim, options).pipe(
    Effect.map((name) => ({ name, unmade: [] })),
    Effect.catchIf(
      ({ reason }) => reason === "Incomplete",
      ({ found: said }) =>
        Effect.map(make(target, maintenance, claim, Archive.withoutLocale(options)), (name) => ({
          name,
          unmade: [{ object: "locale of the database", said, statement: "" }]
        }))
    )
  )

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
      drop(session, name).pipe(
        Effect.as([name]),
        // What cannot be dropped is no reason not to restore.
        Effect.catchAll((error) =>
          Effect.as(Effect.logWarning(`${name} is left over: ${error.message}`), [])
        )
      )
    )
    return dropped.flat()
  })

/**
 * One restore of a database at a time, from wherever: fails with `Locked`. Each one is called by its
 * name before it looks for others, so that of two at the same moment none goes on unseen.
 */
export const exclusively = (
  target: Target,
  session: Session,
  { database, name, purpose }: Claim
): Effect.Effect<void, BackupError> =>
  Effect.flatMap(
    session.rows(Other, others, [Names.scratch(purpose, database, ""), name]),
    ([other]) =>
      other === undefined
        ? Effect.void
        : new BackupError({
            reason: "Locked",
            subject: target.address,
            expected: `no other restore of ${database}`,
            found: `one that is under way, by ${other.who}`,
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
const Other = Schema.Struct({ who: Schema.String })
const Left = Schema.Struct({ name: Schema.String })

/** With a comment of ours, or none: a run may be killed before it wrote one. Nobody is called so. */
const listed = `SELECT datname AS name FROM pg_database d
  WHERE datname LIKE 'holter\\_%' AND pg_has_role(datdba, 'USAGE')
    AND coalesce(shobj_description(oid, 'pg_database') LIKE $1, true)
    AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.application_name = d.datname)`

const others = `SELECT concat_ws(' ', r.rolname, 'pid ' || a.pid) AS who
  FROM pg_stat_activity a LEFT JOIN pg_roles r ON r.oid = a.usesysid
  WHERE starts_with(a.application_name, $1) AND a.application_name <> $2`
