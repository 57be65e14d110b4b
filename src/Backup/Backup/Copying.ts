/**
 * Copies of a backup in other stores. One that fails is told, and stops nothing else.
 *
 * @since 0.1.0
 */
import { Duration, Effect, Option } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { BackupError } from "../BackupError.js"
import type { Store } from "../BackupStore/Store.js"
import type { OnProgress } from "../BackupStrategy/Strategy.js"
import * as LocalFiles from "../LocalFiles.js"
import * as Manifest from "../Manifest.js"
import * as Alarms from "./Alarms.js"
import { type Desk, silent, step } from "./Options.js"
import { pruneStore } from "./Prune.js"
import type { Copy, CreateOptions } from "./Reports.js"
import { room } from "./Room.js"
import * as Stall from "./Stall.js"

/**
 * A copy counts when its size and checksum were read back. It is measured by what lies beside it: an
 * empty database whose main directory is new as well, backed up first while this store was away, must
 * not push out what is here.
 *
 * @internal
 */
export const copyTo = (
  desk: Desk,
  store: Store,
  manifest: Manifest.Manifest,
  given: CreateOptions
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
        const { database } = manifest.dump
        const pinned = new Set(
          (yield* desk.main.list)
            .filter((one) => Option.exists(one.manifest, (known) => known.pinned))
            .map(({ name }) => name)
        )
        const before = Alarms.lastGood(yield* store.list, desk.slug, database, pinned)
        const isTold = given.acceptLoss === true || Manifest.suspicions(manifest).length > 0
        const alarms = isTold ? [] : Alarms.compare(before, manifest.dump, desk.ignoreTables).alarms
        const suspect = alarms.length > 0 ? { suspect: alarms } : {}
        yield* stage.publish({ ...manifest, ...suspect }, { onAlive: alive })
        yield* alive
        yield* pruneStore(desk, store, { app: desk.slug, database })
        return suspect
      })
    )
  ).pipe(
    Effect.match({
      onFailure: (problem) => ({ store: store.description, problem }),
      onSuccess: (suspect) => ({ store: store.description, problem: undefined, ...suspect })
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
