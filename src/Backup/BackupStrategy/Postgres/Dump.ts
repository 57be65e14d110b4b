/**
 * A dump of one snapshot, with the rows of every table counted in the same one.
 *
 * @internal
 */
import { Duration, Effect, Schedule, Schema } from "effect"
import * as fs from "node:fs/promises"
import { BackupError } from "../../BackupError.js"
import * as LocalFiles from "../../LocalFiles.js"
import type * as Manifest from "../../Manifest.js"
import type { DumpOptions } from "../Strategy.js"
import * as Checksum from "./Checksum.js"
import * as DumpFreeSpace from "./DumpFreeSpace.js"
import * as Failure from "./Failure.js"
import * as Fingerprint from "./Fingerprint.js"
import * as Server from "./Server.js"
import type { Session } from "./Session.js"
import * as Sessions from "./Session.js"
import * as SystemIdentifier from "./SystemIdentifier.js"
import * as Tables from "./Tables.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as ToolRun from "./ToolRun.js"
import * as Tools from "./Tools.js"
import * as Verify from "./Verify.js"

export const dump = (
  target: Target,
  options: DumpOptions
): Effect.Effect<Manifest.Dump, BackupError, Running> =>
  Effect.gen(function* () {
    const session = yield* Sessions.open(target)
    const server = yield* Server.facts(session)
    const id = yield* SystemIdentifier.read(session)
    const tool = yield* Tools.forServer(target, "pg_dump", server.major)
    // A dump that could not be read to its end would be of no use: told before any work.
    const reader = yield* Tools.newest(target, "pg_restore")
    const parallel = target.jobs > 1
    yield* makePlace(options.path, parallel)
    const snapshot = yield* exportSnapshot(target, session)
    const [{ wanders } = { wanders: false }] = yield* session.rows(Wanders, wandering)
    const format = parallel ? ["--format=directory", `--jobs=${target.jobs}`] : ["--format=custom"]
    const compression = compressionOf(target, options, tool.major)
    const enough = yield* DumpFreeSpace.watch(options)
    const [counted, output] = yield* Effect.all(
      [
        Tables.count(session),
        ToolRun.run(target, tool, {
          database: server.database,
          args: [
            ...format,
            ...compression.args,
            ...(wanders ? ["--load-via-partition-root"] : []),
            `--snapshot=${snapshot}`,
            `--lock-wait-timeout=${Math.max(1, Duration.toMillis(target.lockWait))}`,
            `--file=${options.path}`
          ]
        })
      ],
      { concurrency: 2 }
    ).pipe(Effect.raceFirst(enough), reporting(options, server.bytes))
    yield* session.execute("COMMIT")
    yield* LocalFiles.settle(options.path)
    yield* notEmpty(target, yield* Checksum.size(options.path))
    // Both read all of it: at the same time, where there is more than one core.
    const [{ bytes, parts, sha256 }, parsed, schema] = yield* Effect.all(
      [
        checksums(options, target),
        Verify.parse(target, reader, options.path, { byParts: parallel }),
        ToolRun.run(target, reader, { args: ["--schema-only", "--file=-", options.path] })
      ],
      { concurrency: 2 }
    )
    return {
      database: {
        engine: "postgresql",
        name: server.database,
        location: target.address,
        ...(id === undefined ? {} : { identity: { id } })
      },
      strategy: parallel ? "pg_dump-directory" : "pg_dump-custom",
      engineVersion: server.version,
      compression: "internal" as const,
      bytes,
      contentBytes: server.bytes,
      sha256,
      ...(parts === undefined ? {} : { parts }),
      schema: Fingerprint.ofSchema(schema.stdout),
      tables: counted,
      warnings: [
        ...compression.warnings,
        ...output.warnings,
        ...parsed.warnings,
        ...standby(server)
      ]
    }
  }).pipe(Effect.scoped)

const Wanders = Schema.Struct({ wanders: Schema.Boolean })

/**
 * Whether another server, or this one at another time, may put rows into other partitions: by the hash of
 * what holds the numbers of a type's values (enums, arrays and rows of them), or by the order of a locale.
 * Such rows are dumped as rows of the whole table. pg_dump itself sees to plain enums, newer versions of it.
 */
