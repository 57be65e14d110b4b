import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Ref, Schema } from "effect"
import * as Check from "../../src/Check/Check.js"
import * as CheckPolicy from "../../src/Check/CheckPolicy.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as Registration from "../../src/Cli/Registration.js"
import * as Secrets from "../../src/Common/Secrets.js"

class Pool extends Context.Tag("test/Pool")<Pool, { readonly number: number }>() {}

class PoolError extends Schema.TaggedError<PoolError>()("PoolError", {
  reason: Schema.Literal("No")
}) {}

describe("Registration", () => {
  it.scoped("builds what several services use once, and keeps their order", () =>
    Effect.gen(function* () {
      const built = yield* Ref.make(0)
      const layerPool = Layer.effect(
        Pool,
        Effect.map(
          Ref.updateAndGet(built, (count) => count + 1),
          (number) => ({ number })
        )
      )
      const Pooled = Check.make("pooled", {
        description: "uses a pool",
        config: {},
        error: PoolError,
        probe: () => Effect.map(Pool, ({ number }) => Outcome.healthy(`pool ${number}`)),
        services: () => layerPool
      })
      const names = ["one", "two", "three"]
      const services = names.map((name) => ({
        name,
        label: name,
        configured: true,
        policy: CheckPolicy.defaults,
        layer: Layer.orDie(Pooled.layerStandalone({}, { name })),
        entry: undefined,
        secrets: []
      }))
      const context = yield* Layer.build(CheckRegistry.layer)
      const scope = yield* Effect.scope
      yield* Effect.provide(
        Registration.register(services, Secrets.none, () => Effect.succeed(scope)),
        context
      )
      const checks = yield* Context.get(context, CheckRegistry.CheckRegistry).all
      assert.deepStrictEqual(
        checks.map(({ name }) => name),
        names
      )
      assert.strictEqual(yield* built, 1)
    })
  )
})
