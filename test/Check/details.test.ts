/** Details that are no JSON harm neither the report nor the secrets. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema } from "effect"
import * as Check from "../../src/Check/Check.js"
import * as ConfigField from "../../src/Check/ConfigField.js"
import * as Outcome from "../../src/Check/Outcome.js"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import { program } from "./scripted.js"

class Never extends Schema.TaggedError<Never>("test/Never")("Never", {
  reason: Schema.Literal("Never")
}) {}

const token = "c4nary-t0ken-98765"

const cyclic: Record<string, unknown> = {}
cyclic["self"] = cyclic

const Odd = Check.make("odd", {
  description: "Details that a plugin in JavaScript may give",
  config: { token: ConfigField.secret, way: Schema.Literal("odd", "cyclic") },
  error: Never,
  probe: ({ token: secret, way }) =>
    Effect.sync(() => {
      const bare = Object.assign(Object.create(null) as object, { pw: Redacted.value(secret) })
      const url = new URL(`http://user:${Redacted.value(secret)}@host/`)
      const details: unknown = way === "odd" ? { bare, url, count: 10n } : cyclic
      return Outcome.healthy("fine", { details: details as Outcome.Details })
    }),
  services: () => Layer.empty
})

const run = (way: "odd" | "cyclic") =>
  Effect.flatMap(HealthMonitor, (monitor) => monitor.runCheck("odd")).pipe(
    Effect.provide(program(Odd.layer({ token: Redacted.make(token), way })))
  )

it.effect("are made JSON, and then searched for secrets", () =>
  Effect.gen(function* () {
    const { details } = yield* run("odd")
    assert.deepStrictEqual(details, {
      bare: { pw: "<redacted>" },
      url: "http://user:<redacted>@host/",
      count: "10"
    })
  })
)

it.effect("that cannot be made JSON are a crash of their check alone", () =>
  Effect.gen(function* () {
    const { reason, status } = yield* run("cyclic")
    assert.strictEqual(status, "unhealthy")
    assert.strictEqual(reason, "Crashed")
  })
)
