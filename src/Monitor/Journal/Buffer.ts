/**
 * Gathers what is to be written, and writes it in batches. While the store is down or not there everything
 * goes on; what could not be written is kept, bounded, and written when the store is back.
 *
 * @internal
 */
import { Deferred, Duration, Effect, type Scope } from "effect"
import * as Changes from "./Changes.js"
import type { Health } from "./Entry.js"

export interface Failed {
  readonly why: string
  /** Somebody else writes at this moment. */
  readonly busy: boolean
}

export interface Buffer {
  /** Written with the next batch. Never waits. */
  readonly add: (changes: Changes.Changes) => Effect.Effect<void>
  /** Written at once. Never waits either. */
  readonly hasten: (changes: Changes.Changes) => Effect.Effect<void>
  /** Comes back when it is written, or when it is known that it cannot be. */
  readonly commit: (changes: Changes.Changes) => Effect.Effect<void>
  readonly health: Effect.Effect<Health>
  /** Writes what waits, once. */
  readonly flush: Effect.Effect<void>
  /** There is no store, for this reason: all that comes waits. */
  readonly suspend: (why: string) => Effect.Effect<void>
  /** The store is there. Comes back when what waited is written, or cannot be. */
  readonly resume: Effect.Effect<void>
}

export interface Options {
  readonly write: (changes: Changes.Changes) => Effect.Effect<void, Failed>
  /** How long results wait for others. */
  readonly gather: () => Duration.DurationInput
  /** How long a commit waits for a store that does not answer. */
  readonly patience: Duration.DurationInput
}

/** A store that somebody else writes to is tried again so often before it counts as down. */
const mostBusy = 40
const busyWait = Duration.millis(50)
const longestWait = Duration.seconds(30)

/** So many changes are merged at once. */
const mostFresh = 1000

export const make = ({
  gather,
  patience,
  write
}: Options): Effect.Effect<Buffer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const work = yield* Effect.makeLatch(false)
    const urgent = yield* Effect.makeLatch(false)
    const present = yield* Effect.makeLatch(true)
    const turn = yield* Effect.makeSemaphore(1)
    let waiting = Changes.none
    // Not merged yet: to merge each by itself would copy all that waits again and again.
    let fresh: Array<Changes.Changes> = []
    let waiters: ReadonlyArray<Deferred.Deferred<void>> = []
    let down: string | undefined
    let isAbsent = false
    /** Whether it was absent, and nothing was written since. */
    let wasAbsent = false
    let failures = 0
    let lost = 0
    const own = yield* Effect.context<never>()

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
      lost += parts.reduce((sum, part) => sum + Changes.bounded(part), -Changes.bounded(waiting))
    }

    /** What waits, with all that came since. */
    const all = (): Changes.Changes => {
      if (fresh.length > 0) keep(waiting)
      return waiting
    }

    const release = (some: ReadonlyArray<Deferred.Deferred<void>>) =>
      Effect.forEach(some, (one) => Deferred.succeed(one, undefined), { discard: true })

    const succeeded = (written: number) =>
      Effect.suspend(() => {
        // The store was taken away while it wrote: it stays away until `resume`.
        if (isAbsent) return Effect.void
        const wasDown = down !== undefined
        const words = wasAbsent ? "there" : "back"
        failures = 0
        down = undefined
        wasAbsent = false
        const gone = lost === 0 ? "" : `, ${lost} are lost`
        return wasDown
          ? Effect.logInfo(
              `The journal is ${words}; ${written} entries that waited were written${gone}`
            )
          : Effect.void
      })

    const failed = (changes: Changes.Changes, { busy, why }: Failed) =>
      Effect.suspend(() => {
        keep(changes, waiting)
        failures += 1
        if (busy && failures <= mostBusy) return Effect.void
        const isNews = down === undefined
        if (!isAbsent) down = why
        return isNews
          ? Effect.logError(
              `The journal cannot be written (${why}). Checks and alerts go on; what is to be written is kept in memory`
            )
          : Effect.void
      })

    const attempt = Effect.suspend(() => {
      if (isAbsent) return Effect.void
      const changes = all()
      const asked = waiters
      if (Changes.isEmpty(changes) && asked.length === 0 && !wasAbsent) return Effect.void
      waiting = Changes.none
      waiters = []
      return write(changes).pipe(
        Effect.matchEffect({
          onSuccess: () => succeeded(Changes.size(changes)),
          onFailure: (failure) => failed(changes, failure)
        }),
        // Whoever waits has its answer, unless the store was only busy.
        Effect.zipRight(
          Effect.suspend(() => {
            if (failures === 0 || down !== undefined) return release(asked)
            waiters = [...asked, ...waiters]
            return Effect.void
          })
        ),
        // An end of the program in the middle loses nothing that it can still write.
        Effect.onInterrupt(() => Effect.sync(() => keep(changes, waiting)))
      )
    }).pipe(turn.withPermits(1))

    const pause = Effect.suspend(() => {
      if (failures === 0) return Effect.race(urgent.await, Effect.sleep(gather()))
      if (down === undefined) return Effect.sleep(busyWait)
      const wait = Duration.times(Duration.seconds(1), 2 ** Math.min(failures - 1, 10))
      return Effect.sleep(Duration.min(wait, longestWait))
    })

    const loop = Effect.gen(function* () {
      yield* present.await
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
          yield* Effect.timeoutOption(Deferred.await(written), patience)
        }),
      health: Effect.sync(() => ({ down, waiting: Changes.size(all()), lost })),
      // What is written in a transaction of the caller's would be gone with that.
      flush: Effect.mapInputContext(attempt, () => own),
      suspend: (why) =>
        Effect.suspend(() => {
          down = why
          isAbsent = true
          wasAbsent = true
          const asked = waiters
          waiters = []
          return Effect.zipRight(present.close, release(asked))
        }),
      resume: Effect.suspend(() => {
        isAbsent = false
        failures = 0
        return Effect.zipRight(present.open, attempt)
      })
    }
  })
