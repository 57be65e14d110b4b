/**
 * Proves that a backup works: restores it into a scratch database, compares, and drops that.
 *
 * @internal
 */
import { Effect, Option, type Scope } from "effect"
import { BackupError } from "../../BackupError.js"
import type { Drilled, OnProgress, Payload } from "../Strategy.js"
import * as Archive from "./Archive.js"
import * as Extensions from "./Extensions.js"
import * as Fill from "./Fill.js"
import type { Maintenance } from "./Maintenance.js"
import * as Maintenances from "./Maintenance.js"
import * as Properties from "./Properties.js"
import * as Rights from "./Rights.js"
import * as Room from "./Room.js"
import * as Scratch from "./Scratch.js"
import * as Server from "./Server.js"
import * as Sessions from "./Session.js"
import { identifier } from "./Sql.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as Tools from "./Tools.js"

export const drill = (
  target: Target,
  database: string,
  payload: Payload,
  onProgress: OnProgress
): Effect.Effect<Drilled, BackupError, Running> =>
  Effect.gen(function* () {
    yield* Archive.format(payload.path)
    const maintenance = yield* openAnywhere(target, database)
    const { session } = maintenance
    const server = yield* Server.facts(session)
    const tool = yield* Tools.forServer(target, "pg_restore", server.major)
    yield* Rights.notStandby(target, server)
    const rights = yield* Rights.read(session)
    if (!rights.createDatabase) return yield* Rights.missingCreate(target, rights, "a drill")
    const claim = yield* Scratch.claim(session, "drill", database)
    const swept = yield* Scratch.sweep(maintenance, database)
    yield* Room.look(target, database, payload)
    const present = yield* Properties.read(session, database)
    const create =
      present === undefined
        ? yield* Archive.createOptions(target, tool, payload.path)
        : Properties.localeOptions(present) + ownerOf(present)
    const name = yield* Scratch.make(target, maintenance, claim, create)
    yield* Extensions.creatable(target, tool, payload.path, name)
    const filled = yield* Fill.fill(target, maintenance, {
      tool,
      database: name,
      payload,
      onProgress,
      analyze: false
    })
    return {
      tables: filled.tables,
      warnings: [
        ...swept.map((left) => `dropped ${left}, left by a killed run`),
        ...filled.warnings
      ]
    }
  }).pipe(Effect.scoped)

/** Who owns the tables may make them only where the database is his, or of a role of his. */
const ownerOf = ({ row }: Properties.Properties): string =>
  row.mine ? ` OWNER ${identifier(row.owner)}` : ""

/** A drill changes nothing of the database: it may as well be made from there. */
const openAnywhere = (
  target: Target,
  database: string
): Effect.Effect<Maintenance, BackupError, Scope.Scope> =>
  Effect.flatMap(
    Maintenances.open(target, database),
    Option.match({
      onSome: Effect.succeed,
      onNone: () => Effect.map(Sessions.open(target), (session) => ({ session, database }))
    })
  )
