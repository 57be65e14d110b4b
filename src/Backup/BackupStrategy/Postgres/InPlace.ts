/**
 * Restores into the database itself, in one transaction: for who may neither create nor rename
 * databases. Programs that use it wait meanwhile; if it fails, nothing has changed.
 *
 * @internal
 */
import { Duration, Effect, Schema } from "effect"
import { randomBytes } from "node:crypto"
import type { BackupError } from "../../BackupError.js"
import type { Payload, Restored, RestoreOptions } from "../Strategy.js"
import * as Failure from "./Failure.js"
import * as Fill from "./Fill.js"
import type { Session } from "./Session.js"
import * as Sessions from "./Session.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as ToolRun from "./ToolRun.js"
import type { Tool } from "./Tools.js"
import * as Verify from "./Verify.js"

export const restore = (
  target: Target,
  database: string,
  tool: Tool,
  payload: Payload,
  options: RestoreOptions,
  /** Why not into a new database. */
  why: string
): Effect.Effect<Restored, BackupError, Running> =>
  Effect.gen(function* () {
    const { onProgress } = options
    // A dump that breaks off in the middle changes nothing, but would hold up every program.
    yield* Verify.verify(target, payload, { onProgress })
    yield* onProgress({ stage: "restore", bytes: 0, total: payload.dump?.contentBytes })
    const observer = yield* Sessions.open(target, database)
    const application = `holter restore ${randomBytes(4).toString("hex")}`
    const output = yield* Effect.raceFirst(
      ToolRun.run(target, tool, {
        database,
        application,
        args: [
          "--single-transaction",
          "--clean",
          "--if-exists",
          "--exit-on-error",
          "--no-subscriptions",
          payload.path
        ]
      }),
      waitedTooLong(target, observer, application)
    )
    const { others, tables } = yield* Fill.compared(target, {
      database,
      payload,
      onProgress,
      analyze: true,
      advice: "Look at what is there now; the pre-restore backup has what was there before"
    })
    return {
      method: "in place, in one transaction",
      setAside: undefined,
      tables,
      warnings: [
        `in place, since ${why}`,
        ...others.map((name) => `${name} is not in the backup and stays as it was`),
        ...Fill.unrecorded(payload),
        ...output.warnings
      ]
    }
  }).pipe(Effect.scoped)

const Waiting = Schema.Struct({ blockers: Schema.String })

/** pg_restore itself waits for a lock for ever, with every other program waiting behind it. */
const waitedTooLong = (
  target: Target,
  observer: Session,
  application: string
): Effect.Effect<never, BackupError> =>
  Effect.flatMap(
    observer.rows(Waiting, sql, [application, Duration.toSeconds(target.lockWait)]),
    ([first]) =>
      first === undefined
        ? Effect.delay(waitedTooLong(target, observer, application), "500 millis")
        : Failure.make(target, {
            reason: "Busy",
            expected: `its tables free within ${Duration.format(target.lockWait)}`,
            found: `locks held by ${first.blockers}`,
            advice: "Stop the programs that use the database, and try again"
          })
  )

const sql = `SELECT (SELECT string_agg(concat_ws(' ', b.usename, nullif(b.application_name, ''),
      'pid ' || b.pid), ', ')
    FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids(a.pid))) AS blockers
  FROM pg_stat_activity a
  WHERE a.application_name = $1 AND a.wait_event_type = 'Lock'
    AND a.query_start < clock_timestamp() - make_interval(secs => $2)
    AND cardinality(pg_blocking_pids(a.pid)) > 0`
