import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Ref, Schema } from "effect"
import * as Check from "../../src/Check/Check.js"
import * as CheckPolicy from "../../src/Check/CheckPolicy.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as Registration from "../../src/Cli/Registration.js"
import * as GrowingSecrets from "../../src/Common/GrowingSecrets.js"
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

  it.scoped("hides what becomes a secret later, in checks that are registered before", () =>
    Effect.gen(function* () {
      const Plain = Check.make("plain", {
        description: "says a word of somebody else",
        config: {},
        error: PoolError,
        probe: () => Effect.succeed(Outcome.healthy("it is l4ter-s3cr3t")),
        services: () => Layer.empty
      })
      const service = {
        name: "plain",
        label: "plain",
        configured: true,
        policy: CheckPolicy.defaults,
        layer: Layer.orDie(Plain.layerStandalone({}, { name: "plain" })),
        entry: undefined,
        secrets: []
      }
      const scope = yield* Effect.scope
      const context = yield* Layer.build(Layer.merge(CheckRegistry.layer, CheckRunner.layer()))
      const secrets = GrowingSecrets.make(Secrets.none)
      yield* Effect.provide(
        Registration.register([service], secrets.secrets, () => Effect.succeed(scope)),
        context
      )
      const [check] = yield* Context.get(context, CheckRegistry.CheckRegistry).all
      if (check === undefined) return assert.fail("no check")
      const { run } = Context.get(context, CheckRunner.CheckRunner)
      assert.strictEqual((yield* run(check)).message, "it is l4ter-s3cr3t")
      secrets.add(Secrets.make(["l4ter-s3cr3t"]))
      assert.strictEqual((yield* run(check)).message, "it is <redacted>")
    })
  )
})
