/**
 * Restores a dump into an empty database and compares what came out with the dump's record.
 *
 * @internal
 */
import { Effect, Schedule, Schema } from "effect"
import type { BackupError } from "../../BackupError.js"
import type * as Manifest from "../../Manifest.js"
import type { OnProgress, Payload } from "../Strategy.js"
import * as Archive from "./Archive.js"
import type { Maintenance } from "./Maintenance.js"
import * as Sessions from "./Session.js"
import * as Tables from "./Tables.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as ToolRun from "./ToolRun.js"
import type { Tool } from "./Tools.js"

export interface Filled {
  readonly tables: ReadonlyArray<Manifest.Table>
  readonly warnings: ReadonlyArray<string>
}

export const fill = (
  target: Target,
  maintenance: Maintenance,
  options: {
    readonly tool: Tool
    readonly database: string
    readonly payload: Payload
    readonly onProgress: OnProgress
    /** Also collects statistics: without them the first queries of a program may crawl. */
    readonly analyze: boolean
  }
): Effect.Effect<Filled, BackupError, Running> =>
  Effect.gen(function* () {
    const { database, onProgress, payload } = options
    const format = yield* Archive.format(payload.path)
    const jobs = format === "tar" ? 1 : target.jobs
    const output = yield* ToolRun.run(target, options.tool, {
      database,
      args: ["--exit-on-error", "--no-subscriptions", `--jobs=${jobs}`, payload.path]
    }).pipe(reporting(maintenance, options))
    const { tables } = yield* compared(target, {
      database,
      payload,
      onProgress,
      analyze: options.analyze
    })
    return { tables, warnings: [...unrecorded(payload), ...output.warnings] }
  })

/** Fails with `Mismatch`, unless there is no record to compare with. */
const compared = (
  target: Target,
  options: {
    readonly database: string
    readonly payload: Payload
    readonly onProgress: OnProgress
    readonly analyze: boolean
  }
): Effect.Effect<Tables.Restored, BackupError> =>
  Effect.gen(function* () {
    const session = yield* Sessions.open(target, options.database)
    return yield* judged(target, session, {
      ...options,
      advice: "Use another backup",
      afterwards: options.analyze ? session.execute("ANALYZE") : Effect.void
    })
  }).pipe(Effect.scoped)

/** The same by a session that is there: it may be the only one that sees what was restored. */
export const judged = (
  target: Target,
  reader: Sessions.Reader,
  options: {
    readonly payload: Payload
    readonly onProgress: OnProgress
    readonly advice: string
    readonly afterwards?: Effect.Effect<void, BackupError>
  }
): Effect.Effect<Tables.Restored, BackupError> =>
  Effect.gen(function* () {
    const record = options.payload.dump?.tables
    yield* options.onProgress({ stage: "compare", bytes: 0, total: record?.length })
    const restored = yield* Tables.countRestored(reader, record)
    const { tables } = restored
    if (record !== undefined) yield* Tables.compare(target, record, tables, options.advice)
    yield* options.afterwards ?? Effect.void
    yield* options.onProgress({ stage: "compare", bytes: tables.length, total: tables.length })
    return restored
  })

export const unrecorded = ({ dump }: Payload): ReadonlyArray<string> =>
  dump === undefined ? ["no record beside the backup: its rows could not be compared with it"] : []

const Size = Schema.Struct({ bytes: Schema.Number })

/** The size of the database that grows, against that of the one that was dumped. */
const reporting =
  (
    { session }: Maintenance,
    options: {
      readonly database: string
      readonly payload: Payload
      readonly onProgress: OnProgress
    }
  ) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    session
      .rows(Size, "SELECT pg_database_size($1::name)::float8 AS bytes", [options.database])
      .pipe(
        Effect.flatMap(([row]) =>
          options.onProgress({
            stage: "restore",
            bytes: row?.bytes ?? 0,
            total: options.payload.dump?.contentBytes
          })
        ),
        Effect.ignore,
        // Its answer is waited for: the session has other work afterwards.
        Effect.uninterruptible,
        Effect.repeat(Schedule.spaced("500 millis")),
        Effect.fork,
        Effect.zipRight(work),
        Effect.scoped
      )
