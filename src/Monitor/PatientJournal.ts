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
import { Journal, type JournalError } from "./Journal.js"
import * as Voice from "./Journal/Voice.js"
import * as JournalBuffer from "./PatientJournal/JournalBuffer.js"

export const layer = <R>(
  journal: Layer.Layer<Journal | Outbox, JournalError, R>
): Layer.Layer<Journal | Outbox, JournalError, R> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const voice = yield* Voice.make
      const attempt = yield* attempts(journal, voice)
      const held = JournalBuffer.make(voice)
      const lost = yield* Deferred.make<JournalError>()
      const first = yield* Effect.either(attempt)
      if (Either.isRight(first)) yield* held.begin(first.right)
      else if (first.left.reason === "Unavailable") yield* sayDown(held, first.left)
      else return yield* first.left
      yield* Effect.addFinalizer(() => {
        const left = held.left()
        return left === 0
          ? Effect.void
          : Effect.logError(`The journal did not come back: ${left} entries are lost`)
      })
      yield* Effect.forkScoped(
        Effect.flatMap(watchOver(held, attempt, first), (gone) => Deferred.succeed(lost, gone))
      )
      return Context.make(Journal, { ...held.journal, lost: Deferred.await(lost) }).pipe(
        Context.add(Outbox, held.outbox)
      )
    })
  )

const sayDown = (held: JournalBuffer.JournalBuffer, error: JournalError) =>
  Effect.zipRight(
    held.down(error),
    Effect.logError(
      `${error.message} Checks and alerts go on; what is to be written is kept in memory`
    )
  )

/** Opens the journal and reads what was left there. It is closed again where either fails. */
type Attempt = Effect.Effect<JournalBuffer.Connection, JournalError>

const attempts = <R>(
  journal: Layer.Layer<Journal | Outbox, JournalError, R>,
  voice: Voice.Service
) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const context = Context.add(yield* Effect.context<R>(), Voice.Voice, voice)
    const attempt: Attempt = Effect.gen(function* () {
      const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
      return yield* Layer.buildWithScope(journal, own).pipe(
        Effect.provide(context),
        Effect.flatMap((opened) =>
          Effect.gen(function* () {
            const store = Context.get(opened, Journal)
            const outbox = Context.get(opened, Outbox)
            const state = yield* store.state
            const pending = yield* outbox.pending
            const close = Scope.close(own, Exit.void)
            return { journal: store, outbox, earlier: { state, pending }, close }
          })
        ),
        Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
      )
    })
    return attempt
  })

const firstWait = Duration.seconds(1)
const longestWait = Duration.seconds(30)

/** Its value is why the journal is that of another program now. */
const watchOver = (
  held: JournalBuffer.JournalBuffer,
  attempt: Attempt,
  first: Either.Either<JournalBuffer.Connection, JournalError>
): Effect.Effect<JournalError> =>
  Effect.gen(function* () {
    let connection = Option.getOrUndefined(Either.getRight(first))
    for (;;) {
      if (connection === undefined) {
        const back = yield* Effect.either(comeBack(held, attempt, firstWait))
        if (Either.isLeft(back)) return back.left
        connection = back.right
      }
      const error = yield* connection.journal.lost
      if (error.reason !== "Replaced") return error
      yield* Effect.logError(error.message)
      yield* held.down(error)
      // Before the next attempt: what lies beside the old file is cleared away when it closes.
      yield* Effect.exit(connection.close)
      connection = undefined
    }
  })

const comeBack = (
  held: JournalBuffer.JournalBuffer,
  attempt: Attempt,
  wait: Duration.Duration
): Effect.Effect<JournalBuffer.Connection, JournalError> =>
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