const wandering = `SELECT EXISTS (
    SELECT FROM pg_catalog.pg_partitioned_table p
    CROSS JOIN LATERAL pg_catalog.generate_subscripts(p.partclass, 1) i
    JOIN pg_catalog.pg_opclass o ON o.oid = p.partclass[i]
    JOIN pg_catalog.pg_type t ON t.oid = o.opcintype
    LEFT JOIN pg_catalog.pg_collation c ON c.oid = p.partcollation[i]
    WHERE p.partstrat = 'h' AND (t.typtype = 'p' OR NOT coalesce(
        (pg_catalog.to_jsonb(c) ->> 'collisdeterministic')::boolean, true))
      OR p.partstrat = 'r' AND c.collname NOT IN ('C', 'POSIX')) AS wanders`

const Snapshot = Schema.Struct({ snapshot: Schema.String })

/** Row-level security ends the count, as it ends pg_dump, where it would hide rows. */
const exportSnapshot = (target: Target, session: Session): Effect.Effect<string, BackupError> =>
  Effect.gen(function* () {
    yield* session.execute(
      `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
      SET LOCAL lock_timeout = ${Math.max(1, Math.floor(Duration.toMillis(target.lockWait)))}`
    )
    const [row] = yield* session.rows(Snapshot, "SELECT pg_export_snapshot() AS snapshot")
    return row?.snapshot ?? ""
  })

/** For this user alone from the start, whatever the umask is: pg_dump writes into what is there. */
const makePlace = (path: string, isDirectory: boolean): Effect.Effect<void, BackupError> =>
  Effect.tryPromise({
    try: async () => {
      if (isDirectory) await fs.mkdir(path, { mode: 0o700 })
      else await fs.open(path, "wx", 0o600).then((handle) => handle.close())
    },
    catch: (cause) =>
      new BackupError({
        reason: "StoreFailed",
        subject: path,
        expected: "a place where nothing is yet, and the right to write there",
        found: cause instanceof Error && "code" in cause ? String(cause.code) : "neither",
        cause
      })
  })

interface Compression {
  readonly args: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

const compressionOf = (target: Target, options: DumpOptions, major: number): Compression => {
  const level = options.level ?? target.level
  switch (options.compression) {
    case "none":
      return { args: ["--compress=0"], warnings: [] }
    case "gzip":
      return { args: [`--compress=${level}`], warnings: [] }
    case "zstd":
      return major >= 16
        ? { args: [`--compress=zstd:${level}`], warnings: [] }
        : {
            args: [`--compress=${level}`],
            warnings: [`pg_dump ${major} knows no zstd (16 does): compressed with gzip`]
          }
  }
}

const standby = (server: Server.Facts): ReadonlyArray<string> =>
  server.inRecovery ? ["taken from a standby, which has no rows of unlogged tables"] : []

/** What is on the disk by now, against the size of the database: the most that a dump takes. */
const reporting =
  (options: DumpOptions, total: number) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Checksum.size(options.path).pipe(
      Effect.flatMap((bytes) => options.onProgress({ stage: "dump", bytes, total })),
      Effect.repeat(Schedule.spaced("250 millis")),
      Effect.fork,
      Effect.zipRight(work),
      Effect.scoped
    )

/** Of what is complete and on the disk; of parts, with what is compressed in them read to its end. */
const checksums = (options: DumpOptions, target: Target) =>
  Effect.gen(function* () {
    const onBytes = () => undefined
    if (target.jobs <= 1) {
      const read = yield* Checksum.file(options.path, { inflate: false, onBytes })
      return { ...read, parts: undefined }
    }
    const parts = yield* Checksum.directory(options.path, {
      onBytes,
      inflate: (path) => path.endsWith(".gz"),
      concurrency: target.jobs
    })
    const bytes = parts.reduce((total, part) => total + part.bytes, 0)
    return { bytes, sha256: Checksum.ofParts(parts), parts }
  })

const notEmpty = (target: Target, bytes: number): Effect.Effect<void, BackupError> =>
  bytes > 0
    ? Effect.void
    : Failure.make(target, {
        reason: "ToolFailed",
        expected: "a dump",
        found: "an empty file, though pg_dump reports success"
      })
