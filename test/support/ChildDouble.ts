/** A double in a child process: the same commands, as messages. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { DoubleOptions } from "./doubles/apis.js"
import type { FromChild, ToChild } from "./doubles/child.js"
import type { Command } from "./doubles/HttpCore.js"
import * as ManagedProcess from "./ManagedProcess.js"
import { ServerError } from "./ServerError.js"
import * as TempDir from "./TempDir.js"
import * as TestRun from "./TestRun.js"

/** A double in a process of its own. While it is paused, what is asked of it waits. */
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

export const start = Effect.fn(function* (options: DoubleOptions) {
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
    const message = yield* exchange(process, { _tag: "Be", double }, undefined)
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
      return exchange(process, { _tag: "Ask", id, command }, id).pipe(
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
  id: number | undefined
): Effect.Effect<FromChild, ServerError> =>
  Effect.async<FromChild>((resume) => {
    const listener = (received: unknown) => {
      const answer = received as FromChild
      const answers = answer._tag === "Listening" ? undefined : answer.id
      if (answers !== id) return
      process.child.off("message", listener)
      resume(Effect.succeed(answer))
    }
    process.child.on("message", listener)
    process.child.send(message, () => {
      // A message to a process that has ended: the race below tells.
    })
    return Effect.sync(() => process.child.off("message", listener))
  }).pipe(Effect.raceFirst(Effect.flatMap(process.exit, () => failed(undefined, process))))

const failed = (
  message: FromChild | undefined,
  process: ManagedProcess.ManagedProcess | undefined
): Effect.Effect<never, ServerError> =>
  new ServerError({
    server: "double",
    operation: "ask",
    detail: message?._tag === "Failed" ? message.problem : `it has ended\n${process?.log() ?? ""}`
  })
