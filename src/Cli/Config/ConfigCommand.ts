/**
 * `holter config`: what can be done with a configuration without running it.
 */
import * as Command from "@effect/cli/Command"
import * as CheckCommand from "./CheckCommand.js"

export const command = Command.make("config").pipe(
  Command.withDescription("The configuration. Exit code: 0 it can be used, 78 it cannot"),
  Command.withSubcommands([CheckCommand.command])
)
