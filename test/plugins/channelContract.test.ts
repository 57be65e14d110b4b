/** Every channel keeps the contract that a channel of somebody else must keep. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as AlertChannel from "../../src/Alert/AlertChannel.js"
import { LogChannel } from "../../src/Alert/AlertChannel/Log.js"
import { AlertChannelError } from "../../src/Alert/AlertChannelError.js"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import { Command } from "../../src/plugins/Command.js"
import { TelegramChannel } from "../../src/plugins/Telegram.js"
import { WebhookChannel } from "../../src/plugins/Webhook.js"
import * as ChannelContract from "../../src/testing/ChannelContract.js"
import type { Samples } from "../../src/testing/PluginContract.js"

const canary = "s3cr3t-canary"
const token = "123456789:AAH-s3cr3t-canary"
const nobody = "http://127.0.0.1:1"

const channels: ReadonlyArray<readonly [AlertChannel.Any, Samples]> = [
  [LogChannel, { valid: [{}], invalid: [{ level: 1 }] }],
  [
    TelegramChannel,
    {
      valid: [{ token, chatId: 5, apiUrl: nobody, thread: 3, silent: true }],
      invalid: [{}, { token: canary, chatId: 5 }, { token, chatId: "x y" }],
      secrets: [token]
    }
  ],
  [
    WebhookChannel,
    {
      valid: [
        { url: `http://bot:${canary}@127.0.0.1:1/${canary}` },
        { url: nobody, secret: canary, headers: { authorization: canary }, timeout: "2 seconds" }
      ],
      invalid: [{}, { url: canary }, { url: nobody, secret: `whsec_${canary}` }],
      secrets: [canary]
    }
  ],
  [
    Command,
    {
      valid: [
        { command: ["/none"] },
        { command: ["/bin/sh", "-c", "echo $A; exit 1"], env: { A: canary } },
        { command: ["/bin/sleep", "60"], timeout: "1 second" }
      ],
      invalid: [{}, { command: [] }, { command: "sh" }, { command: ["sh"], env: { "=": canary } }],
      secrets: [canary]
    }
  ]
]

for (const [channel, samples] of channels) {
  describe(`the contract, kept by the channel ${channel.type}`, () => {
    for (const law of ChannelContract.laws(channel, samples)) {
      it.effect(law.name, () => law.effect)
    }
  })
}

describe("the contract of channels", () => {
  const broken = (send: () => Effect.Effect<void, AlertChannelError>) =>
    AlertChannel.make("Broken", {
      description: "Breaks laws",
      config: { token: ConfigField.secret },
      send,
      services: () => Layer.empty
    })
  const samples: Samples = { valid: [{ token: canary }], invalid: [{}], secrets: [canary] }
  const violation = (channel: AlertChannel.Any, name: string, given = samples) => {
    const law = ChannelContract.laws(channel, given).find((one) => one.name === name)
    return law === undefined ? Effect.dieMessage(`no law ${name}`) : Effect.flip(law.effect)
  }
  const says = (problem: string) => () =>
    new AlertChannelError({ reason: "Transient", channel: "a", problem })

  it.effect("is broken by names, defects, silence, secrets of others and taken nonsense", () =>
    Effect.gen(function* () {
      const failures = "says by its error what failed, and no secret"
      const ok = broken(() => Effect.void)
      assert.include((yield* violation(ok, "its type is valid")).message, "snake_case")
      const thrown = broken(() => Effect.die("boom"))
      assert.include((yield* violation(thrown, failures)).message, "expected no defect")
      assert.include((yield* violation(broken(says(" ")), failures)).message, "in words")
      // Its own secrets are taken out by `make`; what it knows from elsewhere is not.
      const other = { ...samples, secrets: ["another-secret"] }
      const leak = broken(says(`${Redacted.value(Redacted.make("another-secret"))} is wrong`))
      assert.include((yield* violation(leak, failures, other)).message, "no secret in its error")
      const taken = { ...samples, invalid: [{ token: "fine" }] }
      const refused = yield* violation(ok, "a wrong configuration is refused", taken)
      assert.include(refused.message, "to be refused")
      const deaf = broken(() => Effect.uninterruptible(Effect.never))
      assert.include((yield* violation(deaf, "can be interrupted")).message, "that it goes on")
    })
  )
})
