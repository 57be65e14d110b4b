/**
 * Gathers what is to be written, and writes it in batches. While the store is down everything goes
 * on; what could not be written is kept, bounded, and written when the store is back.
 *
 * @internal
 */
import { Deferred, Duration, Effect, type Scope } from "effect"
import * as Changes from "./Changes.js"
import type { Health } from "./Entry.js"

export interface Store {
  readonly write: (changes: Changes.Changes) => Effect.Effect<void, Failed>
}

export interface Failed {
  readonly why: string
  /** Somebody else writes at this moment. */
  readonly busy: boolean
}

export interface Writer {
  /** Written with the next batch. Never waits. */
  readonly add: (changes: Changes.Changes) => Effect.Effect<void>
  /** Written at once. Never waits either. */
  readonly hasten: (changes: Changes.Changes) => Effect.Effect<void>
  /** Comes back when it is written, or when it is known that it cannot be. */
  readonly commit: (changes: Changes.Changes) => Effect.Effect<void>
  readonly health: Effect.Effect<Health>
  /** Writes what waits, once. */
  readonly flush: Effect.Effect<void>
}

export interface Options {
  /** How long results wait for others. */
  readonly gather: Duration.DurationInput
  /** How long a commit waits for a store that does not answer. */
  readonly patience: Duration.DurationInput
}

/** A store that somebody else writes to is tried again so often before it counts as down. */
const mostBusy = 40
const busyWait = Duration.millis(50)
const longestWait = Duration.seconds(30)

/** So many changes are merged at once. */
const mostFresh = 1000

export const make = (store: Store, options: Options): Effect.Effect<Writer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const work = yield* Effect.makeLatch(false)
    const urgent = yield* Effect.makeLatch(false)
    const turn = yield* Effect.makeSemaphore(1)
    let waiting = Changes.none
    // Not merged yet: to merge each by itself would copy all that waits again and again.
    let fresh: Array<Changes.Changes> = []
    let waiters: ReadonlyArray<Deferred.Deferred<void>> = []
    let down: string | undefined
    let failures = 0
    let lost = 0

    const add = (changes: Changes.Changes) =>
      Effect.suspend(() => {
        fresh.push(changes)
        if (fresh.length >= mostFresh) keep(waiting)
        return work.open
      })

    /** What waits is this, and all that came since. */
    const keep = (...first: ReadonlyArray<Changes.Changes>) => {
      const parts = [...first, ...fresh]
      fresh = []
      waiting = Changes.merge(Changes.none, ...parts)
      lost += parts.reduce((sum, { results }) => sum + results.length, -waiting.results.length)
    }

    /** What waits, with all that came since. */
    const all = (): Changes.Changes => {
      if (fresh.length > 0) keep(waiting)
      return waiting
    }

    const succeeded = (written: number) =>
      Effect.suspend(() => {
        const was = down
        failures = 0
        down = undefined
        return was === undefined
          ? Effect.void
          : Effect.logInfo(
              `The journal is back; ${written} entries that waited were written${lost === 0 ? "" : `, ${lost} results are lost`}`
            )
      })

    const failed = (changes: Changes.Changes, { busy, why }: Failed) =>
      Effect.suspend(() => {
        keep(changes, waiting)
        failures += 1
        if (busy && failures <= mostBusy) return Effect.void
        const isNews = down === undefined
        down = why
        return isNews
          ? Effect.logError(
              `The journal cannot be written (${why}). Checks and alerts go on; what is to be written is kept in memory`
            )
          : Effect.void
      })

    const attempt = Effect.suspend(() => {
      const changes = all()
      const asked = waiters
      waiting = Changes.none
      waiters = []
      if (Changes.isEmpty(changes) && asked.length === 0) return Effect.void
      return store.write(changes).pipe(
        Effect.matchEffect({
          onSuccess: () => succeeded(Changes.size(changes)),
          onFailure: (failure) => failed(changes, failure)
        }),
        // Whoever waits has its answer, unless the store was only busy.
        Effect.zipRight(
          Effect.suspend(() => {
            if (failures > 0 && down === undefined) {
              waiters = [...asked, ...waiters]
              return Effect.void
            }
            return Effect.forEach(asked, (one) => Deferred.succeed(one, undefined), {
              discard: true
            })
          })
        ),
        // An end of the program in the middle loses nothing that it can still write.
        Effect.onInterrupt(() => Effect.sync(() => keep(changes, waiting)))
      )
    }).pipe(turn.withPermits(1))

    const pause = Effect.suspend(() => {
      if (failures === 0) return Effect.race(urgent.await, Effect.sleep(options.gather))
      if (down === undefined) return Effect.sleep(busyWait)
      const wait = Duration.times(Duration.seconds(1), 2 ** Math.min(failures - 1, 10))
      return Effect.sleep(Duration.min(wait, longestWait))
    })

    const loop = Effect.gen(function* () {
      yield* work.await
      yield* pause
      yield* Effect.zipRight(work.close, urgent.close)
      yield* attempt
      if (!Changes.isEmpty(all())) yield* work.open
    })

    yield* Effect.addFinalizer(() =>
      attempt.pipe(Effect.interruptible, Effect.timeoutOption("2 seconds"))
    )
    yield* Effect.forkScoped(Effect.forever(loop))

    return {
      add,
      hasten: (changes) => Effect.zipRight(add(changes), urgent.open),
      commit: (changes) =>
        Effect.gen(function* () {
          if (down !== undefined) return yield* add(changes)
          const written = yield* Deferred.make<void>()
          waiters = [...waiters, written]
          yield* add(changes)
          yield* urgent.open
          yield* Effect.timeoutOption(Deferred.await(written), options.patience)
        }),
      health: Effect.sync(() => ({ down, waiting: Changes.size(all()), lost })),
      flush: attempt
    }
  })
