/**
 * Runs the child process: one request, progress, one answer. It ends with the fiber that waits for it.
 *
 * @since 0.1.0
 */
import { Command, type CommandExecutor } from "@effect/platform"
import { Effect, Fiber, Option, Schema, Stream } from "effect"
import { execPath } from "node:process"
import { BackupError } from "../../BackupError.js"
import type { OnProgress } from "../Strategy.js"
import { Answer, type Failed, type Progress, type Request } from "./Protocol.js"

/** @internal */
export interface Options {
  readonly executor: CommandExecutor.CommandExecutor
  readonly program: string
}

/** @internal */
export type Ended = Exclude<Answer, Progress | Failed>

/** Sends a request to a child of its own, and waits for its answer and its end. @internal */
export const ask = (
  options: Options,
  request: Request,
  onProgress: OnProgress
): Effect.Effect<Ended, BackupError> => Effect.scoped(run(options, request, onProgress))

const run = Effect.fn("Sqlite.Child")(function* (
  { executor, program }: Options,
  request: Request,
  onProgress: OnProgress
) {
  // What the caller's Node is told to load or to measure is none of the child's business.
  const command = Command.make(execPath, program).pipe(Command.env({ NODE_OPTIONS: "" }))
  const child = yield* Effect.mapError(executor.start(command), (cause) =>
    failed("its child process to start", cause.message, cause)
  )
  // At once, wherever it is: SQLite rolls back. `kill` waits for the end.
  yield* Effect.addFinalizer(() => Effect.ignore(child.kill("SIGKILL")))
  yield* Stream.make(`${JSON.stringify(request)}\n`).pipe(
    Stream.encodeText,
    // Open for as long as the parent lives: its end is how the child learns of the parent's.
    Stream.concat(Stream.never),
    Stream.run(child.stdin),
    Effect.forkScoped
  )
  const said = yield* Effect.forkScoped(endOf(child.stderr))
  const last = yield* child.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runFoldWhileEffect(
      nothing,
      // A check that goes on after a failure is not waited for.
      ({ answer }) => answer === undefined,
      (before, line) => heard(before, line, onProgress)
    ),
    Effect.mapError((cause) => failed("its answer to be readable", cause.message, cause))
  )
  const { answer } = last
  if (answer === undefined) {
    const how = yield* Effect.match(child.exitCode, {
      onFailure: ({ message }) => message,
      onSuccess: (code) => `exit code ${code}`
    })
    const words = yield* Fiber.join(said)
    return yield* failed("an answer", [how, last.line, words].filter(Boolean).join("; "))
  }
  if (answer._tag !== "Failed") return answer
  const { _tag, ...report } = answer
  return yield* new BackupError(report)
})

interface Heard {
  readonly answer: Ended | Failed | undefined
  /** What it said last that is no answer. */
  readonly line: string
}

const nothing: Heard = { answer: undefined, line: "" }

const heard = (before: Heard, line: string, onProgress: OnProgress): Effect.Effect<Heard> =>
  Option.match(parse(line), {
    onNone: () => Effect.succeed({ ...before, line: line.slice(0, 300) }),
    onSome: (message) => {
      if (message._tag !== "Progress") return Effect.succeed({ ...before, answer: message })
      const { bytes, stage, total } = message
      return Effect.as(onProgress({ stage, bytes, total }), { ...before, line: `at ${stage}` })
    }
  })

const parse = Schema.decodeUnknownOption(Schema.parseJson(Answer))

/** The last words, for a message. */
const endOf = (stderr: CommandExecutor.Process["stderr"]): Effect.Effect<string> =>
  stderr.pipe(
    Stream.decodeText(),
    Stream.runFold("", (text, more) => `${text}${more}`.slice(-500)),
    Effect.map((text) => text.trim()),
    Effect.orElseSucceed(() => "")
  )

const failed = (expected: string, found: string, cause?: unknown): BackupError =>
  new BackupError({
    reason: "ChildFailed",
    subject: "the child process for SQLite",
    expected,
    found,
    advice: "Nothing was changed; try again, and report it if it stays so",
    cause
  })
