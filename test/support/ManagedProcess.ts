/**
 * A child process that ends with its scope: asked first, then killed with everything below it.
 * Where `setpriv` is, it also ends with the test process, however that ends.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { live } from "./live.js"
import * as ProcessTree from "./ProcessTree.js"
import { ServerError } from "./ServerError.js"
import * as TestRun from "./TestRun.js"

export interface Options {
  readonly name: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** As the unprivileged user of the run, where the tests run as root. */
  readonly unprivileged?: boolean
  readonly ipc?: boolean
  /** Written to standard input, which is then closed; without it standard input is empty. */
  readonly stdin?: string
  readonly keepStdinOpen?: boolean
  /** What asks the process to end, before SIGKILL does: default SIGKILL. */
  readonly stopSignal?: NodeJS.Signals
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ManagedProcess {
  readonly pid: number
  readonly child: ChildProcess
  /** When it ended and its output was read to the end. */
  readonly exit: Effect.Effect<Ended>
  readonly isRunning: () => boolean
  readonly stdout: () => string
  readonly stderr: () => string
  /** Both outputs in the order they came. */
  readonly log: () => string
  /** Waits until this output has the text; fails when the process ends without it. */
  readonly awaitOutput: (
    pattern: RegExp,
    from?: "stdout" | "stderr" | "log"
  ) => Effect.Effect<RegExpExecArray, ServerError>
  readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** Asks with `stopSignal`, kills after three seconds, returns when it ended. */
  readonly stop: Effect.Effect<Ended>
}

export const start = (options: Options): Effect.Effect<ManagedProcess, ServerError, Scope.Scope> =>
  Effect.acquireRelease(launch(options), (managed) => managed.stop)

const launch = Effect.fn(function* (options: Options) {
  const run = yield* TestRun.current
  const ended = yield* Deferred.make<Ended>()
  const child = yield* spawned(options, run)
  // Never 0: a signal to 0 goes to the tests' own group.
  const pid = yield* Effect.fromNullable(child.pid).pipe(Effect.orDie)

  const chunks = { stdout: "", stderr: "", log: "" }
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const collect = (from: "stdout" | "stderr") => {
    child[from]?.setEncoding("utf8")
    child[from]?.on("data", (text: string) => {
      chunks[from] += text
      chunks.log += text
      changed()
    })
  }
  collect("stdout")
  collect("stderr")
  let result: Ended | undefined
  child.once("close", (code, signal) => {
    result = { code, signal }
    Deferred.unsafeDone(ended, Effect.succeed(result))
    changed()
  })
  child.stdin?.on("error", () => {
    // It ended without reading what it was given.
  })
  if (options.keepStdinOpen === true) child.stdin?.write(options.stdin ?? "")
  else child.stdin?.end(options.stdin ?? "")

  const isRunning = () =>
    result === undefined && child.exitCode === null && child.signalCode === null

  const awaitOutput: ManagedProcess["awaitOutput"] = (pattern, from = "log") =>
    Effect.async((resume) => {
      const check = () => {
        const match = pattern.exec(chunks[from])
        if (match !== null) {
          listeners.delete(check)
          resume(Effect.succeed(match))
        } else if (result !== undefined) {
          listeners.delete(check)
          resume(
            Effect.fail(
              new ServerError({
                server: options.name,
                operation: `wait for ${pattern}`,
                detail: `it ended (${result.signal ?? result.code}) after\n${tail(chunks.log)}`
              })
            )
          )
        }
      }
      listeners.add(check)
      check()
      return Effect.sync(() => listeners.delete(check))
    })

  const exit = Deferred.await(ended)
  const signal = (name: NodeJS.Signals) =>
    Effect.sync(() => {
      if (isRunning()) process.kill(pid, name)
    })
  const kill = Effect.suspend(() => (isRunning() ? ProcessTree.kill(pid) : Effect.void))

  const stop = Effect.gen(function* () {
    if (options.stopSignal === undefined) yield* kill
    else {
      yield* signal(options.stopSignal)
      // A stopped process takes no signal but SIGKILL until it goes on.
      if (isRunning()) yield* ProcessTree.resume(pid)
    }
    return yield* exit.pipe(
      // A finalizer is uninterruptible, and a timeout inside it would never fire.
      Effect.interruptible,
      Effect.timeoutTo({
        duration: "3 seconds",
        onSuccess: Effect.succeed,
        onTimeout: () => Effect.zipRight(kill, exit)
      }),
      Effect.flatten
    )
  }).pipe(live)

  return {
    pid,
    child,
    exit,
    isRunning,
    stdout: () => chunks.stdout,
    stderr: () => chunks.stderr,
    log: () => chunks.log,
    awaitOutput,
    signal,
    pause: Effect.suspend(() => (isRunning() ? ProcessTree.pause(pid) : Effect.void)),
    resume: Effect.suspend(() => (isRunning() ? ProcessTree.resume(pid) : Effect.void)),
    stop
  } satisfies ManagedProcess
})

const spawned = (
  options: Options,
  run: TestRun.TestRun
): Effect.Effect<ChildProcess, ServerError> =>
  Effect.async((resume) => {
    const death = options.stopSignal ?? "SIGKILL"
    const [command, args] =
      run.setpriv === undefined
        ? [options.command, options.args]
        : [run.setpriv, ["--pdeathsig", death.slice(3), "--", options.command, ...options.args]]
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: { ...(options.env ?? { PATH: process.env.PATH ?? "" }) },
      // Ctrl-C in a terminal goes to the test runner alone, which ends the rest in order.
      detached: true,
      stdio: options.ipc === true ? ["pipe", "pipe", "pipe", "ipc"] : ["pipe", "pipe", "pipe"],
      ...(options.unprivileged === true && run.user !== undefined ? run.user : {})
    })
    const failed = (cause: Error) =>
      resume(
        Effect.fail(
          new ServerError({
            server: options.name,
            operation: "spawn",
            detail: cause.message,
            cause
          })
        )
      )
    child.once("error", failed)
    child.once("spawn", () => {
      child.off("error", failed)
      child.on("error", () => {
        // A message to a child that has ended: its end is told by `exit`.
      })
      resume(Effect.succeed(child))
    })
  })

const tail = (log: string): string => log.trim().split("\n").slice(-20).join("\n")
