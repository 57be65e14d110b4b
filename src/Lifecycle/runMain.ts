/**
 * Runs a program as a process: signals, faults that nobody caught, exit codes. The only place that
 * takes signals and exits.
 *
 * @since 0.1.0
 */
import { makeRunMain } from "@effect/platform/Runtime"
import { Cause, type Effect, Exit, Inspectable } from "effect"

/** A fault of the program itself (`EX_SOFTWARE` of sysexits). Node's own 1 would mean "degraded". */
const faultCode = 70

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Takes secrets out of what a crash says. */
  readonly scrub?: (text: string) => string
}

/**
 * Runs the effect, whose value is the exit code. A signal interrupts it and makes the exit code
 * 128 plus its number; a second one ends the process at once.
 *
 * @since 0.1.0
 * @category running
 */
export const runMain = (main: Effect.Effect<number>, options: Options = {}): void => {
  let signalled: number | undefined
  const crash = (fault: unknown): void => {
    const text = fault instanceof Error ? fault.message : Inspectable.toStringUnknown(fault)
    const clean = options.scrub?.(text) ?? text
    process.stderr.write(`holter: a fault of the program itself: ${clean}\n`)
    process.exit(faultCode)
  }
  makeRunMain(({ fiber, teardown }) => {
    const stop = (signal: keyof typeof signals) => () => {
      const again = signalled !== undefined
      signalled = 128 + signals[signal]
      if (again) process.exit(signalled)
      fiber.unsafeInterruptAsFork(fiber.id())
    }
    process.on("SIGHUP", stop("SIGHUP"))
    process.on("SIGINT", stop("SIGINT"))
    process.on("SIGTERM", stop("SIGTERM"))
    process.on("uncaughtException", crash)
    process.on("unhandledRejection", crash)
    // Who writes learns of it; a reader that left, as in `holter check | head -1`, is no fault.
    process.stdout.on("error", () => {})
    process.stderr.on("error", () => {})
    fiber.addObserver((exit) => teardown(exit, (code) => process.exit(code)))
  })(main, {
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => {
      if (Exit.isSuccess(exit) && typeof exit.value === "number") return onExit(exit.value)
      if (signalled !== undefined) return onExit(signalled)
      if (Exit.isFailure(exit)) crash(Cause.squash(exit.cause))
      onExit(faultCode)
    }
  })
}
