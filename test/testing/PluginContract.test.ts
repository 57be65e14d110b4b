/** Each law catches a check that breaks it, and no other law does it first. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import * as net from "node:net"
import * as Check from "../../src/Check/Check.js"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as PluginContract from "../../src/testing/PluginContract.js"

const canary = "s3cr3t-canary"

class GoodError extends Schema.TaggedError<GoodError>("holter/test/GoodError")("GoodError", {
  reason: Schema.Literal("Down", "Refused"),
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `The queue is ${this.reason.toLowerCase()}. Start it.`
  }
}

const fields = {
  token: ConfigField.secret.annotations({ description: "the token of the queue" }),
  limit: ConfigField.withDefault(
    ConfigField.count.annotations({ description: "messages that may wait" }),
    10
  )
}

const good = {
  description: "A queue",
  config: fields,
  error: GoodError,
  probe: (): Effect.Effect<Outcome.Outcome, GoodError> => new GoodError({ reason: "Down" }),
  services: () => Layer.empty
}

const fine = (): Effect.Effect<Outcome.Outcome> => Effect.succeed(Outcome.healthy("ok"))

const samples: PluginContract.Samples = {
  valid: [{ token: canary }, { token: canary, limit: 3 }],
  invalid: [{}, { token: `${canary}\n` }, { token: canary, limit: "many" }],
  secrets: [canary]
}

/** The laws that a check breaks, with what is found. */
const broken = (check: PluginContract.Subject, given = samples) =>
  Effect.map(
    Effect.forEach(PluginContract.laws(check, given), (law) =>
      Effect.match(law.effect, {
        onSuccess: () => [],
        onFailure: (violation) => [[law.name, violation] as const]
      })
    ),
    (found) => new Map(found.flat())
  )

const breaksOnly = (law: string, check: PluginContract.Subject, found: RegExp, given = samples) =>
  it.effect(`"${law}": ${found.source}`, () =>
    Effect.gen(function* () {
      const violations = yield* broken(check, given)
      assert.deepStrictEqual([...violations.keys()], [law])
      const violation = violations.get(law)
      assert.instanceOf(violation, PluginContract.ContractViolation)
      assert.match(violation?.found ?? "", found)
      assert.include(violation?.message, `"${check.type}"`)
      assert.notInclude(violation?.message ?? "", canary)
    })
  )

const leaking = (message: string) => {
  class LeakyError extends Schema.TaggedError<LeakyError>("holter/test/LeakyError")("LeakyError", {
    reason: Schema.Literal("Down"),
    text: Schema.optional(Schema.String),
    cause: Schema.optional(Schema.Defect)
  }) {
    override get message(): string {
      if (message === "cause") return `Failed: ${String(this.cause)}`
      return message === "text" ? `Failed: ${this.text ?? "no text"}` : message
    }
  }
  return LeakyError
}

