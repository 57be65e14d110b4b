/**
 * Removes what retention does not keep.
 *
 * @since 0.1.0
 */
import { DateTime, Effect } from "effect"
import type { BackupError } from "../BackupError.js"
import type { Store, Stored } from "../BackupStore/Store.js"
import * as Retention from "../Retention.js"
import { type Desk, step } from "./Options.js"
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
    const { removed } = yield* plan(desk, store, subject)
    const spared = (yield* store.list).filter((backup) => !mayGo(backup)).map(({ name }) => name)
    const gone = removed.filter((name) => !spared.includes(name))
    yield* Effect.forEach(gone, (name) => store.remove(name), { discard: true })
    return gone
  })

const plan = (
  desk: Desk,
  store: Store,
  subject: Retention.Subject
): Effect.Effect<Omit<Pruned, "copies">, BackupError> =>
  Effect.gen(function* () {
    const verdicts = Retention.plan(yield* store.list, subject, desk.policy, yield* DateTime.now)
    return {
      kept: verdicts.filter(({ kept }) => kept).map(({ because, name }) => ({ name, because })),
      removed: verdicts.filter(({ kept }) => !kept).map(({ name }) => name)
    }
  })

const underLock = (
  desk: Desk,
  store: Store,
  subject: Retention.Subject
): Effect.Effect<Omit<Pruned, "copies">, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* step("prune/lock")
      yield* store.lock("prune backups")
      yield* step("prune/sweep")
      yield* store.sweep
      yield* step("prune/plan")
      const planned = yield* plan(desk, store, subject)
      yield* step("prune/remove")
      yield* Effect.forEach(planned.removed, (name) => store.remove(name), { discard: true })
      return planned
    })
  )
