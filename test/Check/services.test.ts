import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import * as Check from "../../src/Check/Check.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as HealthMonitor from "../../src/Monitor/HealthMonitor.js"

class Client extends Context.Tag("test/Client")<Client, string>() {}

class Failed extends Schema.TaggedError<Failed>("test/Failed")("Failed", {
  reason: Schema.Literal("Failed")
}) {}

const Asking = Check.make("asking", {
  description: "says which client it uses",
  config: {},
  error: Failed,
  probe: () => Effect.map(Client, (client) => Outcome.healthy(client)),
  services: () => Layer.succeed(Client, "standalone")
})

describe("the services of a check", () => {
  it.effect("are those of its layer, whatever the caller of the run has", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const results = yield* Effect.provideService(monitor.runAllChecks, Client, "the caller's")
      assert.strictEqual(results.get("embedded")?.message, "the program's")
      assert.strictEqual(results.get("asking")?.message, "standalone")
    }).pipe(
      Effect.provide(
        HealthMonitor.layer.pipe(
          Layer.provide(
            Layer.merge(
              Asking.layer({}, { name: "embedded" }).pipe(
                Layer.provide(Layer.succeed(Client, "the program's"))
              ),
              Asking.layerStandalone({})
            )
          ),
          Layer.provide(Layer.merge(CheckRegistry.layer, CheckRunner.layer()))
        )
      )
    )
  )
})
