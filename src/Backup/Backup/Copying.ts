/** Copies of a backup in other stores. A failed copy is reported, and stops nothing else. */
import { DateTime, Duration, Effect, Either, Option, Stream } from "effect"
import { BackupError } from "../BackupError.js"
import type { Store, Stored } from "../Store.js"
import type { OnProgress } from "../BackupStrategy/Strategy.js"
import { judge } from "../DatabaseIdentity.js"
import * as Manifest from "../Manifest.js"
import type { Content } from "../ObjectStore.js"
import * as Retention from "../Retention.js"
import * as DataLoss from "./DataLoss.js"
import { type Desk, lock, silent, step } from "./Options.js"
import { pruneStore } from "./Prune.js"
import type { Copy, CreateOptions } from "./Reports.js"
import { room } from "./FreeSpace.js"
import * as InactivityTimeout from "./InactivityTimeout.js"

/** What a store of copies gets: a new backup, and of the earlier ones those that it lacks. @internal */
export interface Wanted {
  readonly manifest: Manifest.Manifest
  readonly earlier: ReadonlyArray<Stored>
}

/**
 * A copy counts when its size and checksum were read back. It is measured by what lies beside it: an
 * empty database whose main directory is new as well, backed up first while this store was away, must
 * not push out what is here. Then follow the copies that earlier runs owe it.
 *
 * @internal
 */
export const copyTo = (
  desk: Desk,
  store: Store,
  { earlier, manifest }: Wanted,
  given: CreateOptions
): Effect.Effect<Copy> =>
  InactivityTimeout.within(desk.copyPatience, stalled(desk, store), (alive) =>
    Effect.scoped(
      Effect.gen(function* () {
        const onProgress: OnProgress = (progress) =>
          Effect.zipRight(alive, (given.onProgress ?? silent)(progress))
        yield* step("create/copy")
        // Another run may copy to the same store: its signs of life are signs that this goes on.
        yield* lock(desk, store, "copy a backup", onProgress)
        yield* alive
        yield* store.sweep
        const there = yield* store.list
        const { database } = manifest.dump
        const subject = { app: desk.slug, database }
        const pinned = new Set(earlier.filter(isPinned).map(({ name }) => name))
        const before = DataLoss.lastGood(there, desk.slug, database, pinned)
        const isTold = given.acceptLoss === true || Manifest.suspicions(manifest).length > 0
        const alarms = isTold
          ? []
          : DataLoss.compare(before, manifest.dump, desk.ignoreTables).alarms
        const suspect = alarms.length > 0 ? { suspect: alarms } : {}
        const send = sending(desk, store, { alive, onProgress })
        const lacked = yield* send({ ...manifest, ...suspect })
        // A store that looks as if it knew more than the database gets nothing older into its rotation.
        const missing =
          alarms.length > 0
            ? []
            : lacking({ desk, earlier, subject, there: yield* store.list }, yield* DateTime.now)
        const more = yield* Effect.forEach(missing, send)
        yield* pruneStore(desk, store, subject)
        return { ...suspect, lacks: [...lacked, ...more.flat()] }
      })
    )
  ).pipe(
    Effect.match({
      onFailure: (problem) => ({ store: store.description, problem }),
      onSuccess: ({ lacks, ...suspect }) => ({
        store: store.description,
        problem: undefined,
        ...suspect,
        ...(lacks.length > 0 ? { lacks } : {})
      })
    })
  )

const isPinned = ({ manifest }: Stored): boolean => Option.exists(manifest, ({ pinned }) => pinned)

interface Course {
  readonly alive: Effect.Effect<void>
  readonly onProgress: OnProgress
}

/** One backup of the main store, to another one. */
const sending =
  (desk: Desk, store: Store, { alive, onProgress }: Course) =>
  (manifest: Manifest.Manifest): Effect.Effect<ReadonlyArray<string>, BackupError> =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* room(store, manifest.dump.bytes, "a copy")
        const { name, dump } = manifest
        const content = yield* desk.main.open(name)
        const copied = reporting(content, (bytes) =>
          onProgress({ stage: "copy", bytes, total: dump.bytes })
        )
        const { globals, ...rest } = manifest
        const beside =
          globals === undefined
            ? Either.right(undefined)
            : yield* Effect.either(desk.main.globals(name, globals))
        // Where they are not what they were: no reason to go without the backup.
        if (Either.isLeft(beside)) {
          yield* store.publish(rest, { content: copied }, alive)
          return [`${name} without its roles and tablespaces: ${beside.left.message}`]
        }
        const own = beside.right === undefined ? undefined : { content: beside.right }
        yield* store.publish(manifest, { content: copied, globals: own }, alive)
        yield* alive
        return []
      })
    )

/** Says how much of it was read so far. */
const reporting = ({ parts }: Content, report: (bytes: number) => Effect.Effect<void>): Content => {
  let bytes = 0
  return {
    parts: parts.map((part) => ({
      ...part,
      content: Stream.tap(part.content, (chunk) => {
        bytes += chunk.length
        return report(bytes)
      })
    }))
  }
}

interface Owed {
  readonly desk: Desk
  readonly earlier: ReadonlyArray<Stored>
  readonly subject: Retention.Subject
  readonly there: ReadonlyArray<Stored>
}

/** Backups of this database that are not there and would stay if they were, newest first. */
const lacking = (
  { desk, earlier, subject, there }: Owed,
  now: DateTime.Utc
): ReadonlyArray<Manifest.Manifest> => {
  const names = new Set(there.map(({ name }) => name))
  const owed = earlier.filter(
    ({ manifest, name, parsed, problem }) =>
      problem === undefined &&
      !names.has(name) &&
      parsed.app === subject.app &&
      Option.exists(
        manifest,
        (known) =>
          known.purpose === "backup" &&
          known.verified !== null &&
          Manifest.suspicions(known).length === 0 &&
          judge(known.dump.database, subject.database) === "same"
      )
  )
  const kept = new Set(
    Retention.plan([...owed, ...there], subject, desk.policy, now).flatMap(({ kept, name }) =>
      kept ? [name] : []
    )
  )
  return owed.flatMap(({ manifest, name }) => (kept.has(name) ? Option.toArray(manifest) : []))
}

const stalled = (desk: Desk, store: Store) => () =>
  new BackupError({
    reason: "StoreFailed",
    subject: store.description,
    expected: "a place that takes a copy",
    found: `no sign of life for ${Duration.format(desk.copyPatience)}, as of a share whose server went away`,
    advice: "Check the server and the network, and run it again"
  })
