/** Runs the child process: one request, progress, one answer. It ends with the fiber that waits for it. */
import * as Command from "@effect/platform/Command"
import type * as CommandExecutor from "@effect/platform/CommandExecutor"
import { Config, Deferred, Effect, Fiber, Option, Schema, Stream } from "effect"
import { execPath } from "node:process"
import * as Excerpt from "../../../Common/Excerpt.js"
import { BackupError } from "../../BackupError.js"
import type { OnProgress } from "../Strategy.js"
import * as ChildProgram from "./ChildProgram.js"
import {
  Answer,
  type Failed,
  go,
  type Locked,
  type Prepared,
  type Progress,
  type Request
} from "./Protocol.js"

/** @internal */
export interface Options {
  readonly executor: CommandExecutor.CommandExecutor
  readonly program: ChildProgram.Program
}

/** @internal */
export type Ended = Exclude<Answer, Progress | Prepared | Locked | Failed>

/** A request that is being worked on. @internal */
export interface Started {
  /** Until it says that the lock is what comes next; only a restore that quiesces does. */
  readonly prepared: Effect.Effect<void, BackupError>
  /** Lets it take the lock then. */
  readonly approach: Effect.Effect<void>
  /**
   * Until it says that nobody else can write any more; only a restore does. Whether it is going to
   * replace the file.
   */
  readonly locked: Effect.Effect<boolean, BackupError>
  /** Lets a restore do its second half; what it ends with. */
  readonly finish: Effect.Effect<Ended, BackupError>
}

/** Sends a request to a child of its own, and waits for its answer and its end. @internal */
export const ask = (
  options: Options,
  request: Request,
  onProgress: OnProgress
): Effect.Effect<Ended, BackupError> =>
  Effect.scoped(Effect.flatMap(start(options, request, onProgress), ({ finish }) => finish))

/** The child ends with the scope. @internal */
export const start = Effect.fn("Sqlite.Child")(function* (
  { executor, program }: Options,
  request: Request,
  onProgress: OnProgress
) {
  const carried = yield* ChildProgram.carried(program)
  const command = Command.make(execPath, ...ChildProgram.argumentsFor(carried)).pipe(
    Command.env(yield* environment, { extendEnv: false })
  )
  const child = yield* Effect.mapError(executor.start(command), (cause) =>
    failed("its child process to start", cause.message, unchanged, cause)
  )
  // At once, wherever it is: SQLite rolls back. `kill` waits for the end.
  yield* Effect.addFinalizer(() => Effect.ignore(child.kill("SIGKILL")))
  const isPrepared = yield* Deferred.make<void>()
  const isLocked = yield* Deferred.make<boolean>()
  const approaching = yield* Deferred.make<void>()
  const going = yield* Deferred.make<void>()
  const goAfter = (one: Deferred.Deferred<void>) =>
    Stream.fromEffect(Effect.as(Deferred.await(one), `${go}\n`))
  const quiesces = request._tag === "Restore" && request.quiesces
  yield* Stream.make(carried.text, `${JSON.stringify(request)}\n`).pipe(
    Stream.concat(quiesces ? goAfter(approaching) : Stream.empty),
    Stream.concat(goAfter(going)),
    Stream.encodeText,
    // Open for as long as the parent lives: its end is how the child learns of the parent's.
    Stream.concat(Stream.never),
    Stream.run(child.stdin),
    Effect.forkScoped
  )
  const advice = Effect.map(Deferred.isDone(going), (isGone) =>
    isGone && request._tag === "Restore" ? unknown : unchanged
  )
  const onLocked = (replaces: boolean) => Deferred.succeed(isLocked, replaces)
  const onPrepared = Deferred.succeed(isPrepared, undefined)
  const answered = yield* Effect.forkScoped(
    answerOf(child, { advice, onPrepared, onLocked, onProgress })
  )
  const answer = Fiber.join(answered)
  return {
    prepared: Effect.raceFirst(Deferred.await(isPrepared), Effect.asVoid(answer)),
    approach: Effect.asVoid(Deferred.succeed(approaching, undefined)),
    locked: Effect.raceFirst(Deferred.await(isLocked), Effect.as(answer, false)),
    finish: Effect.zipRight(Deferred.succeed(going, undefined), answer)
  } satisfies Started
})

