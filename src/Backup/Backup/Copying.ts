/**
 * Copies of a backup in other stores. One that fails is told, and stops nothing else.
 *
 * @since 0.1.0
 */
import { Duration, Effect } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { BackupError } from "../BackupError.js"
import type { Store } from "../BackupStore/Store.js"
import type { OnProgress } from "../BackupStrategy/Strategy.js"
import * as LocalFiles from "../LocalFiles.js"
import type * as Manifest from "../Manifest.js"
import { type Desk, silent, step } from "./Options.js"
import { pruneStore } from "./Prune.js"
import type { Common, Copy } from "./Reports.js"
import { room } from "./Room.js"
import * as Stall from "./Stall.js"

/** A copy counts when its size and checksum were read back. @internal */
export const copyTo = (
  desk: Desk,
  store: Store,
  manifest: Manifest.Manifest,
  given: Common
): Effect.Effect<Copy> =>
  Stall.within(desk.copyPatience, stalled(desk, store), (alive) =>
    Effect.scoped(
      Effect.gen(function* () {
        const onProgress = given.onProgress ?? silent
        yield* step("create/copy")
        yield* store.lock("copy a backup")
        yield* alive
        yield* store.sweep
        yield* room(store, manifest.dump.bytes, "a copy")
        const source = yield* desk.main.fetch(manifest.name)
        const stage = yield* store.stage
        yield* copy(source, stage.path, manifest, (progress) =>
          Effect.zipRight(alive, onProgress(progress))
        )
        yield* stage.publish(manifest, { onAlive: alive })
        yield* alive
        yield* pruneStore(desk, store, { app: desk.slug, database: manifest.dump.database })
      })
    )
  ).pipe(
    Effect.match({
      onFailure: (problem) => ({ store: store.description, problem }),
      onSuccess: () => ({ store: store.description, problem: undefined })
    })
  )

const stalled = (desk: Desk, store: Store) => () =>
  new BackupError({
    reason: "StoreFailed",
    subject: store.description,
    expected: "a place that takes a copy",
    found: `no sign of life for ${Duration.format(desk.copyPatience)}, as of a share whose server went away`,
    advice: "Check the server and the network, and run it again"
  })

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
