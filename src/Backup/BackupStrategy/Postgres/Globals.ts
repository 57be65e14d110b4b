/**
 * Roles and tablespaces of a server, as statements. Never a password, not as a hash either: a file beside
 * each backup is no place for one, and who may not read them may still save the rest.
 *
 * @internal
 */
import { Effect } from "effect"
import type { BackupError } from "../../BackupError.js"
import * as LocalFiles from "../../LocalFiles.js"
import * as Server from "./Server.js"
import * as Sessions from "./Session.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as ToolRun from "./ToolRun.js"
import * as Tools from "./Tools.js"

export const write = (target: Target, file: string): Effect.Effect<void, BackupError, Running> =>
  Effect.gen(function* () {
    const server = yield* Effect.flatMap(Sessions.open(target), Server.facts)
    const tool = yield* Tools.forServer(target, "pg_dumpall", server.major)
    // For this user alone from the start: the tool writes into what is there.
    yield* LocalFiles.write(file, "")
    yield* ToolRun.run(target, tool, {
      database: server.database,
      args: [
        "--globals-only",
        "--no-role-passwords",
        // It takes the host and the user of the connection, and not its database.
        `--database=${server.database}`,
        `--file=${file}`
      ]
    })
    yield* LocalFiles.sync(file)
  }).pipe(Effect.scoped)
