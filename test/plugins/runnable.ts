/** One run of a check as a program sees it: registered, run by the runner, its result. */
import { Context, Effect, Layer, type Scope } from "effect"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import type { CheckResult } from "../../src/Check/CheckResult.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"

/** The check's run, which may be repeated as long as the scope is open. */
export const runnable = <E, R>(
  layer: Layer.Layer<never, E, R>
): Effect.Effect<
  Effect.Effect<CheckResult>,
  E,
  Exclude<R, CheckRegistry.CheckRegistry> | Scope.Scope
> =>
  Effect.gen(function* () {
    const context = yield* Layer.build(
      Layer.merge(layer, CheckRunner.layer()).pipe(Layer.provideMerge(CheckRegistry.layer))
    )
    const runner = Context.get(context, CheckRunner.CheckRunner)
    const [check] = yield* Context.get(context, CheckRegistry.CheckRegistry).all
    if (check === undefined) return yield* Effect.dieMessage("no check was registered")
    // @effect-diagnostics-next-line returnEffectInGen:off -- the run itself is what is asked for
    return runner.run(check)
  })
