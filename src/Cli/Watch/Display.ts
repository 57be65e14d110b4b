/**
 * Keeps the table on the terminal up to date: when something happens, and once a second.
 */
import { Clock, Effect, type Scope } from "effect"
import { briefly, Output } from "../Output.js"
import { Screen } from "../Screen.js"
import { Reporter } from "./Reporter.js"
import * as Table from "./Table.js"

/** For as long as the scope is open. */
export const run: Effect.Effect<void, never, Reporter | Screen | Output | Scope.Scope> = Effect.gen(
  function* () {
    const screen = yield* Screen
    const reporter = yield* Reporter
    const resized = yield* Effect.makeLatch(false)
    yield* screen.onResize(() => {
      resized.unsafeOpen()
    })
    const wake = Effect.raceAll([
      reporter.changed,
      Effect.zipRight(resized.await, resized.close),
      Effect.sleep("1 second")
    ])
    yield* draw.pipe(
      Effect.zipRight(wake),
      // Of many things that happen at once a person sees the last.
      Effect.zipRight(Effect.sleep("50 millis")),
      Effect.forever,
      Effect.forkScoped
    )
  }
)

const draw = Effect.gen(function* () {
  const screen = yield* Screen
  const size = yield* screen.size
  if (size === undefined) return
  const board = yield* Effect.flatMap(Reporter, (reporter) => reporter.board)
  const { look } = yield* Output
  yield* screen.show(Table.lines(board, size, look, yield* Clock.currentTimeMillis))
})

/** The last state of the table stays where it is; what is written from now on goes below. */
export const end: Effect.Effect<void, never, Reporter | Screen | Output> = Effect.gen(function* () {
  const context = yield* Effect.context<Reporter | Screen | Output>()
  const { leave } = yield* Screen
  yield* briefly(Effect.zipRight(Effect.provide(draw, context), leave))
})
