/** Removes what retention does not keep. */
import { DateTime, Effect } from "effect"
import type { BackupError } from "../BackupError.js"
import type { Store, Stored } from "../Store.js"
import * as Retention from "../Retention.js"
import { type Desk, lock, silent, step } from "./Options.js"
import type { Pruned, PrunedCopy } from "./Reports.js"

/** @internal */
export const prune = (
  desk: Desk,
  given: { readonly dryRun?: boolean | undefined }
): Effect.Effect<Pruned, BackupError> =>
  Effect.gen(function* () {
    const dryRun = given.dryRun === true
    const subject = { app: desk.slug, database: yield* desk.database }
    const removal = (store: Store) =>
      dryRun ? plan(desk, store, subject) : underLock(desk, store, subject)
    const { kept, removed } = yield* removal(desk.main)
    const copies = yield* Effect.forEach(desk.copies, (store) =>
      removal(store).pipe(
        Effect.match({
          onFailure: (problem): PrunedCopy => ({ store: store.description, removed: [], problem }),
          onSuccess: (done): PrunedCopy => ({
            store: store.description,
            removed: done.removed,
            problem: undefined
          })
        })
      )
    )
    return { kept, removed, copies }
  }).pipe(Effect.withSpan("Backup.prune"))

/** Applies the rules to one store, under its lock; the names that went. @internal */
export const pruneStore = (
  desk: Desk,
  store: Store,
  subject: Retention.Subject,
  mayGo: (backup: Stored) => boolean = () => true
): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  Effect.gen(function* () {
    const doomed = (listed: ReadonlyArray<Stored>) =>
      Effect.map(DateTime.now, (now) => {
        const removed = new Set(verdicts(desk, listed, subject, now).removed)
        return listed.filter((one) => removed.has(one.name) && mayGo(one)).map(({ name }) => name)
      })
    if ((yield* doomed(yield* store.list)).length === 0) return []
    // The list may be hours old: a pin or a verdict of one who takes no lock may have come in between.
    const gone = yield* doomed(yield* store.relist(({ parsed }) => parsed.app === subject.app))
    yield* remove(store, gone)
    return gone
  })

/** What another program has removed meanwhile is gone as well: the rest is pruned all the same. */
const remove = (store: Store, names: ReadonlyArray<string>): Effect.Effect<void, BackupError> =>
  Effect.forEach(
    names,
    (name) =>
      Effect.catchIf(
        store.remove(name),
        ({ reason }) => reason === "NotFound",
        (error) => Effect.whenEffect(Effect.fail(error), store.has(name))
      ),
    { discard: true }
  )

const plan = (
  desk: Desk,
  store: Store,
  subject: Retention.Subject
): Effect.Effect<Omit<Pruned, "copies">, BackupError> =>
  Effect.zipWith(store.list, DateTime.now, (listed, now) => verdicts(desk, listed, subject, now))

const verdicts = (
  desk: Desk,
  listed: ReadonlyArray<Stored>,
  subject: Retention.Subject,
  now: DateTime.Utc
): Omit<Pruned, "copies"> => {
  const all = Retention.plan(listed, subject, desk.policy, now)
  return {
    kept: all.filter(({ kept }) => kept).map(({ because, name }) => ({ name, because })),
    removed: all.filter(({ kept }) => !kept).map(({ name }) => name)
  }
}

const underLock = (
  desk: Desk,
  store: Store,
  subject: Retention.Subject
): Effect.Effect<Omit<Pruned, "copies">, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* step("prune/lock")
      yield* lock(desk, store, "prune backups", silent)
      yield* step("prune/sweep")
      yield* store.sweep
      yield* step("prune/plan")
      const planned = yield* plan(desk, store, subject)
      yield* step("prune/remove")
      yield* remove(store, planned.removed)
      return planned
    })
  )
