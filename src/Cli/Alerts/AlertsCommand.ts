/**
 * `holter alerts`: what can be done about alerts by hand. Loaded only when it may be meant.
 */
import * as Command from "@effect/cli/Command"
import * as TestCommand from "./TestCommand.js"

export const command = Command.make("alerts").pipe(
  Command.withDescription("The channels of alerts. Exit code: 0 done, 1 failed"),
  Command.withSubcommands([TestCommand.command])
)
