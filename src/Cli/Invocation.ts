/**
 * Which command was typed, whatever flags stand before it. Pure.
 */
import * as TrustedConfig from "./TrustedConfig.js"

export interface Invocation {
  /** What was typed, the program first, without the flags that are taken from any place. */
  readonly argv: ReadonlyArray<string>
  readonly command: string | undefined
  /** Whether the configuration file is trusted (`--trust-config`). */
  readonly trusts: boolean
}

export const of = (typed: ReadonlyArray<string>): Invocation => {
  const argv = typed.filter((word) => word !== TrustedConfig.flag)
  const words = argv.slice(2)
  return {
    argv,
    command: words.find((word, at) => !word.startsWith("-") && words[at - 1] !== logLevel),
    trusts: argv.length < typed.length
  }
}

/** The flag of @effect/cli that takes a value and may stand before the command. */
const logLevel = "--log-level"
