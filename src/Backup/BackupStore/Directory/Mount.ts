/**
 * Whether a directory for copies is the disk or share that it was, and answers.
 *
 * Where a disk is not mounted, its mount point is an empty directory of the disk below, and a copy
 * would lie beside what it is a copy of. So a mark is left in the directory at its first use, and that
 * it was used is remembered beside the main backups.
 *
 * @since 0.1.0
 */
import { Effect, Option } from "effect"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { BackupError } from "../../BackupError.js"
import * as LocalFiles from "../../LocalFiles.js"

const mark = ".holter-store"

const text = `Holter keeps copies of backups here. Leave this file: where it is missing, Holter
takes the disk for not mounted, and copies nothing.
`

/** Fails where the directory was used before and is empty of any sign of that. @internal */
export const check = (directory: string, memory: string): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    if (Option.isSome(yield* LocalFiles.look(path.join(directory, mark)))) return
    const known = yield* LocalFiles.look(yield* memoryOf(directory, memory))
    if (Option.isNone(known)) return
    return yield* new BackupError({
      reason: "StoreFailed",
      subject: directory,
      expected: `the disk with the earlier copies, and the file ${mark} on it`,
      found: "neither, as in a mount point where nothing is mounted",
      advice: `Mount it; if it is a new disk, run touch ${quoted(path.join(directory, mark))} to say so`
    })
  })

/** Leaves the mark, and remembers that. To be called under the lock of the directory. @internal */
export const use = (directory: string, memory: string): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    yield* check(directory, memory)
    yield* writeOnce(path.join(directory, mark), text)
    yield* LocalFiles.makeDirectory(memory)
    yield* writeOnce(yield* memoryOf(directory, memory), `${directory}\n`)
  })

const writeOnce = (file: string, content: string): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    if (Option.isSome(yield* LocalFiles.look(file))) return
    yield* Effect.catchIf(
      LocalFiles.write(file, content),
      (error) => LocalFiles.codeOf(error.cause) === "EEXIST",
      () => Effect.void
    )
  })

/** One file for each directory, so that two runs need not agree on a common one. */
const memoryOf = (directory: string, memory: string): Effect.Effect<string> =>
  Effect.map(LocalFiles.sha256OfText(directory), (sum) =>
    path.join(memory, `${mark}-${sum.slice(0, 12)}`)
  )

/** As a shell takes it for one word. */
const quoted = (file: string): string =>
  /^[\w@%+=:,./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`

/**
 * Fails where a share gives no answer, as one whose server is gone. Asked by another process: a call
 * that never returns would keep this one from ever ending.
 *
 * @internal
 */
export const answers = (directory: string): Effect.Effect<void, BackupError> =>
  Effect.async<void>((resume) => {
    const given = ["-e", question, directory, path.join(directory, mark)]
    // What is wrong with the directory is told by who uses it: any end is an answer.
    const child = execFile(process.execPath, given, () => {
      resume(Effect.void)
    })
    return Effect.sync(() => {
      child.kill("SIGKILL")
      child.unref()
    })
  }).pipe(
    Effect.timeoutFail({
      duration: patience,
      onTimeout: () =>
        new BackupError({
          reason: "StoreFailed",
          subject: directory,
          expected: `a directory that answers within ${patience}`,
          found: "no answer, as of a network share whose server cannot be reached",
          advice: "Check the server and the network, or mount it anew (umount -f)"
        })
    })
  )

const patience = "30 seconds"

const question =
  "const fs = require('node:fs'); fs.readdirSync(process.argv[1]); fs.readFileSync(process.argv[2])"
