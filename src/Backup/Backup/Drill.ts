/** Proves that a backup works: restores it into a scratch database. */
import { DateTime, Effect } from "effect"
import type { BackupError } from "../BackupError.js"
import { type Leniency, leniencyOf } from "../BackupStrategy/Strategy.js"
import { choose, sameEngine } from "./Selection.js"
import * as Globals from "./Globals.js"
import { type Desk, silent } from "./Options.js"
import { record } from "./Record.js"
import type { Choice, Common, Drilled } from "./Reports.js"

/** @internal */
export const drill = (
  desk: Desk,
  given: Common & Leniency & { readonly choice?: Choice | undefined }
): Effect.Effect<Drilled, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const onProgress = given.onProgress ?? silent
      const chosen = yield* choose(desk, given.choice ?? { _tag: "Latest" }, "named")
      yield* sameEngine(desk, chosen)
      const { payload } = chosen
      const [took, { read, restored }] = yield* Effect.timed(
        Effect.gen(function* () {
          const read = yield* desk.strategy.verify(payload, { deep: false, onProgress })
          const restored = yield* desk.strategy
            .drill(payload, { ...leniencyOf(given), onProgress })
            .pipe(Effect.mapError(Globals.pointAt(chosen)))
          return { read, restored }
        })
      )
      const drilled = { at: yield* DateTime.now }
      const unrecorded = chosen.isStored ? yield* record(desk, chosen.name, { drilled }) : []
      return {
        name: chosen.name,
        tables: restored.tables,
        took,
        warnings: [...chosen.warnings, ...read.warnings, ...restored.warnings, ...unrecorded]
      }
    })
  ).pipe(Effect.withSpan("Backup.drill"))
