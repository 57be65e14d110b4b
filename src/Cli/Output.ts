/**
 * Where the command line writes to, and what can be shown there.
 */
import { Context, Effect } from "effect"
import * as Text from "../Common/Text.js"
import type { Secrets } from "../Common/Secrets.js"

export class Output extends Context.Tag("holter/Cli/Output")<
  Output,
  {
    /** One line on standard output. What is no letter or sign in it is made visible. */
    readonly line: (text: string) => Effect.Effect<void>
    /** One line on standard error, made visible as well: warnings, errors, progress. */
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

/**
 * One line as it may be written: texts of servers, files and people stand in it, and a terminal would
 * act on some of them. The colours of Holter's own stay where colours are shown.
 */
export const lineOf = (text: string, look: Pick<Look, "color">): string =>
  look.color ? piecewise(text, ownColour, Text.onOneLine) : Text.onOneLine(text)

/** Several lines of Holter's own, such as the help, which has more colours. */
export const documentOf = (text: string, look: Pick<Look, "color">): string =>
  look.color
    ? piecewise(text, anyColour, Text.legible)
    : Text.legible(text.replaceAll(anyColour, ""))

/** One JSON document on standard output: escaped, so that nothing in it has to be made visible. */
export const json = (
  value: unknown,
  replacer?: (key: string, part: unknown) => unknown
): Effect.Effect<void, never, Output> =>
  page(Text.escaped(JSON.stringify(value, replacer, 2)).split("\n"))

/** Lines on standard output. */
export const page = (lines: ReadonlyArray<string>): Effect.Effect<void, never, Output> =>
  Effect.flatMap(Output, ({ line }) => Effect.forEach(lines, line, { discard: true }))

const ownColour = /\u001b\[(?:0|2|31|32|33|90)m/g
const anyColour = /\u001b\[[\d;]*m/g

const piecewise = (text: string, kept: RegExp, clean: (piece: string) => string): string => {
  const marks = text.match(kept) ?? []
  return text
    .split(kept)
    .map((piece, index) => clean(piece) + (marks[index] ?? ""))
    .join("")
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
