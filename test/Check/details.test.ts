/** Details that are no JSON harm neither the report nor the secrets. */
import { assert, it } from "@effect/vitest"
import { Effect, FastCheck, Layer, Redacted, Schema } from "effect"
import * as Check from "../../src/Check/Check.js"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import * as Details from "../../src/Check/Details.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as Secrets from "../../src/Common/Secrets.js"
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
  config: { token: ConfigField.secret, way: Schema.Literal("odd", "cyclic", "keys") },
  error: Never,
  probe: ({ token: secret, way }) =>
    Effect.sync(() => {
      const bare = Object.assign(Object.create(null) as object, { pw: Redacted.value(secret) })
      const url = new URL(`http://user:${Redacted.value(secret)}@host/`)
      const key = Redacted.value(secret)
      const all: Record<typeof way, unknown> = {
        odd: { bare, url, count: 10n, not_a_number: Number.NaN, nothing: undefined },
        cyclic,
        keys: { [`limit_of_${key}`]: 5, deep: [{ [key]: { [key]: key } }] }
      }
      const details = all[way]
      return Outcome.healthy("fine", { details: details as Outcome.Details })
    }),
  services: () => Layer.empty
})

const run = (way: "odd" | "cyclic" | "keys") =>
  Effect.flatMap(HealthMonitor, (monitor) => monitor.runCheck("odd")).pipe(
    Effect.provide(program(Odd.layer({ token: Redacted.make(token), way })))
  )

it.effect("are made JSON, and then searched for secrets", () =>
  Effect.gen(function* () {
    const { details } = yield* run("odd")
    assert.deepStrictEqual(details, {
      bare: { pw: "<redacted>" },
      url: "http://user:<redacted>@host/",
      count: "10",
      not_a_number: null
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

it.effect("hold no secret in their keys", () =>
  Effect.gen(function* () {
    const { details } = yield* run("keys")
    assert.deepStrictEqual(details, {
      "limit_of_<redacted>": 5,
      deep: [{ "<redacted>": { "<redacted>": "<redacted>" } }]
    })
  })
)

it("hold no secret in their keys, flat or not, and keep keys of any name", () => {
  const flat = { [`limit_of_${token}`]: 5, [token]: `is ${token}` }
  assert.deepStrictEqual(Details.clean(flat, Secrets.make([token])), {
    "limit_of_<redacted>": 5,
    "<redacted>": "is <redacted>"
  })
  const odd = Details.clean(JSON.parse('{"__proto__":"mine"}') as Outcome.Details, Secrets.none)
  assert.strictEqual(JSON.stringify(odd), '{"__proto__":"mine"}')
})

const json = FastCheck.jsonValue({ maxDepth: 2 })
const plain = FastCheck.oneof(FastCheck.string(), FastCheck.integer(), FastCheck.boolean(), json)

it.prop(
  "that are JSON and hold no secret stay as they are",
  [FastCheck.dictionary(FastCheck.string(), plain)],
  ([details]) => {
    const before = JSON.parse(JSON.stringify(details)) as Outcome.Details
    assert.deepStrictEqual(Details.clean(before, Secrets.make([token])), before)
  }
)
