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
import { Context, Duration, Effect, ExecutionStrategy, Exit, Layer, Option, Scope } from "effect"
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
      const open = Effect.gen(function* () {
        const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
        return yield* Layer.buildWithScope(journal, own).pipe(
          Effect.provide(context),
          Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
        )
      })
      return yield* Effect.catchIf(
        open,
        ({ reason }) => reason === "Unavailable",
        (error) => standIn(error, open)
      )
    })
  )

type Opened = Context.Context<Journal | Outbox>

const standIn = (error: JournalError, open: Effect.Effect<Opened, JournalError>) =>
  Effect.gen(function* () {
    const held = StandIn.make(error)
    yield* Effect.logError(
      `${error.message} Checks and alerts go on; what is to be written is kept in memory`
    )
    yield* Effect.addFinalizer(() => {
      const left = held.left()
      return left === 0
        ? Effect.void
        : Effect.logError(`The journal did not come back: ${left} entries are lost`)
    })
    yield* Effect.forkScoped(comeBack(held, open, firstWait))
    return Context.make(Journal, held.journal).pipe(Context.add(Outbox, held.outbox))
  })

const firstWait = Duration.seconds(1)
const longestWait = Duration.seconds(30)

const comeBack = (
  held: StandIn.StandIn,
  open: Effect.Effect<Opened, JournalError>,
  wait: Duration.Duration
): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* Effect.sleep(wait)
    const opened = yield* open
    const journal = Context.get(opened, Journal)
    const outbox = Context.get(opened, Outbox)
    const state = yield* journal.state
    yield* held.connect(
      journal,
      outbox,
      Option.isNone(state) ? undefined : { state: state.value, pending: yield* outbox.pending }
    )
  }).pipe(
    Effect.catchAll((error) =>
      error.reason === "Unavailable"
        ? comeBack(held, open, Duration.min(Duration.times(wait, 2), longestWait))
        : Effect.logError(`${error.message} Nothing is recorded until the next start`)
    )
  )
