/** What people are to know of a check: its label, its link, its runbook. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema } from "effect"
import * as Check from "../../src/Check/Check.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import * as Guidance from "../../src/Check/Guidance.js"
import * as Outcome from "../../src/Check/Outcome.js"
import { ScriptedError } from "./scripted.js"

const Cache = Check.make("cache", {
  description: "A cache",
  link: "https://cache.example.com/",
  runbook: "Restart it",
  config: { password: Schema.optional(ConfigField.secret) },
  error: ScriptedError,
  probe: () => Effect.succeed(Outcome.healthy("ok")),
  services: () => Layer.empty
})

const registered = (options: Check.Options, password?: string) =>
  Effect.gen(function* () {
    const config = password === undefined ? {} : { password: Redacted.make(password) }
    yield* Layer.build(Cache.layer(config, options))
    const { all } = yield* CheckRegistry.CheckRegistry
    return (yield* all).map(({ label, link, name, runbook }) => ({ name, label, link, runbook }))
  }).pipe(Effect.scoped, Effect.provide(CheckRegistry.layer))

describe("label, link and runbook of a check", () => {
  it.effect("come from its definition, and from whoever registers it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* registered({}), [
        { name: "cache", label: "cache", link: "https://cache.example.com/", runbook: "Restart it" }
      ])
      const options = {
        name: "sessions",
        label: "Sessions of users",
        link: "https://grafana.example.com/d/1?x=1",
        runbook: "https://wiki.example.com/sessions"
      }
      assert.deepStrictEqual(yield* registered(options), [options])
    })
  )

  it.effect("show no secret of the check", () =>
    Effect.gen(function* () {
      const [one] = yield* registered({ runbook: "redis-cli -a s3cr3t-canary" }, "s3cr3t-canary")
      assert.strictEqual(one?.runbook, "redis-cli -a <redacted>")
    })
  )

  it.effect("are refused in code as in a file, and show no password there", () =>
    Effect.gen(function* () {
      const options = {
        label: "two\nlines",
        link: "https://anna:s3cr3t-canary@grafana.example.com/",
        runbook: " "
      }
      const error = yield* Effect.flip(registered(options))
      if (error._tag !== "CheckConfigError") return assert.fail(error._tag)
      assert.deepStrictEqual(
        error.issues.map(({ path }) => path.join(".")),
        ["label", "link", "runbook"]
      )
      assert.notInclude(error.message, "s3cr3t-canary")
    })
  )

  for (const link of [
    "ftp://example.com/",
    "javascript:alert(1)",
    "https://",
    "//example.com/",
    "example.com",
    "https://example.com/a b",
    "https://example.com/\u001b[31m",
    `https://example.com/${"a".repeat(2000)}`
  ]) {
    it(`takes no ${JSON.stringify(link.slice(0, 40))} for a link`, () => {
      assert.lengthOf(Guidance.issues({ link }), 1)
    })
  }

  for (const given of [
    { link: "http://10.0.0.1:3000/d/abc?orgId=1#panel" },
    { runbook: "x".repeat(500) },
    { runbook: "first this\nthen that" },
    { label: "Zahlungen (Köln) 💶" }
  ]) {
    it(`takes ${JSON.stringify(given).slice(0, 50)}`, () => {
      assert.isEmpty(Guidance.issues(given))
    })
  }

  it("knows a runbook that leads somewhere from one that says what to do", () => {
    assert.isTrue(Guidance.isUrl(" https://wiki.example.com/redis\n"))
    assert.isFalse(Guidance.isUrl("see https://wiki.example.com/redis"))
  })
})
