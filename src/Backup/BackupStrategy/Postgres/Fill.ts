/**
 * Restores a dump into an empty database and compares what came out with the dump's record.
 *
 * @internal
 */
import { Effect, Schedule, Schema } from "effect"
import type { BackupError } from "../../BackupError.js"
import type * as Manifest from "../../Manifest.js"
import type { Leniency, OnProgress, Payload } from "../Strategy.js"
import type { Maintenance } from "./Maintenance.js"
import * as Sessions from "./Session.js"
import * as Sections from "./Sections.js"
import * as Tables from "./Tables.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import type { Tool } from "./Tools.js"
import * as Unmade from "./Unmade.js"

export interface Filled {
  readonly tables: ReadonlyArray<Manifest.Table>
  readonly warnings: ReadonlyArray<string>
}

interface Options {
  readonly tool: Tool
  readonly database: string
  readonly payload: Payload
  readonly onProgress: OnProgress
  readonly leniency: Leniency
  /** Of the database that the dump is of, where it has one of its own. */
  readonly searchPath: string | undefined
  /** Also collects statistics: without them the first queries of a program may crawl. */
  readonly analyze: boolean
}

const jobOf = (target: Target, options: Options): Sections.Job => ({
  target,
  tool: options.tool,
  database: options.database,
  file: options.payload.path,
  noOwner: options.leniency.noOwner === true,
  searchPath: options.searchPath
})

/** The first section: tables without their rows, and what they need. */
export const prepare = (
  target: Target,
  options: Options
): Effect.Effect<ReadonlyArray<Unmade.Unmade>, BackupError, Running> =>
  Sections.schema(jobOf(target, options), "pre-data")

/** The last section, with whatever rows there are. */
export const afterwards = (
  target: Target,
  options: Options
): Effect.Effect<ReadonlyArray<Unmade.Unmade>, BackupError, Running> =>
  Sections.schema(jobOf(target, options), "post-data")

/**
 * The rest. Fails with `Incomplete` where an object cannot be made and that is not allowed; before the rows
 * are loaded, where it is known by then.
 */
export const fill = (
  target: Target,
  maintenance: Maintenance,
  before: ReadonlyArray<Unmade.Unmade>,
  options: Options
): Effect.Effect<Filled, BackupError, Running> =>
  Effect.gen(function* () {
    const { database, leniency, onProgress, payload } = options
    const job = jobOf(target, options)
    const mayLack = leniency.allowIncomplete === true
    const isInVain = before.length > 0 && !mayLack
    const loaded = isInVain
      ? []
      : yield* Sections.rows(job, before.length > 0).pipe(reporting(maintenance, options))
    const after = yield* Sections.schema(job, "post-data").pipe(reporting(maintenance, options))
    const unmade = [...before, ...after]
    if (unmade.length > 0 && !mayLack) {
      return yield* Unmade.refusal(target, unmade, { nothingChanged: "" })
    }
    const { absent, restored } = yield* compared(target, {
      database,
      payload,
      onProgress,
      mayLack,
      searchPath: options.searchPath,
      analyze: options.analyze
    })
    return {
      tables: restored.tables,
      warnings: [...unrecorded(payload), ...loaded, ...Unmade.warnings(unmade), ...lacking(absent)]
    }
  }).pipe(Effect.scoped)

export const lacking = (absent: ReadonlyArray<Manifest.Table>): ReadonlyArray<string> =>
  absent.map(({ name, rows }) => `not restored: table ${name} with its ${rows} rows`)

/** Fails with `Mismatch`, unless there is no record to compare with. */
const compared = (
  target: Target,
  options: {
    readonly database: string
    readonly payload: Payload
    readonly onProgress: OnProgress
    readonly mayLack: boolean
    readonly searchPath: string | undefined
    readonly analyze: boolean
  }
): Effect.Effect<Judged, BackupError> =>
  Effect.gen(function* () {
    const session = yield* Sessions.open(target, options.database)
    const analyze = Tables.onPath(session, options.searchPath, session.execute("ANALYZE"))
    return yield* judged(target, session, {
      ...options,
      advice: "Use another backup",
      // Only good for speed, and the server does it by itself later.
      afterwards: options.analyze ? Effect.ignore(analyze) : Effect.void
    })
  }).pipe(Effect.scoped)

export interface Judged {
  readonly restored: Tables.Restored
  /** Tables of the record that are not there, and may be missing. */
  readonly absent: ReadonlyArray<Manifest.Table>
}

/** The same by a session that is there: it may be the only one that sees what was restored. */
export const judged = (
  target: Target,
  reader: Sessions.Reader,
  options: {
    readonly payload: Payload
    readonly onProgress: OnProgress
    readonly advice: string
    readonly mayLack: boolean
    /** Of a database that has none of its own yet. */
    readonly searchPath?: string | undefined
    readonly afterwards?: Effect.Effect<void>
  }
): Effect.Effect<Judged, BackupError> =>
  Effect.gen(function* () {
    const record = options.payload.dump?.tables
    yield* options.onProgress({ stage: "compare", bytes: 0, total: record?.length })
    const restored = yield* Tables.countRestored(reader, record, options.searchPath)
    const { tables } = restored
    const found = Tables.differences(record ?? [], tables)
    if (record !== undefined) yield* Tables.compare(target, record, found, options)
    yield* options.afterwards ?? Effect.void
    yield* options.onProgress({ stage: "compare", bytes: tables.length, total: tables.length })
    return { restored, absent: found.absent }
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
