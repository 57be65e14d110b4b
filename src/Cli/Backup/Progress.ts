/**
 * Progress on a terminal, and nothing of it anywhere else.
 */
import { Clock, Context, Effect, Ref } from "effect"
import type { OnProgress } from "../../Backup/BackupStrategy/Strategy.js"
import { Dialog } from "../Dialog.js"
import * as ProgressLine from "./ProgressLine.js"

/** A place to report to. `clear` takes the line away, before something else is written. */
export interface Progress {
  readonly onProgress: OnProgress
  readonly clear: Effect.Effect<void>
}

/** Gives the work a place to report to, and takes the line away when the work is over. */
export const shown = <A, E, R>(
  work: (progress: Progress) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Dialog> =>
  Effect.gen(function* () {
    const dialog = yield* Dialog
    const columns = yield* dialog.columns
    if (columns === undefined) {
      return yield* work({ onProgress: () => Effect.void, clear: Effect.void })
    }
    const state = yield* Ref.make<ProgressLine.State | undefined>(undefined)
    const progress = { onProgress: draw(dialog, state, columns), clear: clear(dialog, state) }
    return yield* Effect.ensuring(work(progress), progress.clear)
  })

const draw =
  (
    dialog: Context.Tag.Service<Dialog>,
    state: Ref.Ref<ProgressLine.State | undefined>,
    columns: number
  ): OnProgress =>
  (progress) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const line = yield* Ref.modify(state, (before) => {
        const after = ProgressLine.next(before, progress, now, columns)
        return [after.line, after.state]
      })
      if (line !== undefined) yield* dialog.rewrite(line)
    })

const clear = (
  dialog: Context.Tag.Service<Dialog>,
  state: Ref.Ref<ProgressLine.State | undefined>
) =>
  Effect.flatMap(Ref.getAndSet(state, undefined), (last) =>
    last === undefined ? Effect.void : dialog.rewrite("")
  )
