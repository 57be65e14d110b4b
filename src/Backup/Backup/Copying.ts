/**
 * Copies of a backup in other stores. One that fails is told, and stops nothing else.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import type { BackupError } from "../BackupError.js"
import type { Store } from "../BackupStore/Store.js"
import type { OnProgress } from "../BackupStrategy/Strategy.js"
import * as LocalFiles from "../LocalFiles.js"
import type * as Manifest from "../Manifest.js"
import { type Desk, silent, step } from "./Options.js"
import { pruneStore } from "./Prune.js"
import type { Common, Copy } from "./Reports.js"
import { room } from "./Room.js"

/** A copy counts when its size and checksum were read back. @internal */
export const copyTo = (
  desk: Desk,
  store: Store,
  manifest: Manifest.Manifest,
  given: Common
): Effect.Effect<Copy> =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* step("create/copy")
      yield* store.lock("copy a backup")
      yield* store.sweep
      yield* room(store, manifest.dump.bytes, "a copy")
      const source = yield* desk.main.fetch(manifest.name)
      const stage = yield* store.stage
      yield* copy(source, stage.path, manifest, given.onProgress ?? silent)
      yield* stage.publish(manifest)
      yield* pruneStore(desk, store, { app: desk.slug, database: manifest.dump.database })
    })
  ).pipe(
    Effect.match({
      onFailure: (problem) => ({ store: store.description, problem }),
      onSuccess: () => ({ store: store.description, problem: undefined })
    })
  )

const copy = (
  source: string,
  target: string,
  { dump }: Manifest.Manifest,
  onProgress: OnProgress
): Effect.Effect<void, BackupError> => {
  const report = (bytes: number) => onProgress({ stage: "copy", bytes, total: dump.bytes })
  if (dump.parts === undefined) return LocalFiles.copy(source, target, report)
  return Effect.gen(function* () {
    yield* LocalFiles.makeDirectory(target)
    let done = 0
    for (const file of yield* LocalFiles.filesBelow(source)) {
      const to = path.join(target, file)
      yield* LocalFiles.makeDirectory(path.dirname(to))
      yield* LocalFiles.copy(path.join(source, file), to, (bytes) => report(done + bytes))
      const { size } = yield* LocalFiles.attempt(to, "the copy", () => fs.stat(to))
      done += size
    }
  })
}
