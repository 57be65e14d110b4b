/**
 * Where the command line writes to, and what can be shown there.
 */
import { Context, Effect } from "effect"
import type { Secrets } from "../Common/Secrets.js"

export class Output extends Context.Tag("holter/Cli/Output")<
  Output,
  {
    /** One line on standard output. */
    readonly line: (text: string) => Effect.Effect<void>
    /** One line on standard error: warnings, errors, progress. */
    readonly note: (text: string) => Effect.Effect<void>
    /** From now on these are taken out of every note, also out of the last words of a crash. */
    readonly hide: (secrets: Secrets) => Effect.Effect<void>
    readonly look: Look
  }
>() {}

/**
 * Writes, and goes on where that takes too long: a program that runs for weeks does not wait for a
 * terminal that is stopped (Ctrl-S) or a reader that is slow. A command that prints a result does.
 */
export const briefly = (write: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.ignore(Effect.timeoutOption(write, "500 millis"))

/** What the terminal shows. */
export interface Look {
  readonly emoji: boolean
  readonly color: boolean
}

interface Facts {
  readonly isTerminal: boolean
  readonly variable: (name: string) => string | undefined
}

/**
 * Emoji everywhere but where they are known not to show: a `dumb` or Linux console, or a locale
 * that is set and is not UTF-8. Colour only on a terminal, and not with `NO_COLOR`.
 */
export const lookOf = ({ isTerminal, variable }: Facts): Look => {
  const locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).find((value) => value) ?? ""
  const term = variable("TERM")
  const plain = isTerminal && (term === "dumb" || term === "linux")
  return {
    emoji: !plain && (locale === "" || /utf-?8/i.test(locale)),
    color: isTerminal && !plain && !variable("NO_COLOR")
  }
}

/** The exit codes of `holter check` by overall status, and those of every command. */
export const exitCodes = {
  healthy: 0,
  degraded: 1,
  unhealthy: 2,
  unknown: 3,
  failed: 1,
  usage: 64,
  fault: 70,
  configuration: 78
} as const

/** The exit code that a command has decided on. */
export class ExitCode extends Context.Tag("holter/Cli/ExitCode")<
  ExitCode,
  { readonly set: (code: number) => Effect.Effect<void> }
>() {}
