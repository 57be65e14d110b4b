/**
 * A journal that may be down when the program starts: checks and alerts go on, what is to be written
 * is kept in memory, and written when it can be opened. One that is damaged or newer is refused, as
 * without this.
 *
 * What an earlier run left is not known until then. It comes as a request, `Remembered`, and nothing
 * is written over it before the policy has taken it up.
 *
 * @since 0.1.0
 */
import {
  Context,
  Deferred,
  Duration,
  Effect,
  ExecutionStrategy,
  Exit,
  Layer,
  Option,
  Scope
} from "effect"
import { Outbox } from "../Alert/Outbox.js"
import { Journal, type JournalError } from "./Journal.js"
import * as StandIn from "./PatientJournal/StandIn.js"

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = <R>(
  journal: Layer.Layer<Journal | Outbox, JournalError, R>
): Layer.Layer<Journal | Outbox, JournalError, R> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const context = yield* Effect.context<R>()
      const attempt: Attempt = (use) =>
        Effect.gen(function* () {
          const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
          return yield* Layer.buildWithScope(journal, own).pipe(
            Effect.provide(context),
            Effect.flatMap(use),
            Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
          )
        })
      return yield* Effect.catchIf(
        attempt(Effect.succeed),
        ({ reason }) => reason === "Unavailable",
        (error) => standIn(error, attempt)
      )
    })
  )

type Opened = Context.Context<Journal | Outbox>

/** Opens the journal and takes it into use. It is closed again where either fails. */
type Attempt = <A>(
  use: (opened: Opened) => Effect.Effect<A, JournalError>
) => Effect.Effect<A, JournalError>

const standIn = (error: JournalError, attempt: Attempt) =>
  Effect.gen(function* () {
    const held = StandIn.make(error)
    const lost = yield* Deferred.make<JournalError>()
    yield* Effect.logError(
      `${error.message} Checks and alerts go on; what is to be written is kept in memory`
    )
    yield* Effect.addFinalizer(() => {
      const left = held.left()
      return left === 0
        ? Effect.void
        : Effect.logError(`The journal did not come back: ${left} entries are lost`)
    })
    yield* Effect.forkScoped(
      Effect.flatMap(comeBack(held, attempt, firstWait), (gone) => Deferred.succeed(lost, gone))
    )
    return Context.make(Journal, { ...held.journal, lost: Deferred.await(lost) }).pipe(
      Context.add(Outbox, held.outbox)
    )
  })

const firstWait = Duration.seconds(1)
const longestWait = Duration.seconds(30)

/** Its value is why the journal is that of another program now. */
const comeBack = (
  held: StandIn.StandIn,
  attempt: Attempt,
  wait: Duration.Duration
): Effect.Effect<JournalError> =>
  Effect.gen(function* () {
    yield* Effect.sleep(wait)
    const journal = yield* attempt((opened) =>
      Effect.gen(function* () {
        const store = Context.get(opened, Journal)
        const outbox = Context.get(opened, Outbox)
        const state = yield* store.state
        const earlier = Option.isNone(state)
          ? undefined
          : { state: state.value, pending: yield* outbox.pending }
        yield* held.connect(store, outbox, earlier)
        return store
      })
    )
    return yield* journal.lost
  }).pipe(
    Effect.catchAll((error) => {
      if (error.reason === "Held") return Effect.succeed(error)
      return error.reason === "Unavailable"
        ? comeBack(held, attempt, Duration.min(Duration.times(wait, 2), longestWait))
        : Effect.zipRight(
            Effect.logError(`${error.message} Nothing is recorded until the next start`),
            Effect.never
          )
    })
  )
