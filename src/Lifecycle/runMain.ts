/**
 * Runs a program as a process: signals, faults that nobody caught, exit codes. The only place that
 * takes signals and exits.
 *
 * A program that was made with `launch` is asked to stop and ends by itself; any other is
 * interrupted.
 */
import { makeRunMain } from "@effect/platform/Runtime"
import { Cause, Effect, Exit } from "effect"
import { writeSync } from "node:fs"
import * as HardDeadline from "./HardDeadline.js"
import * as Reason from "./Reason.js"
import { ReloadRequest } from "./ReloadRequest.js"
import * as StandardStreams from "./StandardStreams.js"
import { type Listener, StopRequest } from "./StopRequest.js"

/** A fault of the program itself (`EX_SOFTWARE` of sysexits). Node's own 1 would mean "degraded". */
const faultCode = 70

const failureCode = 1

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

const longestTimer = 2 ** 31 - 1

/** For a reader that does not read on: logs are worth waiting for, but not forever. */
const flushMillis = 1000

export interface Options {
  /** Stands before what a crash says. */
  readonly name?: string
  /** Takes secrets out of what a crash says, and out of a report that is written by force. */
  readonly scrub?: (text: string) => string
  /**
   * It runs until it is stopped, so that a signal before `launch` (while modules or a configuration
   * are loaded) is an orderly stop as well: exit code 0. Default false: 128 plus the signal's number.
   */
  readonly untilStopped?: boolean
  /**
   * SIGHUP stops nothing: the program is to read its configuration again, and hears of it by
   * `ReloadRequest`. For programs that no terminal can hang up on. Default false.
   */
  readonly reloads?: boolean
}

/**
 * Runs the effect, whose value is the exit code.
 *
 * - A signal asks a launched program to stop, and interrupts any other, which makes the exit code
 *   128 plus the signal's number.
 * - A second signal ends the process at once and names the hooks that still run.
 * - SIGHUP is one of them, unless the program reloads (`Options.reloads`).
 * - A typed failure is 1, a fault that nobody caught 70.
 *
 * @example
 * import { Layer } from "effect"
 * import { launch, runMain } from "holter"
 *
 * runMain(launch(Layer.empty), { name: "my-bot" })
 */
export const runMain = <E>(main: Effect.Effect<number, E>, options: Options = {}): void => {
  StandardStreams.release()
  const scrub = options.scrub ?? ((text) => text)
  let signalled: number | undefined
  let isFaulty = false
  let listener: Listener | undefined
  let deadline: HardDeadline.HardDeadline | undefined

  const prefixed = (text: string): string =>
    scrub(`${options.name === undefined ? "" : `${options.name}: `}${text}\n`)
  const say = (text: string): void => writeAll(prefixed(text))
  const crash = (fault: unknown): void => {
    say(`a fault of the program itself: ${messageOf(fault)}`)
    process.exit(faultCode)
  }

  const ask = (from: Listener, reason: Reason.Reason): void => {
    from.requestStop(reason)
    if (deadline === undefined) {
      const lastWords = () => prefixed(`out of time, killed: ${from.describe()}`)
      const armed = HardDeadline.arm(from.timeLeft(), lastWords())
      deadline = armed
      from.watch(() => armed.tell(lastWords()))
    } else if (reason._tag === "Fault") deadline.shorten(from.timeLeft())
  }

  const onFault = (kind: "uncaughtException" | "unhandledRejection") => (fault: unknown) => {
    isFaulty = true
    if (listener === undefined) crash(fault)
    else ask(listener, { _tag: "Fault", kind, fault })
  }

  let isReloadAsked = false
  let onReload: (() => void) | undefined
  const reload = (): void => {
    if (onReload === undefined) isReloadAsked = true
    else onReload()
  }
  const reloading: ReloadRequest["Type"] = {
    listen: (next) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          onReload = next
          if (isReloadAsked) next()
        }),
        () =>
          Effect.sync(() => {
            onReload = () => {}
          })
      )
  }

  const force = (signal: string, code: number): void => {
    if (listener !== undefined) say(`${signal} again: ends at once, ${listener.describe()}`)
    process.exit(code)
  }

  makeRunMain(({ fiber, teardown }) => {
    const onSignal = (signal: keyof typeof signals) => () => {
      const again = signalled !== undefined
      signalled = 128 + signals[signal]
      if (again) force(signal, signalled)
      else if (listener === undefined) fiber.unsafeInterruptAsFork(fiber.id())
      else ask(listener, { _tag: "Signal", signal })
    }
    process.on("SIGHUP", options.reloads === true ? reload : onSignal("SIGHUP"))
    process.on("SIGINT", onSignal("SIGINT"))
    process.on("SIGTERM", onSignal("SIGTERM"))
    process.on("uncaughtException", onFault("uncaughtException"))
    process.on("unhandledRejection", onFault("unhandledRejection"))
    // Who writes learns of it; a reader that left, as in `holter check | head -1`, is no fault.
    process.stdout.on("error", () => {})
    process.stderr.on("error", () => {})
    // A fiber that waits for what never comes holds no process: Node would end it with 0, as if all
    // had been done.
    const alive = setInterval(() => {}, longestTimer)
    fiber.addObserver((exit) => {
      clearInterval(alive)
      teardown(exit, (code) => flush(() => process.exit(code)))
    })
  })(
    Effect.provideService(Effect.provideService(main, ReloadRequest, reloading), StopRequest, {
      listen: (next) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            listener = next
          }),
          () =>
            Effect.sync(() => {
              listener = undefined
            })
        )
    }),
    {
      disableErrorReporting: true,
      disablePrettyLogger: true,
      teardown: (exit, onExit) => {
        if (Exit.isSuccess(exit) && typeof exit.value === "number") {
          return onExit(isFaulty ? faultCode : exit.value)
        }
        if (Exit.isFailure(exit) && Cause.isFailure(exit.cause)) {
          say(messageOf(Cause.squash(exit.cause)))
          return onExit(isFaulty ? faultCode : failureCode)
        }
        if (signalled !== undefined) return onExit(options.untilStopped === true ? 0 : signalled)
        if (Exit.isFailure(exit)) crash(Cause.squash(exit.cause))
        onExit(faultCode)
      }
    }
  )
}

const messageOf = (fault: unknown): string =>
  fault instanceof Error ? fault.message : Reason.faultText(fault)

/** Not through the stream: the process may end before that is written. */
const writeAll = (text: string): void => {
  try {
    writeSync(2, text)
  } catch {
    // Nobody reads it, or the pipe is full: there is no one left to tell.
  }
}

/** What a pipe has not taken yet would be lost by the exit. */
const flush = (done: () => void): void => {
  const full = [process.stdout, process.stderr].filter(
    ({ destroyed, writableLength }) => !destroyed && writableLength > 0
  )
  if (full.length === 0) return done()
  let waiting = full.length
  setTimeout(done, flushMillis)
  for (const stream of full) {
    stream.write("", () => {
      waiting -= 1
      if (waiting === 0) done()
    })
  }
}
