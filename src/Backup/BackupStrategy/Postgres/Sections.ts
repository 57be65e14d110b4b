/**
 * A dump in its three sections: what the rows need, the rows, and what comes after them. What a server does
 * not make of the first and the last is collected; rows are loaded whole or not at all.
 *
 * @internal
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect, type Scope } from "effect"
import { basename } from "node:path"
import { BackupError } from "../../BackupError.js"
import type { Leniency } from "../Strategy.js"
import * as Archive from "./Archive.js"
import * as Extensions from "./Extensions.js"
import * as Failure from "./Failure.js"
import * as Helped from "./Helped.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as ToolRun from "./ToolRun.js"
import type { Tool } from "./Tools.js"
import * as Unmade from "./Unmade.js"

export interface Job {
  readonly target: Target
  readonly tool: Tool
  readonly database: string
  readonly file: string
  readonly noOwner: boolean
  /** Where functions may look for what they do not name by its schema, while rows are loaded. */
  readonly searchPath: string | undefined
}

/**
 * Of the schema: it goes on where an object cannot be made. Tables, which rows depend on, are tried once more
 * with the search path of programs: a generated column may call what the empty one of pg_restore hides.
 */
export const schema = (
  job: Job,
  section: "pre-data" | "post-data"
): Effect.Effect<ReadonlyArray<Unmade.Unmade>, BackupError, Running> =>
  Effect.gen(function* () {
    const workers = section === "pre-data" ? 1 : yield* jobsOf(job)
    const first = yield* attempt(withJobs(job, workers), [`--section=${section}`, "--verbose"])
    const entries = Unmade.entries(first.stderr)
    const again = Effect.map(
      Effect.flatMap(retry(job, section, entries), (tried) => unmadeOf(job, tried)),
      (left) => wanted(left.filter(Unmade.isNotThere), job)
    )
    if (workers > 1 && entries.size > 0) {
      yield* complete(job, first, Unmade.counted(first.stderr, workers))
      return yield* again
    }
    const unmade = yield* unmadeOf(job, first)
    if (section === "post-data" || !unmade.some(Unmade.isTable)) return wanted(unmade, job)
    return yield* Helped.whileHelped(job, again)
  }).pipe(Effect.scoped)

const unmadeOf = (job: Job, tried: ToolRun.Attempt) =>
  Effect.gen(function* () {
    const unmade = Unmade.read(tried.stderr)
    if (unmade.length === 0) yield* judge(job, tried)
    yield* complete(job, tried, unmade.length)
    yield* fatal(
      job.target,
      unmade.map(({ said }) => said)
    )
    return unmade
  })

/** A run that did not come to its end, or had more errors than were read, is none to go on after. */
const complete = (
  job: Job,
  tried: ToolRun.Attempt,
  read: number
): Effect.Effect<void, BackupError> => {
  const failed = Unmade.failures(tried)
  if (failed === undefined) return Effect.asVoid(judge(job, tried))
  return failed <= read
    ? Effect.void
    : Failure.make(job.target, {
        reason: "ToolFailed",
        expected: `the words of pg_restore for each of the ${failed} failures that it counts`,
        found: `those for ${read}`,
        advice: "Try it again with jobs: 1, and report it"
      })
}

/** What `noOwner` leaves out is no object that is missing. */
export const wanted = (
  unmade: ReadonlyArray<Unmade.Unmade>,
  { noOwner }: Pick<Leniency, "noOwner">
): ReadonlyArray<Unmade.Unmade> =>
  noOwner === true ? unmade.filter((one) => !Unmade.isOfMissingRole(one)) : unmade

/**
 * The rows. A table that cannot be filled, since something of it calls a function that does not find what it
 * needs on the empty search path of pg_restore, is filled once more, with the path that programs have.
 */
export const rows = (
  job: Job,
  /** Tables may be absent, since they could not be made. */
  mayLack: boolean
): Effect.Effect<ReadonlyArray<string>, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    const first = yield* attempt(job, ["--section=data", "--verbose"])
    const entries = Unmade.entries(first.stderr)
    const reasons = Unmade.reasons(first.stderr)
    yield* fatal(job.target, reasons)
    if (entries.size === 0) return yield* judge(job, first)
    yield* complete(job, first, Unmade.counted(first.stderr, yield* jobsOf(job)))
    const isAllowed = (reason: string) => mayLack && isAbsent.test(reason)
    const reason = reasons.find((one) => !isAllowed(one))
    if (reason === undefined && reasons.length === entries.size) return []
    const second = yield* Helped.whileHelped(job, retry(job, "data", entries))
    const left = Unmade.reasons(second.stderr)
    yield* fatal(job.target, left)
    if (left.length === 0 || !left.every(isAllowed)) yield* judge(job, second)
    yield* complete(job, second, left.length)
    const filled = entries.size - Unmade.entries(second.stderr).size
    if (filled === 0) return []
    return [
      `${filled === 1 ? "a table was" : `${filled} tables were`} filled with a search path, since the empty one of pg_restore did not do: ${reason ?? "pg_restore did not say why"}`
    ]
  })

