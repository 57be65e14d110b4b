/** Secrets planted in a check's configuration appear nowhere in what comes out of it. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Layer, Logger, Redacted, Schema } from "effect"
import { inspect } from "node:util"
import * as Check from "../../src/Check/Check.js"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import * as Outcome from "../../src/Check/Outcome.js"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import { program } from "./scripted.js"

const password = "c4n@ry/p%ss w\\rd"
const token = "c4nary-t0ken-98765"
const url = `postgres://user:${encodeURIComponent(password)}@localhost/db`

class Leak extends Schema.TaggedError<Leak>("test/Leak")("Leak", {
  reason: Schema.Literal("Leaked"),
  text: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return this.text
  }
  get details(): Outcome.Details {
    return { tried: [this.text, { again: this.text }] }
  }
}

const leaks = [
  password,
  token,
  url,
  encodeURIComponent(password),
  encodeURIComponent(password).toLowerCase(),
  JSON.stringify({ password, token }),
  `Basic ${Buffer.from(`user:${password}`).toString("base64")}`,
  Buffer.from(`x${token}`).toString("base64url")
]
/** Also what base64 holds of them, wherever it begins. */
const traces = [
  ...leaks,
  ...[password, token].flatMap((value) =>
    ["", "a", "ab"].map((before) =>
      Buffer.from(`${before}${value}`).toString("base64").slice(4, -4)
    )
  )
]

const Leaky = Check.make("leaky", {
  description: "Says what it should not",
  config: { url: ConfigField.secret, token: ConfigField.secret, way: Schema.String },
  error: Leak,
  probe: (config) =>
    Effect.gen(function* () {
      const text = leaks.join(" | ")
      yield* Effect.log(text, { text }, new Error(text))
      yield* Effect.fork(Effect.logError(text)).pipe(Effect.flatten)
      yield* Effect.annotateLogs(Effect.logWarning("annotated"), { text })
      switch (config.way) {
        case "long":
          return Outcome.healthy(`${"x".repeat(490)}${token} and more`)
        case "healthy":
          return Outcome.healthy(text, { details: { text, list: [text] }, note: text })
        case "degraded":
          return Outcome.degraded(text, { details: { deep: { text } } })
        case "fails":
          return yield* new Leak({ reason: "Leaked", text, cause: new Error(text) })
        case "throws":
          return yield* Effect.sync((): Outcome.Outcome => assert.fail(text))
        default:
          return yield* Effect.die({ toString: () => text })
      }
    }),
  services: () => Layer.empty
})

for (const way of ["healthy", "degraded", "fails", "throws", "dies"]) {
  it.effect(`a check that ${way}: result, summary and log`, () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make((options) => {
        lines.push(Logger.logfmtLogger.log(options), Logger.jsonLogger.log(options))
        lines.push(inspect(options.message, { depth: 9 }))
      })
      const output = yield* Effect.gen(function* () {
        const monitor = yield* HealthMonitor
        const result = yield* monitor.runCheck("leaky")
        return [
          inspect(result, { depth: 9 }),
          result.message,
          JSON.stringify(result),
          JSON.stringify(yield* monitor.statusSummary)
        ]
      }).pipe(
        Effect.provide(
          Layer.merge(
            program(Leaky.layer({ url: Redacted.make(url), token: Redacted.make(token), way })),
            Logger.replace(Logger.defaultLogger, logger)
          )
        )
      )
      assert.isAtLeast(lines.length, 9)
      for (const text of [...output, ...lines]) {
        for (const trace of traces) assert.notInclude(text, trace)
      }
      assert.include(output.join(), "<redacted>")
      assert.include(lines.join(), "<redacted>")
    })
  )
}

it.effect("a time limit, a name and a reason are no secrets", () =>
  Effect.gen(function* () {
    const monitor = yield* HealthMonitor
    const result = yield* monitor.runCheck("leaky")
    assert.strictEqual(result.service, "leaky")
    assert.strictEqual(result.reason, "Leaked")
    assert.isTrue(Duration.isDuration(result.responseTime))
  }).pipe(
    Effect.provide(
      Layer.merge(
        program(
          Leaky.layer({ url: Redacted.make(url), token: Redacted.make(token), way: "fails" })
        ),
        Logger.remove(Logger.defaultLogger)
      )
    )
  )
)

it.effect("a secret across the end of a message that is cut does not show its beginning", () =>
  Effect.gen(function* () {
    const monitor = yield* HealthMonitor
    const { message } = yield* monitor.runCheck("leaky")
    assert.isAtMost(message.length, 500)
    assert.include(message, "<redacte")
    assert.notInclude(message, token.slice(0, 6))
  }).pipe(
    Effect.provide(
      program(Leaky.layer({ url: Redacted.make(url), token: Redacted.make(token), way: "long" }))
    )
  )
)
