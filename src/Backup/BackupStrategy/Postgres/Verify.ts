/**
 * Reads all of a dump: its checksum, and everything in it.
 *
 * @internal
 */
import { Effect, Schedule } from "effect"
import { BackupError } from "../../BackupError.js"
import type * as Manifest from "../../Manifest.js"
import type { Payload, Verification, VerifyOptions } from "../Strategy.js"
import * as Archive from "./Archive.js"
import * as Checksum from "./Checksum.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as ToolRun from "./ToolRun.js"
import * as Tools from "./Tools.js"

export const verify = (
  target: Target,
  payload: Payload,
  options: Pick<VerifyOptions, "justDumped" | "onProgress">
): Effect.Effect<Verification, BackupError, Running> =>
  Effect.gen(function* () {
    // `dump` has read it from the disk, all of it, to its end.
    if (options.justDumped === true) return { warnings: [] }
    const format = yield* Archive.format(payload.path)
    const { dump } = payload
    const total = dump?.bytes
    let bytes = 0
    const onBytes = (more: number) => {
      bytes += more
    }
    // Where each part's checksum is known, its gzip stream read to the end is all there is to know:
    // several at once, which pg_restore cannot. The table of contents is left to pg_restore.
    const byParts = format === "directory" && dump?.parts?.every(isPlainOrGzip) === true
    const read =
      format === "directory"
        ? checkParts(payload.path, dump, { inflate: byParts, onBytes, concurrency: target.jobs })
        : checkFile(payload.path, dump, onBytes)
    const tool = yield* Tools.newest(target, "pg_restore")
    const parsing = parse(target, tool, payload.path, { byParts })
    const report = Effect.suspend(() => options.onProgress({ stage: "verify", bytes, total }))
    const [, parsed] = yield* Effect.all([read, parsing], { concurrency: 2 }).pipe(
      Effect.mapError(damaged(payload.path)),
      (work) =>
        report.pipe(
          Effect.repeat(Schedule.spaced("250 millis")),
          Effect.fork,
          Effect.zipRight(work),
          Effect.zipLeft(report),
          Effect.scoped
        )
    )
    const unknown = dump === undefined ? ["no record beside it: its checksum is not known"] : []
    return { warnings: [...unknown, ...parsed.warnings] }
  })

/** By pg_restore: everything, or of a directory whose parts are read otherwise its table of contents. */
export const parse = (
  target: Target,
  tool: Tools.Tool,
  path: string,
  { byParts }: { readonly byParts: boolean }
): Effect.Effect<{ readonly warnings: ReadonlyArray<string> }, BackupError, Running> =>
  ToolRun.run(target, tool, {
    args: [...(byParts ? ["--schema-only"] : []), "--file=/dev/null", path],
    subject: path
  })

const isPlainOrGzip = ({ path }: Checksum.Part): boolean =>
  /\.(?:dat\.gz|toc)$|^toc\.dat$/.test(path)

/** Whatever pg_restore says of a file that it cannot read: nothing but the file is in question. */
const damaged =
  (subject: string) =>
  (error: BackupError): BackupError =>
    error.reason === "ToolFailed"
      ? new BackupError({
          reason: "Corrupt",
          subject,
          expected: "a dump that can be read to its end",
          found: error.found,
          advice: "Use another backup",
          cause: error
        })
      : error

const checkFile = (
  file: string,
  dump: Manifest.Dump | undefined,
  onBytes: (bytes: number) => void
): Effect.Effect<void, BackupError> =>
  dump === undefined
    ? Effect.void
    : Effect.flatMap(Checksum.file(file, { inflate: false, onBytes }), (read) =>
        read.bytes === dump.bytes && read.sha256 === dump.sha256
          ? Effect.void
          : changed(
              file,
              read.bytes === dump.bytes ? "other content" : sizes(read.bytes, dump.bytes)
            )
      )

const checkParts = (
  root: string,
  dump: Manifest.Dump | undefined,
  options: {
    readonly inflate: boolean
    readonly onBytes: (bytes: number) => void
    readonly concurrency: number
  }
): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    if (dump === undefined) return
    const parts = yield* Checksum.directory(root, {
      ...options,
      inflate: (path) => options.inflate && path.endsWith(".gz")
    })
    const found = new Map(parts.map((part) => [part.path, part]))
    for (const part of dump.parts ?? []) {
      const read = found.get(part.path)
      if (read === undefined) return yield* changed(root, `no ${part.path}`)
      if (read.sha256 !== part.sha256) return yield* changed(root, `another ${part.path}`)
    }
    if (Checksum.ofParts(parts) !== dump.sha256) return yield* changed(root, "more or other parts")
  })

const sizes = (found: number, expected: number): string => `${found} bytes instead of ${expected}`

const changed = (subject: string, found: string): BackupError =>
  new BackupError({
    reason: "Corrupt",
    subject,
    expected: "what its record says",
    found,
    advice: "Use another backup"
  })
