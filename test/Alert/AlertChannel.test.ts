import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Either, HashMap, Layer, Logger, Option, Redacted } from "effect"
import type { Alert } from "../../src/Alert/Alert.js"
import * as AlertChannel from "../../src/Alert/AlertChannel.js"
import { LogChannel } from "../../src/Alert/AlertChannel/Log.js"
import { AlertChannelError, shortened } from "../../src/Alert/AlertChannelError.js"
import * as ChannelRegistry from "../../src/Alert/ChannelRegistry.js"
import { formatIssue } from "../../src/Plugin/ConfigIssue.js"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import { alert } from "./alerts.js"

class Post extends Context.Tag("test/Post")<
  Post,
  { readonly post: (text: string) => Effect.Effect<void> }
>() {}

const secret = "hunter2-is-long"

const channel = AlertChannel.make("post", {
  description: "Posts alerts",
  config: { token: ConfigField.secret, port: ConfigField.port },
  send: (one: Alert, config, name) =>
    one.kind === "opened"
      ? Effect.flatMap(Post, ({ post }) => post(`${name} ${config.port} ${one.key}`))
      : new AlertChannelError({
          reason: "Transient",
          channel: name,
          problem: `refused with ${Redacted.value(config.token)}`
        }),
  services: () => Layer.succeed(Post, { post: () => Effect.void })
})

const registered = (layer: Layer.Layer<never, unknown, ChannelRegistry.ChannelRegistry>) =>
  Effect.flatMap(ChannelRegistry.ChannelRegistry, (registry) => registry.all).pipe(
    Effect.provide(Layer.provideMerge(layer, ChannelRegistry.layer))
  )

const config = { token: Redacted.make(secret), port: 80 }

describe("AlertChannel", () => {
  it.effect("registers itself, with the program's own services", () =>
    Effect.gen(function* () {
      const posted: Array<string> = []
      const post = (text: string) => Effect.sync(() => void posted.push(text))
      const own = Layer.succeed(Post, { post })
      const [one] = yield* registered(Layer.provide(channel.layer(config, { name: "ops" }), own))
      assert.strictEqual(one?.name, "ops")
      const opened = alert("opened", "redis")
      yield* one?.send(opened) ?? Effect.void
      assert.deepStrictEqual(posted, [`ops 80 ${opened.key}`])
    })
  )

  it.effect("is opened once, where it remembers something, and sends with that", () =>
    Effect.gen(function* () {
      let opened = 0
      const counting = AlertChannel.make("counting", {
        description: "Counts alerts",
        config: { token: ConfigField.secret },
        open: ({ token }, name) =>
          Effect.sync(() => {
            opened += 1
            let count = 0
            return () =>
              new AlertChannelError({
                reason: "Transient",
                channel: name,
                problem: `${++count} refused with ${Redacted.value(token)}`
              })
          }),
        services: () => Layer.empty
      })
      const [one] = yield* registered(counting.layer({ token: config.token }, { name: "ops" }))
      const refused = Effect.flip(one?.send(alert("opened", "redis")) ?? Effect.void)
      assert.strictEqual((yield* refused).message, "Channel ops: 1 refused with <redacted>")
      assert.strictEqual((yield* refused).message, "Channel ops: 2 refused with <redacted>")
      assert.strictEqual(opened, 1)
    })
  )

  it("says what went wrong in a length that can be shown", () => {
    const error = new AlertChannelError({
      reason: "Transient",
      channel: "ops",
      problem: "x".repeat(5000),
      retryAfter: Duration.seconds(5)
    })
    const short = shortened(error)
    assert.strictEqual(short.problem.length, 400)
    assert.deepStrictEqual(short.retryAfter, error.retryAfter)
    assert.strictEqual(shortened(short), short)
  })

  it.effect("takes its secrets out of its errors", () =>
    Effect.gen(function* () {
      const [one] = yield* registered(channel.layerStandalone(config))
      const error = yield* Effect.flip(one?.send(alert("resolved", "redis")) ?? Effect.void)
      assert.strictEqual(String(error), "AlertChannelError: Channel post: refused with <redacted>")
    })
  )

  it.effect("refuses a second channel of its name", () =>
    Effect.gen(function* () {
      const two = Layer.provideMerge(
        channel.layerStandalone(config),
        channel.layerStandalone(config)
      )
      const error = yield* Effect.flip(registered(two))
      assert.include(String(error), 'Two channels are named "post"')
    })
  )

  it.effect("holds code to the rules of a file", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        registered(channel.layerStandalone({ ...config, port: 70000 }))
      )
      assert.include(String(error), "port: expected a port number from 1 to 65535")
    })
  )

  it("tells all that is wrong in a file, and shows no secret", () => {
    const issues = Either.getOrElse(
      Either.flip(channel.decode({ token: `${secret}\n`, port: 0, prot: 1 })),
      () => []
    ).map(formatIssue)
    assert.strictEqual(issues.length, 3)
    assert.notInclude(issues.join(), secret)
    assert.isTrue(AlertChannel.isAlertChannel(channel))
    assert.isFalse(AlertChannel.isAlertChannel({}))
  })
})

describe("the log channel", () => {
  it.effect("writes the alert in words", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ annotations, logLevel, message }) => {
        const kind = Option.getOrElse(HashMap.get(annotations, "kind"), () => "")
        lines.push(`${logLevel.label} ${String(kind)} ${String(message)}`)
      })
      const [log] = yield* registered(LogChannel.layer({}))
      yield* Effect.provide(
        Effect.forEach(
          [alert("opened", "redis"), alert("resolved", "redis", { at: 65_000 })],
          (one) => log?.send(one) ?? Effect.void
        ),
        Logger.replace(Logger.defaultLogger, logger)
      )
      assert.include(lines[0], "WARN opened redis is unhealthy\nredis: unhealthy since 2026-01-01")
      assert.include(lines[1], "INFO resolved redis is healthy again after 1m 5s")
    })
  )
})