describe("PluginContract", () => {
  it.effect("a good check keeps all laws", () =>
    Effect.gen(function* () {
      const violations = yield* broken(Check.make("queue", good))
      assert.deepStrictEqual([...violations.keys()], [])
    })
  )

  it("has laws with names of their own", () => {
    const names = PluginContract.laws(Check.make("queue", good), samples).map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
    assert.strictEqual(names.length, 10)
  })

  breaksOnly("names are valid", Check.make("Queue-1", good), /Queue-1/)
  breaksOnly("names are valid", Check.make("queue", { ...good, name: "the queue" }), /the queue/)
  breaksOnly("names are valid", Check.make("queue", { ...good, label: " " }), /empty/)
  breaksOnly("names are valid", Check.make("queue", { ...good, description: "" }), /empty/)

  breaksOnly(
    "no field is called like a part of the policy",
    Check.make("queue", {
      ...good,
      config: {
        ...fields,
        retry: Schema.optional(Schema.Int.annotations({ description: "tries" }))
      }
    }),
    /^retry$/
  )

  breaksOnly(
    "configuration decodes and encodes",
    Check.make("queue", {
      ...good,
      config: {
        ...fields,
        when: ConfigField.withDefault(
          Schema.transform(Schema.String, Schema.String, {
            strict: true,
            decode: (text) => `${text}!`,
            encode: (text) => text
          }).annotations({ description: "grows with each reading" }),
          "now"
        )
      }
    }),
    /a difference/
  )

  breaksOnly(
    "every field has a description",
    Check.make("queue", { ...good, config: { ...fields, bare: Schema.optional(Schema.Boolean) } }),
    /none of bare/
  )
  breaksOnly(
    "every field has a description",
    Check.make("queue", {
      ...good,
      config: {
        ...fields,
        odd: Schema.optional(
          Schema.declare((input): input is string => typeof input === "string").annotations({
            description: "a type that JSON Schema cannot say"
          })
        )
      }
    }),
    /cannot be made/
  )

  breaksOnly("a wrong configuration is refused", Check.make("queue", good), /that it was taken/, {
    ...samples,
    invalid: [{ token: canary, limit: 5 }]
  })
  breaksOnly(
    "a wrong configuration is refused",
    Check.make("queue", {
      ...good,
      config: {
        ...fields,
        plain: Schema.optional(Schema.Literal("a", "b").annotations({ description: "a or b" }))
      }
    }),
    /^one$/,
    { ...samples, invalid: [{ plain: canary }] }
  )

  breaksOnly(
    "errors have reasons and messages",
    Check.make("queue", {
      ...good,
      error: Schema.Struct({
        _tag: Schema.tag("E"),
        reason: Schema.String,
        message: Schema.String
      }),
      probe: fine
    }),
    /another/
  )
  breaksOnly(
    "errors have reasons and messages",
    Check.make("queue", { ...good, error: leaking(""), probe: fine }),
    /none/
  )
  breaksOnly(
    "errors have reasons and messages",
    Check.make("queue", { ...good, error: leaking("cause"), probe: fine }),
    /one that does \(Down\)/
  )

  breaksOnly(
    "builds without a service and closes",
    Check.make("queue", {
      ...good,
      probe: () =>
        Effect.async<Outcome.Outcome>((resume) => {
          const server = net.createServer().listen(0, "127.0.0.1", () => {
            leaked.push(server)
            resume(Effect.succeed(Outcome.healthy("listening")))
          })
        })
    }),
    /^[1-9]\d* of them/
  )

  it.effect('"builds without a service and closes": a layer that dies, hangs or waits', () =>
    Effect.gen(function* () {
      for (const services of [
        () => Layer.effectDiscard(Effect.die(new Error("no queue"))),
        () => Layer.effectDiscard(Effect.never),
        () => Layer.scopedDiscard(Effect.addFinalizer(() => Effect.never))
      ]) {
        const law = PluginContract.laws(Check.make("queue", { ...good, services }), samples).find(
          ({ name }) => name === "builds without a service and closes"
        )
        const violation = yield* Effect.flip(law?.effect ?? Effect.void)
        assert.instanceOf(violation, PluginContract.ContractViolation)
      }
    })
  )

  const crashing = Check.make("queue", { ...good, probe: () => Effect.die(new Error("boom")) })
  breaksOnly("can run twice", crashing, /^Crashed/)

  let runs = 0
  breaksOnly(
    "can run twice",
    Check.make("queue", {
      ...good,
      probe: () =>
        // The runs of the life cycle come first, one for each sample.
        Effect.suspend(() =>
          ++runs === 4 ? Effect.interrupt : Effect.succeed(Outcome.healthy("ok"))
        )
    }),
    /^Interrupted/
  )
  breaksOnly(
    "can run twice",
    Check.make("queue", {
      ...good,
      probe: () => Effect.succeed(Outcome.healthy("ok", { details: { "Queue Length": 1 } }))
    }),
    /Queue Length/
  )

  breaksOnly(
    "can be interrupted",
    Check.make("queue", {
      ...good,
      probe: () =>
        Effect.as(
          Effect.uninterruptible(Effect.sleep("400 millis")),
          Outcome.healthy("slow to let go")
        )
    }),
    /goes on/
  )

  const shown: ReadonlyArray<readonly [string, Effect.Effect<Outcome.Outcome>]> = [
    ["message", Effect.succeed(Outcome.healthy(`key ${canary}`))],
    ["note", Effect.succeed(Outcome.healthy("ok", { note: encodeURIComponent(canary) }))],
    [
      "details",
      Effect.succeed(
        Outcome.healthy("ok", { details: { key: Buffer.from(canary).toString("base64") } })
      )
    ]
  ]
  for (const [what, probe] of shown) {
    breaksOnly(
      "shows no secret",
      Check.make("queue", { ...good, description: `leaks in its ${what}`, probe: () => probe }),
      /a string with a secret/
    )
  }

  const Leaky = leaking("text")
  breaksOnly(
    "shows no secret",
    Check.make("queue", {
      ...good,
      error: Leaky,
      probe: (): Effect.Effect<Outcome.Outcome, InstanceType<typeof Leaky>> =>
        new Leaky({ reason: "Down", text: canary })
    }),
    /a string with a secret/
  )
})

/** What the leaking check left open; the process of the test file ends with it. */
const leaked: Array<net.Server> = []
