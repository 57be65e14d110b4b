/**
 * Puts a backup in the place of the present: into a new database that takes the old one's name, or,
 * where a right is missing for that, into the old one in one transaction. Whatever refuses it does so
 * in the first half, before the present is saved: a new database is filled and compared by then.
 *
 * @internal
 */
import { Effect, Either, Option, type Scope } from "effect"
import { BackupError } from "../../BackupError.js"
import * as Replacement from "../../Replacement.js"
import type { HoldOptions, Payload, Restored } from "../Strategy.js"
import * as Archive from "./Archive.js"
import * as Extensions from "./Extensions.js"
import * as Failure from "./Failure.js"
import * as Fill from "./Fill.js"
import * as InPlace from "./InPlace.js"
import * as Kept from "./Kept.js"
import type { Maintenance } from "./Maintenance.js"
import * as Maintenances from "./Maintenance.js"
import * as Names from "./Names.js"
import * as Obstacles from "./Obstacles.js"
import * as Properties from "./Properties.js"
import * as Rights from "./Rights.js"
import * as Scratch from "./Scratch.js"
import * as Server from "./Server.js"
import * as Sessions from "./Session.js"
import { identifier } from "./Sql.js"
import * as Subscriptions from "./Subscriptions.js"
import * as Swap from "./Swap.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as Tools from "./Tools.js"
import * as Unmade from "./Unmade.js"

export const hold = (
  target: Target,
  database: string,
  payload: Payload,
  options: HoldOptions
): Effect.Effect<InPlace.Held, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    yield* Archive.format(payload.path)
    const reached = yield* Maintenances.open(target, database)
    const { session } = Option.isSome(reached)
      ? reached.value
      : { session: yield* Sessions.open(target, database) }
    const server = yield* Server.facts(session)
    yield* Rights.notStandby(target, server)
    const tool = yield* Tools.forServer(target, "pg_restore", server.major)
    const rights = yield* Rights.read(session)
    const present = yield* Properties.read(session, database)
    if (present !== undefined) yield* Obstacles.refuse(target, session, database)
    const claim = yield* Scratch.claim(session, "restore", database)
    yield* Scratch.exclusively(target, session, claim)
    const serverMajor = server.major
    const job = { target, database, payload, options, tool, serverMajor, present, claim }
    if (Option.isNone(reached) || !rights.createDatabase || present?.row.mine === false) {
      if (present === undefined) {
        return yield* Rights.missingCreate(target, rights, "a restore of a missing database")
      }
      return yield* InPlace.hold(job, whyInPlace(reached, rights))
    }
    return yield* beside(job, reached.value)
  })

interface Job extends InPlace.Job {
  readonly present: Properties.Properties | undefined
  readonly claim: Scratch.Claim
}

const whyInPlace = (reached: Option.Option<Maintenance>, rights: Rights.Rights): string => {
  if (Option.isNone(reached)) return "no other database of the server lets this user in"
  return rights.createDatabase
    ? `the role ${rights.user} does not own the database`
    : `the role ${rights.user} may not create databases (ALTER ROLE ${identifier(rights.user)} CREATEDB)`
}

const beside = (
  job: Job,
  maintenance: Maintenance
): Effect.Effect<InPlace.Held, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    const swept = yield* Scratch.sweep(maintenance, job.database)
    const prepared = yield* prepare(job, maintenance)
    if (prepared._tag === "Left") {
      const { instead, why } = prepared.left
      return yield* Effect.mapError(InPlace.hold(job, why), advising(instead))
    }
    const { filling, fresh, unmade } = prepared.right
    const filled = yield* Fill.fill(job.target, maintenance, unmade, filling)
    yield* job.options.quiesce ?? Effect.void
    const restore = Effect.map(swapped(job, maintenance, fresh), (restored) => ({
      ...restored,
      tables: filled.tables,
      warnings: [
        ...swept.map((left) => `dropped ${left}, left by a killed run`),
        ...restored.warnings,
        ...filled.warnings
      ]
    }))
    return { restore, staysAside: true }
  })

/** Where what is in place hinders a restore there. */
const advising =
  (instead: string | undefined) =>
  (error: BackupError): BackupError =>
    instead === undefined || error.reason !== "InUse"
      ? error
      : new BackupError({ ...error, advice: instead })

