/** Reads backups to their ends. */
import { DateTime, Effect, Option } from "effect"
import type { BackupError } from "../BackupError.js"
import type { Stored } from "../Store.js"
import * as GlobalsFile from "../GlobalsFile.js"
import * as Manifest from "../Manifest.js"
import { type Chosen, choose, inStore, notInOrder, sameEngine } from "./Selection.js"
import { type Desk, silent } from "./Options.js"
import { record } from "./Record.js"
import type { Choice, Common, Verified } from "./Reports.js"

interface Given extends Common {
  readonly choice?: Choice | undefined
  readonly deep?: boolean | undefined
}

/** @internal */
export const verify = (
  desk: Desk,
  given: Given
): Effect.Effect<ReadonlyArray<Verified>, BackupError> =>
  Effect.gen(function* () {
    if (given.choice !== undefined) {
      const read = Effect.flatMap(choose(desk, given.choice, "named"), (chosen) =>
        one(desk, chosen, given)
      )
      return [yield* Effect.scoped(read)]
    }
    const database = yield* desk.strategy.database
    const mine = (yield* desk.main.list).filter((stored) => isMine(desk, stored, database))
    const results = yield* Effect.forEach(mine, (stored) => ofStored(desk, stored, given))
    return results.filter((result) => result !== undefined)
  }).pipe(Effect.withSpan("Backup.verify"))

/** Without a manifest the name has to tell. */
const isMine = (desk: Desk, stored: Stored, database: Manifest.Database): boolean =>
  Option.match(stored.manifest, {
    onNone: () => stored.parsed.engine === database.engine && stored.parsed.app === desk.slug,
    onSome: ({ dump }) =>
      dump.database.engine === database.engine && dump.database.name === database.name
  })

/** Undefined where it was pruned while this looked at others. */
const ofStored = (
  desk: Desk,
  stored: Stored,
  given: Given
): Effect.Effect<Verified | undefined, BackupError> =>
  Effect.gen(function* () {
    const { name, problem } = stored
    if (problem !== undefined) return { name, problem: notInOrder(name, problem), warnings: [] }
    const read = Effect.flatMap(inStore(desk, stored), (chosen) => one(desk, chosen, given))
    const result = yield* Effect.either(Effect.scoped(read))
    const failure = result._tag === "Left" ? result.left : result.right.problem
    if (failure !== undefined) {
      if (!(yield* desk.main.has(name))) return undefined
    }
    return result._tag === "Right" ? result.right : { name, problem: result.left, warnings: [] }
  })

const one = (desk: Desk, chosen: Chosen, given: Given): Effect.Effect<Verified> =>
  Effect.gen(function* () {
    const { name, payload } = chosen
    const deep = given.deep === true
    const onProgress = given.onProgress ?? silent
    const read = yield* Effect.either(
      Effect.zipRight(sameEngine(desk, chosen), desk.strategy.verify(payload, { deep, onProgress }))
    )
    if (read._tag === "Left") {
      const isBad = read.left.reason === "Corrupt" && chosen.isStored
      // So that retention and `Latest` trust it no more.
      const warnings = isBad ? yield* record(desk, name, { verified: null }) : []
      return { name, problem: read.left, warnings: [...chosen.warnings, ...warnings] }
    }
    // Told, and no reason to distrust the backup itself.
    const globals = yield* Effect.either(
      GlobalsFile.check(Manifest.globalsOf(payload.path), chosen.manifest?.globals)
    )
    const verified = {
      at: yield* DateTime.now,
      depth: deep ? ("deep" as const) : ("quick" as const)
    }
    const unrecorded = chosen.isStored ? yield* record(desk, name, { verified }) : []
    return {
      name,
      problem: globals._tag === "Left" ? globals.left : undefined,
      warnings: [...chosen.warnings, ...read.right.warnings, ...unrecorded]
    }
  })
