/**
 * The commands that read the journal of a watching program, or leave a word for it there.
 */
import * as Ack from "./AckCommand.js"
import * as Maintenance from "./MaintenanceCommand.js"
import * as Reload from "./ReloadCommand.js"
import * as Silence from "./SilenceCommand.js"
import * as Simulate from "./SimulateCommand.js"
import * as Status from "./StatusCommand.js"
import * as Unsilence from "./UnsilenceCommand.js"
import * as Why from "./WhyCommand.js"

export const commands = [
  Status.command,
  Why.command,
  Silence.command,
  Unsilence.command,
  Ack.command,
  Maintenance.command,
  Simulate.command,
  Reload.command
] as const
