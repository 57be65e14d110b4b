/**
 * Restores into the database itself, in one transaction: for who may neither create nor rename
 * databases. Programs that use it wait meanwhile; if it fails, nothing has changed.
 *
 * It has two halves. The transaction first keeps others from writing; then, while they wait, the
 * pre-restore backup is made, which reads beside it; then it goes on. So no commit is in neither.
 *
 * @internal
 */
import { Effect, Schema, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import type { BackupError } from "../../BackupError.js"
import * as Replacement from "../../Replacement.js"
import type { HoldOptions, Payload, Restored } from "../Strategy.js"
import * as Extensions from "./Extensions.js"
import * as Fill from "./Fill.js"
import * as Kept from "./Kept.js"
import * as Locks from "./Locks.js"
import * as Outcome from "./Outcome.js"
import type { Psql } from "./Psql.js"
import * as Psqls from "./Psql.js"
import * as Rehearsal from "./Rehearsal.js"
import * as Script from "./Script.js"
import * as Sections from "./Sections.js"
import type { Session } from "./Session.js"
import * as Sessions from "./Session.js"
import * as Tables from "./Tables.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as Tools from "./Tools.js"
import * as Unmade from "./Unmade.js"
import * as Verify from "./Verify.js"

export interface Job {
  readonly target: Target
  readonly database: string
  readonly tool: Tools.Tool
  readonly serverMajor: number
  readonly payload: Payload
  readonly options: HoldOptions
}

/** The second half: what comes once the present is saved. */
export interface Held {
  readonly restore: Effect.Effect<Restored, BackupError, Running | Scope.Scope>
  /** The present is renamed, and not changed. */
  readonly staysAside: boolean
}

export const hold = (
  job: Job,
  /** Why not into a new database. */
  why: string
): Effect.Effect<Held, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    const { database, options, payload, serverMajor, target } = job
    const tool = yield* Tools.forServer(target, "psql", serverMajor)
    // A dump that breaks off in the middle changes nothing, but would hold up every program.
    yield* Verify.verify(target, payload, options)
    const observer = yield* Sessions.open(target, database)
    const kept = options.journal === "backup" ? [] : yield* Kept.find(observer)
    const list = yield* listed(job, observer, kept)
    const application = yield* applicationName
    const session = Effect.tap(Psqls.open(target, tool, { database, application }), (psql) =>
      psql.execute(settings)
    )
    yield* Rehearsal.rehearse(target, observer, application, session, (psql) =>
      Effect.gen(function* () {
        yield* dropped(job, psql, list)
        const before = yield* tables(job, psql, [...list, "--schema-only"])
        yield* refuseUnmade(job, [...before, ...(yield* made(job, psql, "post-data", list))])
      })
    )
    const psql = yield* session
    yield* Effect.addFinalizer(() => Locks.end(observer, application))
    const watched = <A, R>(work: Effect.Effect<A, BackupError, R>) =>
      Effect.raceFirst(work, Locks.watch(target, observer, application))
    yield* options.quiesce ?? Effect.void
    yield* psql.execute("BEGIN")
    yield* watched(Locks.all(psql, "EXCLUSIVE"))
    const restore = Effect.gen(function* () {
      const filled = yield* watched(fill(job, psql, list, kept))
      yield* Replacement.whole(options, { run: commit(job, psql), setAside: () => undefined })
      const { absent, restored, unmade } = filled
      return {
        method: "in place, in one transaction",
        setAside: undefined,
        tables: restored.tables,
        kept: kept.map(Kept.named),
        warnings: [
          `in place, since ${why}`,
          ...restored.others
            .filter(Kept.isOther(kept))
            .map((name) => `${name} is not in the backup and stays as it was`),
          ...Fill.unrecorded(payload),
          ...Unmade.warnings(unmade),
          ...Fill.lacking(absent),
          ...(yield* analyze(observer))
        ]
      }
    })
    return { restore, staysAside: false }
  })

const applicationName = Effect.sync(() => `holter restore ${randomBytes(4).toString("hex")}`)

/** pg_restore's list of what to restore, without extensions that are there and the journal that stays. */
const listed = (
  { database, options, payload, target, tool }: Job,
  session: Session,
  kept: ReadonlyArray<Kept.Table>
): Effect.Effect<ReadonlyArray<string>, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    const contents = yield* Extensions.contents(target, tool, payload.path)
    const found = yield* Extensions.look(session, Extensions.named(contents))
    if (options.allowIncomplete !== true) {
      yield* Extensions.refuse(
        target,
        found.forbidden,
        `Let a superuser create it in ${database}, and try again: ${Extensions.statements(found.forbidden)}`
      )
    }
    const { present } = found
    if (present.length === 0 && kept.length === 0) return []
    const wanted = Kept.without(Extensions.without(contents, new Set(present)), kept)
    const file = yield* Sections.writeList(wanted)
    return [`--use-list=${file}`]
  })

interface Filled extends Fill.Judged {
  readonly unmade: ReadonlyArray<Unmade.Unmade>
}

