/**
 * A journal that may be down when the program starts, or be taken away under it: checks and alerts go
 * on, what is to be written is kept in memory, and written when it can be opened. One that is damaged
 * or newer is refused, as without this.
 *
 * An attempt opens the journal and reads what an earlier run left, or does neither. Until one has
 * succeeded that is not known: it comes as a request, `Remembered`, and nothing is written over it
 * before the policy has taken it up.
 */
import {
  Context,
  Deferred,
  Duration,
  Effect,
  Either,
  ExecutionStrategy,
  Exit,
  Layer,
  Option,
  Scope
} from "effect"
import { Outbox } from "../Alert/Outbox.js"
import { Journal, JournalError } from "./Journal.js"
import * as BufferedJournal from "./Journal/BufferedJournal.js"
import * as Voice from "./Journal/Voice.js"

export const layer = <R>(
  journal: Layer.Layer<Journal | Outbox, JournalError, R>
): Layer.Layer<Journal | Outbox, JournalError, R> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const voice = yield* Voice.make
      // Its connections close after what waits for them is written.
      const attempt = yield* attempts(journal, voice)
      const held = yield* BufferedJournal.make
      voice.legacy.current = held.legacy
      const lost = yield* Deferred.make<JournalError>()
      const first = yield* Effect.either(attempt)
      if (Either.isRight(first)) yield* held.begin(first.right)
      else if (first.left.reason === "Unavailable") yield* sayDown(held, first.left)
      else return yield* first.left
      yield* Effect.addFinalizer(() =>
        Effect.flatMap(held.left, (left) =>
          left === 0
            ? Effect.void
            : Effect.logError(`The journal did not come back: ${left} entries are lost`)
        )
      )
      yield* Effect.forkScoped(
        Effect.flatMap(watchOver(held, attempt, first), (gone) => Deferred.succeed(lost, gone))
      )
      return Context.make(Journal, { ...held.journal, lost: Deferred.await(lost) }).pipe(
        Context.add(Outbox, { ...held.outbox, turn: voice.turn })
      )
    })
  )

const sayDown = (held: BufferedJournal.BufferedJournal, error: JournalError) =>
  Effect.zipRight(
    held.disconnect(error),
    Effect.logError(
      `${error.message} Checks and alerts go on; what is to be written is kept in memory`
    )
  )

/** A journal that was opened, and what it says of its end. */
interface Opened extends BufferedJournal.Connection {
  readonly lost: Effect.Effect<JournalError>
  readonly close: Effect.Effect<void>
}

/** Opens the journal and reads what was left there. It is closed again where either fails. */
type Attempt = Effect.Effect<Opened, JournalError>

const attempts = <R>(
  journal: Layer.Layer<Journal | Outbox, JournalError, R>,
  voice: Voice.Service
) =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const context = Context.add(yield* Effect.context<R>(), Voice.Voice, voice)
    const attempt: Attempt = Effect.gen(function* () {
      const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
      return yield* Layer.buildWithScope(journal, own).pipe(
        Effect.provide(context),
        Effect.flatMap((opened) =>
          Effect.gen(function* () {
            const { lost, state, store } = Context.get(opened, Journal)
            if (store === undefined) return yield* foreign
            const { pending } = Context.get(opened, Outbox)
            const earlier = { state: yield* state, pending: yield* pending }
            return { store, earlier, lost, close: Scope.close(own, Exit.void) }
          })
        ),
        Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
      )
    })
    return attempt
  })

const foreign = new JournalError({
  reason: "Unsupported",
  expected: "a journal that Journal.layer or Journal.layerMemory made",
  found: "another one",
  advice: "Provide it as it is: it is not buffered here"
})

const firstWait = Duration.seconds(1)
const longestWait = Duration.seconds(30)

/** Its value is why the journal is that of another program now. */
const watchOver = (
  held: BufferedJournal.BufferedJournal,
  attempt: Attempt,
  first: Either.Either<Opened, JournalError>
): Effect.Effect<JournalError> =>
  Effect.gen(function* () {
    let connection = Option.getOrUndefined(Either.getRight(first))
    for (;;) {
      if (connection === undefined) {
        const back = yield* Effect.either(comeBack(held, attempt, firstWait))
        if (Either.isLeft(back)) return back.left
        connection = back.right
      }
      const error = yield* connection.lost
      if (error.reason !== "Replaced") return error
      yield* Effect.logError(error.message)
      yield* held.disconnect(error)
      // Before the next attempt: what lies beside the old file is cleared away when it closes.
      yield* Effect.exit(connection.close)
      connection = undefined
    }
  })

const comeBack = (
  held: BufferedJournal.BufferedJournal,
  attempt: Attempt,
  wait: Duration.Duration
): Effect.Effect<Opened, JournalError> =>
  Effect.gen(function* () {
    yield* Effect.sleep(wait)
    const connection = yield* attempt
    yield* held.connect(connection)
    return connection
  }).pipe(
    Effect.catchAll((error) => {
      if (error.reason === "Held") return error
      return error.reason === "Unavailable"
        ? comeBack(held, attempt, Duration.min(Duration.times(wait, 2), longestWait))
        : Effect.zipRight(
            Effect.logError(`${error.message} Nothing is recorded until the next start`),
            Effect.never
          )
    })
  )
