/**
 * `holter backup`: the commands on backups. Loaded only when one of them may be meant.
 */
import * as Command from "@effect/cli/Command"
import * as CreateCommand from "./CreateCommand.js"
import * as DrillCommand from "./DrillCommand.js"
import * as ListCommand from "./ListCommand.js"
import * as PruneCommand from "./PruneCommand.js"
import * as RestoreCommand from "./RestoreCommand.js"
import * as VerifyCommand from "./VerifyCommand.js"

export const command = Command.make("backup").pipe(
  Command.withDescription(
    "Backups of a SQLite or PostgreSQL database. Exit code: 0 done, 1 failed"
  ),
  Command.withSubcommands([
    CreateCommand.command,
    ListCommand.command,
    VerifyCommand.command,
    DrillCommand.command,
    RestoreCommand.command,
    PruneCommand.command
  ])
)
