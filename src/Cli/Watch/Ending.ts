/**
 * What `holter watch` says and sends while it stops.
 */
import { Clock, Deferred, Effect, Option, type Scope } from "effect"
import { on, steps } from "../../Holter/Steps.js"
import { Lifecycle } from "../../Lifecycle/Lifecycle.js"
import type { PlanError } from "../../Lifecycle/PlanError.js"
import * as Reason from "../../Lifecycle/Reason.js"
import type { JournalError } from "../../Monitor/Journal.js"
import type { Output } from "../Output.js"
import type { Screen } from "../Screen.js"
import * as Display from "./Display.js"
import { Line } from "./Lines.js"
import { Reporter } from "./Reporter.js"

/** Before the report: the last state of the table, and all lines. */
export const output: Effect.Effect<
  void,
  PlanError,
  Reporter | Screen | Output | Lifecycle | Scope.Scope
> = Effect.gen(function* () {
  const context = yield* Effect.context<Reporter | Screen | Output>()
  const { update, written } = yield* Reporter
  const last = update((board) => ({ ...board, stopping: undefined })).pipe(
    Effect.zipRight(written),
    Effect.zipRight(Display.end)
  )
  yield* on(steps.output, Effect.provide(last, context))
})

/** Two that watch would both send: the one that was succeeded while it slept gives way. */
export const whenLost = (
  lost: Deferred.Deferred<JournalError>
): Effect.Effect<(error: JournalError) => Effect.Effect<void>, never, Lifecycle> =>
  Effect.map(
    Lifecycle,
    ({ requestStop }) =>
      (error) =>
        Effect.map(Deferred.succeed(lost, error), () =>
          requestStop({ _tag: "Asked", by: "another program that keeps the journal now" })
        )
  )

/** Shows what the shutdown is doing, once there is one. */
export const follow: Effect.Effect<never, never, Reporter | Lifecycle> = Effect.gen(function* () {
  const { plan, report, requested, watch } = yield* Lifecycle
  const { say, update } = yield* Reporter
  const news = yield* Effect.makeLatch(true)
  const reason = yield* requested
  watch(() => {
    news.unsafeOpen()
  })
  const at = yield* Clock.currentTimeMillis
  yield* say(Line.stop({ at, message: Reason.text(reason) }))
  const { phases } = yield* plan
  const show = Effect.gen(function* () {
    yield* Effect.zipRight(news.await, news.close)
    const phase = Option.getOrUndefined(Option.map(report(), (now) => now.phase))
    const title = phases.find(({ name }) => name === phase)?.title
    const stopping = title ?? "still watching, until the lame-duck time is over"
    yield* update((board) => ({ ...board, stopping }))
  })
  return yield* Effect.forever(show)
})