/** Everything but the end of the transaction. */
const fill = (
  job: Job,
  psql: Psql,
  list: ReadonlyArray<string>,
  kept: ReadonlyArray<Kept.Table>
): Effect.Effect<Filled, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    const { options, payload, target } = job
    const { onProgress } = options
    yield* onProgress({ stage: "restore", bytes: 0, total: payload.dump?.contentBytes })
    yield* Locks.all(psql, "ACCESS EXCLUSIVE")
    yield* dropped(job, psql, list)
    const before = yield* tables(job, psql, list)
    if (before.length > 0) yield* refuseUnmade(job, before)
    const rows = before.length === 0 ? list : yield* ofPresent(job, psql, kept)
    yield* psql.feed(Script.withSearchPath(script(job, ["--section=data", ...rows])))
    yield* psql.execute("SELECT pg_catalog.set_config('search_path', '', false)")
    const unmade = [...before, ...(yield* made(job, psql, "post-data", list))]
    yield* refuseUnmade(job, unmade)
    yield* psql.execute("SET client_encoding TO 'UTF8'")
    const judged = yield* Fill.judged(target, psql, {
      payload: Kept.compared(payload, kept),
      onProgress,
      advice: "Nothing has changed. Use another backup",
      mayLack: options.allowIncomplete === true
    })
    return { ...judged, unmade }
  })

const refuseUnmade = (
  { options, target }: Job,
  unmade: ReadonlyArray<Unmade.Unmade>
): Effect.Effect<void, BackupError> =>
  unmade.length === 0 || options.allowIncomplete === true
    ? Effect.void
    : Unmade.refusal(target, unmade, { nothingChanged: "Nothing has changed. " })

/** What pg_restore writes for one transaction. */
const script = ({ options, payload, target, tool }: Job, more: ReadonlyArray<string>) =>
  Script.open(
    target,
    tool,
    ["--no-subscriptions", ...(options.noOwner === true ? ["--no-owner"] : []), ...more],
    payload.path
  )

/** What is there goes: where that does not work, nothing does. */
const dropped = (
  job: Job,
  psql: Psql,
  list: ReadonlyArray<string>
): Effect.Effect<void, BackupError, Running> => {
  const sections = ["--clean", "--if-exists", "--section=pre-data", "--section=post-data"]
  return psql.feed(Script.drops(script(job, [...sections, ...list])))
}

/**
 * The first section; once more with the search path of programs where tables cannot be made, whose generated
 * columns may call what the empty one of pg_restore hides.
 */
const tables = (
  job: Job,
  psql: Psql,
  more: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Unmade.Unmade>, BackupError, Running> =>
  Effect.gen(function* () {
    yield* psql.execute("SAVEPOINT holter")
    const unmade = yield* made(job, psql, "pre-data", more)
    if (!unmade.some(Unmade.isTable)) return unmade
    yield* psql.execute("ROLLBACK TO SAVEPOINT holter")
    return yield* made(job, psql, "pre-data", more, Script.withSearchPath)
  })

/** What cannot be made of this section. */
const made = (
  job: Job,
  psql: Psql,
  section: "pre-data" | "post-data",
  more: ReadonlyArray<string>,
  change: typeof Script.withSearchPath = (text) => text
): Effect.Effect<ReadonlyArray<Unmade.Unmade>, BackupError, Running> =>
  Effect.gen(function* () {
    const unmade = yield* psql.tolerate(change(script(job, [`--section=${section}`, ...more])))
    yield* Sections.fatal(
      job.target,
      unmade.map(({ said }) => said)
    )
    return Sections.wanted(unmade, job.options)
  })

const Relation = Schema.Struct({ relation: Schema.String })

/** The rows of tables that are there: psql would take those of another one for statements. */
const ofPresent = (
  { payload, target, tool }: Job,
  psql: Psql,
  kept: ReadonlyArray<Kept.Table>
): Effect.Effect<ReadonlyArray<string>, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    const present = yield* psql.rows(
      Relation,
      `SELECT n.nspname || ' ' || c.relname AS relation FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`
    )
    const contents = yield* Extensions.contents(target, tool, payload.path)
    const names = new Set(present.map(({ relation }) => relation.replaceAll(/[\r\n]/g, " ")))
    const list = Kept.without(Extensions.ofTables(contents, names), kept)
    return [`--use-list=${yield* Sections.writeList(list)}`]
  })

/** As a session of ours; what a program reads here is JSON. */
const settings = `SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
  WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
    'idle_session_timeout', 'transaction_timeout');
  SELECT pg_catalog.set_config('search_path', '', false);
  SET client_min_messages TO error;
  SET client_encoding TO 'UTF8'`

const Transaction = Schema.Struct({ transaction: Schema.String })

/** From here on nothing else can make it fail. Where the answer is lost, the server is asked. */
const commit = ({ database, target }: Job, psql: Psql): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    const [row] = yield* psql.rows(Transaction, "SELECT txid_current()::text AS transaction")
    yield* psql
      .execute("COMMIT")
      .pipe(
        Effect.catchAll((error) =>
          Outcome.ofTransaction(target, database, row?.transaction ?? "", error)
        )
      )
  })

/** The restore is done: what is only good for its speed is no failure of it. */
const analyze = (session: Session): Effect.Effect<ReadonlyArray<string>> =>
  Tables.onPath(session, undefined, session.execute("ANALYZE")).pipe(
    Effect.as([]),
    Effect.catchAll(({ found }) =>
      Effect.succeed([`no statistics were collected (${found}): run ANALYZE`])
    )
  )
