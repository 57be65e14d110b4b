import { assert, describe, it } from "@effect/vitest"
import { Redacted, Schema } from "effect"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import * as ConfigSecrets from "../../src/Plugin/ConfigSecrets.js"
import * as Secrets from "../../src/Common/Secrets.js"
import { Command } from "../../src/plugins/Command.js"
import { DMarket } from "../../src/plugins/DMarket.js"
import { Redis } from "../../src/plugins/Redis.js"
import { Telegram } from "../../src/plugins/Telegram.js"
import { WebhookChannel } from "../../src/plugins/Webhook.js"

const of = (config: Schema.Schema.AnyNoContext, input: unknown) =>
  ConfigSecrets.collect(config, input).map((secret) =>
    typeof secret === "string" ? secret : Redacted.value(secret)
  )

describe("ConfigSecrets", () => {
  it("are what the fields of secrets hold, wherever they lie", () => {
    const Config = Schema.Struct({
      plain: Schema.String,
      token: Schema.optional(ConfigField.secret.annotations({ description: "a token" })),
      other: ConfigField.withDefault(ConfigField.secret, Redacted.make("default")),
      list: Schema.Array(ConfigField.secret),
      pair: Schema.Tuple(Schema.String, ConfigField.secret),
      inner: Schema.Struct({
        map: Schema.Record({ key: Schema.String, value: ConfigField.secret })
      })
    })
    const input = {
      plain: "shown",
      token: "one",
      other: "two",
      list: ["three", "four"],
      pair: ["shown", "five"],
      inner: { map: { a: "six", b: 7 } }
    }
    assert.deepStrictEqual(of(Config, input), ["one", "two", "three", "four", "five", "six"])
    assert.deepStrictEqual(of(Config, { token: 5, list: "x", inner: null }), [])
    assert.deepStrictEqual(of(Config, "a text"), [])
  })

  it("are found in the plugins, and the address of an API is none", () => {
    assert.deepStrictEqual(of(Command.config, { command: ["a"], env: { PAGER: "b" } }), ["b"])
    const env = { TZ: "Europe/Berlin", PAGER: "b", Accept: "application/json" }
    assert.deepStrictEqual(of(Command.config, { command: ["a"], env }), ["b"])
    assert.deepStrictEqual(
      of(WebhookChannel.config, { url: "u", secret: "s", headers: { a: "h" } }),
      ["u", "s", "h"]
    )
    assert.deepStrictEqual(of(Telegram.config, { token: "t", apiUrl: "https://h" }), ["t"])
    assert.deepStrictEqual(of(DMarket.config, { publicKey: "p", secretKey: "s", apiUrl: "u" }), [
      "p",
      "s"
    ])
  })

  it("are not where a database is, but its password, and a whole URL of the web", () => {
    const hides = (config: Schema.Schema.AnyNoContext, url: string) =>
      Secrets.fromConfig(ConfigSecrets.collect(config, { url })).scrub(`no answer of ${url}`)
    assert.strictEqual(
      hides(Redis.config, "redis://127.0.0.1:6379/3"),
      "no answer of redis://127.0.0.1:6379/3"
    )
    assert.strictEqual(
      hides(Redis.config, "redis://:secret-word@127.0.0.1:6379"),
      "no answer of redis://:<redacted>@127.0.0.1:6379"
    )
    assert.strictEqual(
      hides(WebhookChannel.config, "https://example.com/T0/xyz"),
      "no answer of <redacted>"
    )
  })
})