/**
 * What it needs of the caller's. What the caller's Node is told to load, and its secrets, are none of its
 * business.
 */
const environment = Effect.forEach(
  ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "SQLITE_TMPDIR", "LANG", "TZ"],
  (name) =>
    Effect.map(
      Effect.option(Config.string(name)),
      Option.match({
        onNone: () => [],
        onSome: (value) => [[name, value] as const]
      })
    )
).pipe(Effect.map((found) => Object.fromEntries(found.flat())))

interface Hearing {
  /** Where there is no answer. */
  readonly advice: Effect.Effect<string>
  readonly onPrepared: Effect.Effect<unknown>
  readonly onLocked: (replaces: boolean) => Effect.Effect<unknown>
  readonly onProgress: OnProgress
}

const answerOf = (
  child: CommandExecutor.Process,
  hearing: Hearing
): Effect.Effect<Ended, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const said = yield* Effect.forkScoped(endOf(child.stderr))
      const heardLast = yield* child.stdout.pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.runFoldWhileEffect(
          nothing,
          // A check that goes on after a failure is not waited for.
          ({ answer }) => answer === undefined,
          (before, line) => heard(before, line, hearing)
        ),
        Effect.either
      )
      const advice = yield* hearing.advice
      if (heardLast._tag === "Left") {
        const cause = heardLast.left
        return yield* failed("its answer to be readable", cause.message, advice, cause)
      }
      const { answer, line } = heardLast.right
      if (answer === undefined) {
        const how = yield* Effect.match(child.exitCode, {
          onFailure: ({ message }) => message,
          onSuccess: (code) => `exit code ${code}`
        })
        const last = yield* Excerpt.current(line, longestLine)
        const words = yield* Excerpt.currentEnd(yield* Fiber.join(said), longestWords)
        return yield* failed("an answer", [how, last, words].filter(Boolean).join("; "), advice)
      }
      if (answer._tag !== "Failed") return answer
      const { _tag, ...report } = answer
      return yield* new BackupError(report)
    })
  )

interface Heard {
  readonly answer: Ended | Failed | undefined
  /** What it said last that is no answer. */
  readonly line: string
}

const nothing: Heard = { answer: undefined, line: "" }

const heard = (
  before: Heard,
  line: string,
  { onLocked, onPrepared, onProgress }: Hearing
): Effect.Effect<Heard> =>
  Option.match(parse(line), {
    onNone: () => Effect.succeed({ ...before, line }),
    onSome: (message) => {
      if (message._tag === "Prepared") return Effect.as(onPrepared, before)
      if (message._tag === "Locked") return Effect.as(onLocked(message.replaces), before)
      if (message._tag !== "Progress") return Effect.succeed({ ...before, answer: message })
      const { bytes, stage, total } = message
      return Effect.as(onProgress({ stage, bytes, total }), { ...before, line: `at ${stage}` })
    }
  })

const parse = Schema.decodeUnknownOption(Schema.parseJson(Answer))

const longestLine = 300
const longestWords = 500

/** So much of standard error is kept for its last words, whose secrets are taken out before they are cut. */
const kept = 64 * 1024

const endOf = (stderr: CommandExecutor.Process["stderr"]): Effect.Effect<string> =>
  stderr.pipe(
    Stream.decodeText(),
    Stream.runFold("", (text, more) => `${text}${more}`.slice(-kept)),
    Effect.orElseSucceed(() => "")
  )

const unchanged = "Nothing was changed; try again, and report it if it stays so"

/** It was writing, and may have been through. */
const unknown =
  "It is not known whether the restore was done; the database holds all of the old content or all of the backup. Look at it before you go on, and restore again where it is the old"

const failed = (expected: string, found: string, advice: string, cause?: unknown): BackupError =>
  new BackupError({
    reason: "ChildFailed",
    subject: "the child process for SQLite",
    expected,
    found,
    advice,
    cause
  })
