/** Runs a check once, with services of its own, and gives the result as a program would see it. */
import { Effect, Either, Layer } from "effect"
import type * as Check from "../../src/Check/Check.js"
import { formatIssue } from "../../src/Plugin/ConfigIssue.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import type { CheckResult } from "../../src/Check/CheckResult.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"

/** The one registered check, run once. */
export const runOnly = Effect.gen(function* () {
  const registry = yield* CheckRegistry.CheckRegistry
  const runner = yield* CheckRunner.CheckRunner
  const [check] = yield* registry.all
  return check === undefined
    ? yield* Effect.dieMessage("no check is registered")
    : yield* runner.run(check)
})

/** What a layer of one check registers and runs on. */
export const services = Layer.merge(CheckRegistry.layer, CheckRunner.layer())

/** As a configuration file would have it: the input is decoded. */
export const run = (
  check: Pick<Check.Any, "decode">,
  input: unknown,
  options?: Check.Options
): Effect.Effect<CheckResult> =>
  Either.match(check.decode(input, options), {
    onLeft: (issues) => Effect.die(new Error(issues.map(formatIssue).join("\n"))),
    onRight: (layer) =>
      runOnly.pipe(Effect.provide(Layer.provideMerge(layer, services)), Effect.orDie)
  })
