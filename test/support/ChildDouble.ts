/** A double in a child process: the same commands, as messages. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { DoubleOptions } from "./doubles/apis.js"
import type { FromChild, ToChild } from "./doubles/child.js"
import type { Command } from "./doubles/HttpCore.js"
import { live } from "./live.js"
import * as ManagedProcess from "./ManagedProcess.js"
import { ServerError } from "./ServerError.js"
import * as TempDir from "./TempDir.js"
import * as TestRun from "./TestRun.js"

/** A double in a process of its own. While it is paused, what is asked of it waits, for a while. */
export interface Child {
  readonly pid: Effect.Effect<number | undefined>
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** SIGKILL. `start` brings it back on its port, programmed as it was, with nothing recorded. */
  readonly kill: Effect.Effect<void>
}

/**
 * Asks the double. The answer's type is what the command promises (doubles/HttpCore.ts and the
 * APIs): it may have come through a message, and nothing checks it twice.
 */
export type Ask = <A>(command: Command) => Effect.Effect<A>

interface Running {
  readonly process: ManagedProcess.ManagedProcess
  readonly scope: Scope.CloseableScope
}

/** Longer than any answer takes, shorter than a test may: the test then says what it waited for. */
const patience = Duration.seconds(20)

export const start = Effect.fn(function* (
  options: DoubleOptions,
  limit: Duration.Duration = patience
) {
  const run = yield* TestRun.current
  const scope = yield* Effect.scope
  const cwd = yield* TempDir.make("double")
  /** What it was told to be, besides its options: a killed double is told again. */
  const programmed: Array<Command> = []
  let running: Running | undefined
  let asked = 0

  const launch = Effect.fn(function* (double: DoubleOptions) {
    const owned = yield* Scope.fork(scope, { _tag: "Sequential" })
    const process = yield* ManagedProcess.start({
      name: "double",
      command: globalThis.process.execPath,
      args: [run.doubles],
      cwd,
      ipc: true
    }).pipe(Scope.extend(owned))
    running = { process, scope: owned }
    const message = yield* exchange(process, { _tag: "Be", double }, patience)
    return message._tag === "Listening" ? message.port : yield* failed(message, process)
  })

  const ask: Ask = <A>(command: Command) =>
    Effect.suspend(() => {
      if (running === undefined) return failed(undefined, undefined)
      if (command._tag === "Api" && command.payload !== undefined) programmed.push(command)
      return tell<A>(running.process, command)
    }).pipe(Effect.orDie)

  const tell = <A>(process: ManagedProcess.ManagedProcess, command: Command) =>
    Effect.suspend(() => {
      const id = ++asked
      return exchange(process, { _tag: "Ask", id, command }, limit).pipe(
        Effect.flatMap((message) =>
          message._tag === "Answer" ? Effect.succeed(message.value as A) : failed(message, process)
        )
      )
    })

  const port = yield* launch(options)

  const restart = Effect.gen(function* () {
    if (running?.process.isRunning() === true) return yield* ask<void>({ _tag: "Start" })
    if (running !== undefined) yield* Scope.close(running.scope, Exit.void)
    yield* launch({ ...options, server: { ...options.server, port } })
    for (const command of programmed) {
      if (running !== undefined) yield* tell(running.process, command)
    }
  }).pipe(Effect.orDie)

  const child: Child = {
    pid: Effect.sync(() => running?.process.pid),
    pause: Effect.suspend(() => running?.process.pause ?? Effect.void),
    resume: Effect.suspend(() => running?.process.resume ?? Effect.void),
    kill: Effect.suspend(() => Effect.asVoid(running?.process.stop ?? Effect.void))
  }
  return { port, ask, child, start: restart }
})

/** Sends a message and waits for the one that answers it, or for the end of the process. */
const exchange = (
  process: ManagedProcess.ManagedProcess,
  message: ToChild,
  limit: Duration.Duration
): Effect.Effect<FromChild, ServerError> => {
  const id = message._tag === "Be" ? undefined : message.id
  const operation = message._tag === "Be" ? "start" : `ask ${message.command._tag}`
  return Effect.async<FromChild, ServerError>((resume) => {
    const { child } = process
    const listener = (received: unknown) => {
      const answer = received as FromChild
      const answers = answer._tag === "Listening" ? undefined : answer.id
      if (answers === id) settle(Effect.succeed(answer))
    }
    const ended = () => settle(failed(undefined, process, operation))
    const settle = (result: Effect.Effect<FromChild, ServerError>) => {
      release()
      resume(result)
    }
    const release = () => {
      child.off("message", listener)
      child.off("close", ended)
    }
    child.on("message", listener)
    child.once("close", ended)
    if (process.isRunning()) {
      child.send(message, () => {
        // A message to a process that has ended: its end tells.
      })
    } else ended()
    return Effect.sync(release)
  }).pipe(
    // A test's finalizer asks too, and in an uninterruptible region nothing else would end this.
    Effect.interruptible,
    Effect.timeoutFail({
      duration: limit,
      onTimeout: () =>
        new ServerError({
          server: "double",
          operation,
          detail: `no answer within ${Duration.format(limit)}: a double that is paused answers when it is resumed\n${process.log()}`
        })
    }),
    live
  )
}

const failed = (
  message: FromChild | undefined,
  process: ManagedProcess.ManagedProcess | undefined,
  operation = "ask"
): Effect.Effect<never, ServerError> =>
  new ServerError({
    server: "double",
    operation,
    detail: message?._tag === "Failed" ? message.problem : `it has ended\n${process?.log() ?? ""}`
  })
