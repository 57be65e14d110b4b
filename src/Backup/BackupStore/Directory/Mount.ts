/**
 * Whether a directory is the disk or share that it was, and answers.
 *
 * Where a disk is not mounted, its mount point is an empty directory of the disk below: a copy would lie
 * beside what it is a copy of, or the backups on a disk that they fill. So a mark is left in a directory
 * at its first use, and that it was used is remembered elsewhere: of one for copies beside the main
 * backups, of the main one in those for copies, since it can be on a disk of its own as well.
 */
import { Effect, Option } from "effect"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { BackupError } from "../../BackupError.js"
import * as BackupName from "../../BackupName.js"
import * as LocalFiles from "../../LocalFiles.js"
import { codeOf } from "../../../Common/Errors.js"

const mark = ".holter-store"

const text = `Holter keeps backups here. Leave this file: where it is missing, Holter takes the disk for
not mounted, and writes nothing.
`

/** Where it is remembered that a directory was used, and under which name. @internal */
export interface Memory {
  readonly directory: string
  /** The directory that is remembered, with its machine where others may remember theirs as well. */
  readonly of: string
}

/** Fails where the directory was used before and is empty of any sign of that. @internal */
export const check = (directory: string, memory: Memory): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    if (yield* isMarked(directory)) return
    const known = yield* LocalFiles.look(yield* fileOf(memory))
    if (Option.isSome(known)) {
      return yield* notMounted(directory, "with the earlier copies", ifNew(touch(directory)))
    }
  })

/**
 * The same of the directory of the main backups. One that has backups is no empty mount point, and a place
 * of copies that cannot be asked tells nothing.
 *
 * @internal
 */
export const checkMain = (
  directory: string,
  memories: ReadonlyArray<Memory>
): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    if (memories.length === 0 || (yield* isMarked(directory))) return
    const names = yield* LocalFiles.names(directory)
    if (names.some((name) => Option.isSome(BackupName.parse(name)))) return
    for (const memory of memories) {
      const known = yield* answers(memory.directory).pipe(
        Effect.zipRight(fileOf(memory)),
        Effect.flatMap(LocalFiles.look),
        Effect.orElseSucceed(Option.none)
      )
      if (Option.isNone(known)) continue
      const which = `with the backups that ${memory.directory} has copies of`
      return yield* notMounted(directory, which, ifNew(make(directory)))
    }
  })

/** Fails where there is no mark, whoever has to have left it. @internal */
export const checkMark = (directory: string): Effect.Effect<void, BackupError> =>
  Effect.flatMap(isMarked(directory), (marked) =>
    marked
      ? Effect.void
      : notMounted(
          directory,
          "that is mounted there (backup.mounted)",
          `Mount it; before its first use, run ${make(directory)}`
        )
  )

const isMarked = (directory: string): Effect.Effect<boolean, BackupError> =>
  Effect.map(LocalFiles.look(path.join(directory, mark)), Option.isSome)

const notMounted = (
  directory: string,
  which: string,
  advice: string
): Effect.Effect<never, BackupError> =>
  new BackupError({
    reason: "StoreFailed",
    subject: directory,
    expected: `the disk ${which}, and the file ${mark} on it`,
    found: "neither, as in a mount point where nothing is mounted",
    advice
  })

const ifNew = (command: string): string => `Mount it; if it is a new disk, run ${command} to say so`

const touch = (directory: string): string => `touch ${quoted(path.join(directory, mark))}`

const make = (directory: string): string =>
  `mkdir -p -m 700 ${quoted(directory)} && ${touch(directory)}`

/** Leaves the mark, and remembers that. To be called under the lock of the directory. @internal */
export const use = (directory: string, memory: Memory): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    yield* check(directory, memory)
    yield* remember(directory, memory)
  })

/** The same without a look whether it is the disk that it was. @internal */
export const remember = (directory: string, memory: Memory): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    yield* LocalFiles.makeDirectory(memory.directory)
    yield* writeOnce(path.join(directory, mark), text)
    yield* writeOnce(yield* fileOf(memory), `${directory}\n`)
  })

const writeOnce = (file: string, content: string): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    if (Option.isSome(yield* LocalFiles.look(file))) return
    yield* Effect.catchIf(
      LocalFiles.write(file, content),
      (error) => codeOf(error.cause) === "EEXIST",
      () => Effect.void
    )
  })

/** One file for each directory, so that two runs need not agree on a common one. */
const fileOf = ({ directory, of }: Memory): Effect.Effect<string> =>
  Effect.map(LocalFiles.sha256OfText(of), (sum) =>
    path.join(directory, `${mark}-${sum.slice(0, 12)}`)
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
export const answers = (directory: string): Effect.Effect<void, BackupError> => {
  const file = path.join(directory, mark)
  // A shell starts in a thirtieth of the time of Node; some images of containers have none.
  const asked = Effect.flatMap(ask("/bin/sh", ["-c", inShell, directory, file]), (isAsked) =>
    isAsked ? Effect.void : ask(process.execPath, ["-e", inNode, directory, file])
  )
  return Effect.timeoutFail(asked, {
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
}

/** `false` where there is no such program. Any end is an answer: the caller then judges the directory itself. */
const ask = (program: string, args: ReadonlyArray<string>): Effect.Effect<boolean> =>
  Effect.async((resume) => {
    const child = execFile(program, args, (error) => {
      resume(Effect.succeed(codeOf(error) !== "ENOENT"))
    })
    return Effect.sync(() => {
      child.kill("SIGKILL")
      child.unref()
    })
  })

const patience = "30 seconds"

/** Reads the directory and the file with what is built into a shell. */
const inShell = 'for name in "$0"/*; do break; done; read -r line <"$1"'

const inNode =
  "const fs = require('node:fs'); fs.readdirSync(process.argv[1]); fs.readFileSync(process.argv[2])"
