/**
 * Proves that a backup works: restores it into a scratch database, compares, and drops that.
 *
 * @internal
 */
import { Effect, Option, type Scope } from "effect"
import { BackupError } from "../../BackupError.js"
import type { Drilled, Leniency, OnProgress, Payload } from "../Strategy.js"
import * as Archive from "./Archive.js"
import * as Extensions from "./Extensions.js"
import * as Fill from "./Fill.js"
import type { Maintenance } from "./Maintenance.js"
import * as Maintenances from "./Maintenance.js"
import * as Properties from "./Properties.js"
import * as Rights from "./Rights.js"
import * as FreeSpace from "./FreeSpace.js"
import * as Scratch from "./Scratch.js"
import * as Server from "./Server.js"
import * as Sessions from "./Session.js"
import { identifier } from "./Sql.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as Tools from "./Tools.js"
import * as Unmade from "./Unmade.js"

type Options = Leniency & { readonly onProgress: OnProgress }

export const drill = (
  target: Target,
  database: string,
  payload: Payload,
  options: Options
): Effect.Effect<Drilled, BackupError, Running> =>
  Effect.gen(function* () {
    yield* Archive.format(payload.path)
    const maintenance = yield* openAnywhere(target, database)
    const rights = yield* Rights.read(maintenance.session)
    if (!rights.createDatabase) return yield* Rights.missingCreate(target, rights, "a drill")
    yield* FreeSpace.look(target, database, payload)
    const risks = yield* Rights.risks(target, database)
    const { filling, swept, unmade } = yield* scratch(target, maintenance, database, {
      payload,
      options
    })
    const filled = yield* Fill.fill(target, maintenance, unmade, filling)
    return {
      tables: filled.tables,
      warnings: [
        ...risks,
        ...swept.map((left) => `dropped ${left}, left by a killed run`),
        ...filled.warnings
      ]
    }
  }).pipe(Effect.scoped)

/**
 * A drill without rows: what of a schema cannot be made is as a rule known without them, at a small part of the
 * cost.
 */
export const rehearse = (
  target: Target,
  database: string,
  payload: Payload
): Effect.Effect<ReadonlyArray<string>, BackupError, Running> =>
  Effect.gen(function* () {
    const maintenance = yield* openAnywhere(target, database)
    const rights = yield* Rights.read(maintenance.session)
    if (!rights.createDatabase) {
      return [
        `its restore was not rehearsed, since the role ${rights.user} may not create databases (ALTER ROLE ${identifier(rights.user)} CREATEDB)`
      ]
    }
    const options = { allowIncomplete: true, onProgress: () => Effect.void }
    const { filling, unmade } = yield* scratch(target, maintenance, database, { payload, options })
    const all = [...unmade, ...(yield* Fill.afterwards(target, filling))]
    return all.length === 0
      ? []
      : [
          `a restore of it needs --allow-incomplete: ${Unmade.refusal(target, all, { nothingChanged: "" }).found}`
        ]
  }).pipe(Effect.scoped)

/** A scratch database with the tables of the dump, and no rows yet. */
const scratch = (
  target: Target,
  maintenance: Maintenance,
  database: string,
  { options, payload }: { readonly options: Options; readonly payload: Payload }
) =>
  Effect.gen(function* () {
    const { session } = maintenance
    const server = yield* Server.facts(session)
    const tool = yield* Tools.forServer(target, "pg_restore", server.major)
    yield* Rights.notStandby(target, server)
    const claim = yield* Scratch.claim(session, "drill", database)
    const swept = yield* Scratch.sweep(maintenance, database)
    const present = yield* Properties.read(session, database)
    const create =
      present === undefined
        ? yield* Archive.createOptions(target, tool, payload.path)
        : Properties.localeOptions(present) + ownerOf(present)
    const made = yield* Scratch.makeAnyway(target, maintenance, claim, create)
    if (options.allowIncomplete !== true) {
      yield* Extensions.creatable({ target, tool, file: payload.path, database: made.name })
    }
    const filling = {
      tool,
      database: made.name,
      payload,
      onProgress: options.onProgress,
      leniency: options,
      searchPath: present === undefined ? undefined : Properties.searchPath(present),
      analyze: false
    }
    return { swept, filling, unmade: [...made.unmade, ...(yield* Fill.prepare(target, filling))] }
  })

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
