/**
 * Functions of a bot that are told of changes. Whatever one of them does, it harms nobody else: each
 * has its own fibers, one a check, so that its calls keep their order and a hanging one holds up
 * only what is said of the same check.
 *
 * @internal
 */
import { type Duration, Effect, Mailbox, Option, Scope, Stream } from "effect"
import type { HealthEvent } from "../HealthEvent.js"
import type { Change } from "../HealthState.js"

export type AlertCallback<E, R> = (change: Change) => Effect.Effect<unknown, E, R>

/** Then a call is given up, and told of in the log. */
const callLimit: Duration.DurationInput = "1 minute"

/** Changes of one check that wait behind a call; beyond it the oldest is lost. */
const waiting = 16

/** Calls back for as long as the scope is open. */
export const register = <E, R>(
  events: Mailbox.ReadonlyMailbox<HealthEvent>,
  callback: AlertCallback<E, R>
): Effect.Effect<void, never, Scope.Scope | R> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const lanes = new Map<string, Mailbox.Mailbox<Change>>()

    const open = (service: string) =>
      Effect.gen(function* () {
        const lane = yield* Mailbox.make<Change>({ capacity: waiting, strategy: "sliding" })
        lanes.set(service, lane)
        yield* Effect.forkIn(
          Stream.runForEach(Mailbox.toStream(lane), (change) => call(callback, change)),
          scope
        )
        return lane
      })
    const forward = (change: Change) =>
      Effect.gen(function* () {
        const { service } = change
        const lane = lanes.get(service) ?? (yield* open(service))
        if (Option.exists(lane.unsafeSize(), (size) => size >= waiting)) {
          yield* Effect.logError(
            `An alert callback is too slow: the oldest change of ${service} is lost`
          )
        }
        yield* lane.offer(change)
      })
    const changes = Stream.filterMap(Mailbox.toStream(events), (event) =>
      event._tag === "Checked" ? Option.fromNullable(event.change) : Option.none()
    )
    yield* Effect.forkIn(Stream.runForEach(changes, forward), scope)
  })

const call = <E, R>(callback: AlertCallback<E, R>, change: Change) =>
  Effect.suspend(() => callback(change)).pipe(
    // An uninterruptible call would be waited for.
    Effect.disconnect,
    Effect.timeoutOption(callLimit),
    Effect.flatMap((ended) =>
      Option.isSome(ended)
        ? Effect.void
        : Effect.logError(`An alert callback for ${change.service} did not end: it was given up`)
    ),
    Effect.catchAllCause((cause) =>
      Effect.logError(`An alert callback for ${change.service} failed`, cause)
    )
  )
