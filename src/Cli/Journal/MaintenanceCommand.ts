/**
 * `holter maintenance`: what a window of the configuration does, begun and ended by hand.
 */
import * as Command from "@effect/cli/Command"
import * as Start from "./MaintenanceStartCommand.js"
import * as Stop from "./MaintenanceStopCommand.js"

export const command = Command.make("maintenance").pipe(
  Command.withDescription(
    "Maintenance of services, begun and ended by hand: checks go on, and what goes down is not sent"
  ),
  Command.withSubcommands([Start.command, Stop.command])
)