/** What is written to the old database until it is renamed stays there: it is set aside with it. */
const swapped = (
  { database, options, present, serverMajor, target }: Job,
  maintenance: Maintenance,
  fresh: string
): Effect.Effect<Omit<Restored, "tables">, BackupError, Running> =>
  Effect.gen(function* () {
    if (present !== undefined) {
      yield* Effect.forEach(Properties.copyTo(fresh, present), maintenance.session.execute)
      yield* Obstacles.refuse(target, maintenance.session, database)
    }
    const subscriptions =
      present === undefined ? [] : yield* Subscriptions.warnings(maintenance.session, database)
    const aside = Names.setAside(database, options.startedAt)
    const setAside = present === undefined ? undefined : aside
    const noOwner = options.noOwner === true
    const kept =
      present === undefined || options.journal === "backup"
        ? Kept.nothing
        : yield* Kept.carry({ target, serverMajor, database, fresh, noOwner })
    const swap = Swap.swap(target, maintenance, {
      live: database,
      oid: present?.row.oid,
      fresh,
      aside,
      comment: present?.row.comment ?? null,
      keeper: kept.keeper
    })
    yield* Replacement.whole(options, { run: swap, setAside: () => setAside })
    return {
      method: present === undefined ? "into a new database" : "into a new database, then renamed",
      setAside,
      kept: kept.tables,
      warnings: [...kept.warnings, ...(present === undefined ? [withoutProperties] : subscriptions)]
    }
  }).pipe(Effect.scoped)

const withoutProperties =
  "the database was missing: its owner is the user of the URL, and settings and grants of the database itself are not restored"

interface Prepared {
  readonly fresh: string
  readonly filling: Parameters<typeof Fill.fill>[3]
  readonly unmade: ReadonlyArray<Unmade.Unmade>
}

interface InPlaceInstead {
  readonly why: string
  /** What to do where that fails as well. */
  readonly instead: string | undefined
}

/**
 * The new database with the tables and no rows, or why there is none: a right may be missing, to give it to its owner, or to
 * set what is set for the old one. That is tried before the work and not learned after it.
 */
const prepare = (
  { claim, database, options, payload, present, target, tool }: Job,
  maintenance: Maintenance
): Effect.Effect<Either.Either<Prepared, InPlaceInstead>, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    const create =
      present === undefined
        ? yield* Archive.createOptions(target, tool, payload.path)
        : Properties.createOptions(present)
    const made = yield* Scratch.makeAnyway(target, maintenance, claim, create)
    const fresh = made.name
    if (present !== undefined) {
      yield* rehearse(target, maintenance, Properties.copyTo(fresh, present))
    }
    const wanted = { target, tool, file: payload.path, database: fresh }
    if (present !== undefined || options.allowIncomplete !== true)
      yield* Extensions.creatable(wanted)
    const filling = {
      tool,
      database: fresh,
      payload,
      onProgress: options.onProgress,
      leniency: options,
      searchPath: present === undefined ? undefined : Properties.searchPath(present),
      analyze: true
    }
    const unmade = [...made.unmade, ...(yield* Fill.prepare(target, filling))]
    // In place it would be whole; who goes on without it need not.
    const mayLack = present === undefined || options.allowIncomplete === true
    const elsewhere = mayLack ? [] : Unmade.extensions(unmade)
    const here =
      elsewhere.length === 0 ? [] : yield* Extensions.presentIn(target, database, elsewhere)
    return here.length > 0
      ? Either.left({
          why: `the extension ${here.join(", ")} can be in no other database of the server`,
          instead: `Go on without the extension ${here.join(", ")} by --allow-incomplete (allowIncomplete): the backup is then restored into a new database, and this one is set aside with it`
        })
      : Either.right({ fresh, filling, unmade })
  }).pipe(
    Effect.catchIf(
      (error) => error.reason === "NotPermitted" && present !== undefined,
      (error) =>
        Effect.succeed(
          Either.left({ why: `a right is missing (${error.found})`, instead: undefined })
        )
    )
  )

/** Whether the statements would be taken. They are for the end: a setting may hinder a restore. */
const rehearse = (
  target: Target,
  { session }: Maintenance,
  statements: ReadonlyArray<string>
): Effect.Effect<void, BackupError> =>
  session.attempt(["BEGIN", ...statements, "ROLLBACK"].join(";\n")).pipe(
    Effect.tapError(() => Effect.ignore(session.attempt("ROLLBACK"))),
    Effect.mapError(Failure.fromPostgres(target))
  )