const isAbsent = /relation ".*" does not exist|schema ".*" does not exist/

/**
 * One more try of these entries, by one worker: what several say at once is torn, as they write into each
 * other's lines. Which entries failed can be read from that, and what was said; not what was said of which.
 */
const retry = (
  job: Job,
  section: "pre-data" | "data" | "post-data",
  entries: ReadonlySet<string>
): Effect.Effect<ToolRun.Attempt, BackupError, Running | Scope.Scope> =>
  Effect.flatMap(listed(job, entries), (list) =>
    attempt(withJobs(job, 1), [`--section=${section}`, "--verbose", `--use-list=${list}`])
  )

/** A table of contents with these entries alone, and with each of them. */
const listed = (
  { file, target, tool }: Job,
  entries: ReadonlySet<string>
): Effect.Effect<string, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    const lines = Extensions.ofEntries(yield* Extensions.contents(target, tool, file), entries)
    if (lines.length === entries.size) return yield* writeList(lines.join("\n"))
    return yield* new BackupError({
      reason: "ToolFailed",
      subject: file,
      expected: `each of the ${entries.size} entries that failed in the table of contents`,
      found: `${lines.length} of them`,
      advice: "Try it again with jobs: 1, and report it"
    })
  })

/** A file of pg_restore's for as long as the scope is open. */
export const writeList = (
  contents: string
): Effect.Effect<string, BackupError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs.makeTempFileScoped({ prefix: "holter-" })
    yield* fs.writeFileString(file, `${contents}\n`)
    return file
  }).pipe(
    Effect.catchTags({
      BadArgument: (cause) => noTemporaryFile(cause.message, cause),
      SystemError: (cause) => noTemporaryFile(cause.reason, cause)
    })
  )

const noTemporaryFile = (found: string, cause: unknown): BackupError =>
  new BackupError({
    reason: "StoreFailed",
    subject: "the directory of temporary files",
    expected: "a place for a list",
    found,
    advice: "Look at TMPDIR and at the room there",
    cause
  })

const withJobs = (job: Job, jobs: number): Job => ({ ...job, target: { ...job.target, jobs } })

/** What several workers can read. */
const jobsOf = ({ file, target }: Job): Effect.Effect<number, BackupError> =>
  Effect.map(Archive.format(file), (format) => (format === "tar" ? 1 : target.jobs))

const attempt = (
  job: Job,
  args: ReadonlyArray<string>
): Effect.Effect<ToolRun.Attempt, BackupError, Running> =>
  Effect.flatMap(jobsOf(job), (jobs) =>
    ToolRun.attempt(job.target, job.tool, {
      database: job.database,
      args: [
        "--no-subscriptions",
        `--jobs=${jobs}`,
        ...(job.noOwner ? ["--no-owner"] : []),
        ...args,
        job.file
      ]
    })
  )

const judge = (
  { target, tool }: Job,
  { ended, stderr }: ToolRun.Attempt
): Effect.Effect<ReadonlyArray<string>, BackupError> => {
  if (ended === 0) return Effect.succeed([])
  const how = ended === undefined ? "ended by a signal" : `exit code ${ended}`
  // What it says of its progress is no reason.
  const said = stderr.replaceAll(/^pg_restore: (?!error|warning|hint|detail).*$/gm, "")
  return Failure.fromTool(target, basename(tool.path), said, how)
}

/** What is wrong with the server, and not with an object of the dump. */
export const fatal = (
  target: Target,
  said: ReadonlyArray<string>
): Effect.Effect<void, BackupError> => {
  const found = said.find((one) => isFatal.test(one))
  return found === undefined
    ? Effect.void
    : Failure.fromTool(target, "pg_restore", `error: ${found}`, "")
}

const isFatal =
  /No space left on device|could not extend file|Disk quota exceeded|out of shared memory|out of memory|lock timeout|deadlock detected|canceling statement|terminating connection|server closed the connection|no connection to the server|the database system is|cannot execute .* in a read-only transaction/
