/** A check as an embedding program registers it, ready to run as often as a test likes. */
import { Effect, Layer, type Scope } from "effect"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import type { CheckResult } from "../../src/Check/CheckResult.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import type { Double } from "../support/Double.js"
import type { HttpExchange } from "../../src/plugins/shared/HttpExchange.js"

export interface Registered {
  readonly run: Effect.Effect<CheckResult>
}

export const registered = <E, E2>(
  check: Layer.Layer<never, E, CheckRegistry.CheckRegistry | HttpExchange>,
  exchange: Layer.Layer<HttpExchange, E2>
): Effect.Effect<Registered, E | E2, Scope.Scope> =>
  Effect.gen(function* () {
    const services = yield* Layer.build(
      Layer.merge(
        CheckRunner.layer(),
        check.pipe(Layer.provide(exchange), Layer.provideMerge(CheckRegistry.layer))
      )
    )
    const run = Effect.gen(function* () {
      const [check] = yield* (yield* CheckRegistry.CheckRegistry).all
      const runner = yield* CheckRunner.CheckRunner
      return check === undefined
        ? yield* Effect.dieMessage("not registered")
        : yield* runner.run(check)
    })
    return { run: Effect.provide(run, services) }
  })

/** One turn of the event loop, in which sockets close. */
const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Waits until the server has no connection any more. */
export const noneOpen = (double: Pick<Double, "connections">): Effect.Effect<void> =>
  Effect.asVoid(
    Effect.repeat(Effect.zipRight(turn, double.connections), { until: ({ open }) => open === 0 })
  )
