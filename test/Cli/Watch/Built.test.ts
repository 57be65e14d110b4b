/** Channels of a configuration that is exchanged for another one while messages are on their way. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, TestClock } from "effect"
import * as ChannelRegistry from "../../../src/Alert/ChannelRegistry.js"
import * as CheckPolicy from "../../../src/Check/CheckPolicy.js"
import * as CheckRegistry from "../../../src/Check/CheckRegistry.js"
import type { Service } from "../../../src/Cli/Service.js"
import * as Built from "../../../src/Cli/Watch/Built.js"
import * as Secrets from "../../../src/Common/Secrets.js"

/** A channel, and a line in the log when what it sends with is closed. */
const channel = (version: number, log: Array<string>): Built.Channel => ({
  name: "ops",
  entry: version,
  layer: Layer.scopedDiscard(
    Effect.gen(function* () {
      const { register } = yield* ChannelRegistry.ChannelRegistry
      yield* Effect.addFinalizer(() => Effect.sync(() => log.push(`closed ${version}`)))
      yield* register({
        name: "ops",
        type: "test",
        timeout: Duration.seconds(10 * version),
        collapses: false,
        send: () => Effect.sync(() => log.push(`sent by ${version}`))
      })
    })
  )
})

/** One whose layer dies once it has registered. */
const broken = (log: Array<string>): Built.Channel => ({
  name: "ops",
  entry: "broken",
  layer: Layer.effectDiscard(Effect.suspend(() => dies)).pipe(Layer.provide(channel(9, log).layer))
})

const check = (entry: string, log: Array<string>, built: Effect.Effect<void> = Effect.void) =>
  ({
    name: "web",
    label: "Web",
    configured: true,
    policy: CheckPolicy.defaults,
    layer: Layer.scopedDiscard(
      Effect.gen(function* () {
        const { register } = yield* CheckRegistry.CheckRegistry
        yield* Effect.addFinalizer(() => Effect.sync(() => log.push(`closed ${entry}`)))
        yield* register({
          name: "web",
          type: "test",
          label: entry,
          policy: CheckPolicy.defaults,
          secrets: Secrets.none,
          probe: Effect.never,
          statusOf: () => "unhealthy"
        })
        yield* built
      })
    ),
    entry,
    secrets: []
  }) satisfies Service

const label = Effect.gen(function* () {
  const { find } = yield* CheckRegistry.CheckRegistry
  return Option.getOrUndefined(yield* find("web"))?.label
})

const dies = Effect.dieMessage("it dies while it is built")

const version = Effect.gen(function* () {
  const { find } = yield* ChannelRegistry.ChannelRegistry
  const found = Option.getOrUndefined(yield* find("ops"))
  return found === undefined ? undefined : Duration.toSeconds(found.timeout) / 10
})

describe("the channels of a watch", () => {
  it.scoped("are exchanged at once, and close when what they have under way is over", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const channels = Built.channels(yield* Effect.scope, Secrets.none)
      yield* channels.open([channel(1, log)])
      const { changed } = channels.difference([channel(2, log)])
      yield* channels.open(changed)
      assert.strictEqual(yield* version, 2)
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(log, ["closed 1"])
      assert.strictEqual(yield* version, 2)

      yield* channels.take("ops")
      assert.deepStrictEqual(channels.difference([channel(2, log)]).added.length, 1)
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(log, ["closed 1", "closed 2"])
      assert.strictEqual(yield* version, undefined)
    }).pipe(Effect.provide(ChannelRegistry.layer))
  )

  it.scoped("go on where another one cannot be built, and are exchanged when it can", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const channels = Built.channels(yield* Effect.scope, Secrets.none)
      yield* channels.open([channel(1, log)])
      const { expected, found, path } = yield* Effect.flip(
        channels.prepare([{ ...channel(2, log), name: "other" }, broken(log)])
      )
      assert.deepStrictEqual(path, ["alerts.channels", "ops"])
      assert.match(expected, /can be built/)
      assert.include(found, "it dies while it is built")
      // The one that is built before it is gone as well.
      assert.deepStrictEqual(log, ["closed 9", "closed 2"])
      assert.strictEqual(yield* version, 1)
      assert.deepStrictEqual(channels.difference([channel(1, log)]).kept, ["ops"])
      yield* channels.open(channels.difference([channel(3, log)]).changed)
      assert.strictEqual(yield* version, 3)
    }).pipe(Effect.provide(ChannelRegistry.layer))
  )
})

describe("the checks of a watch", () => {
  it.scoped("go on where another one cannot be built, and are exchanged when it can", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const checks = Built.checks(yield* Effect.scope, Secrets.none)
      yield* checks.open([check("one", log)])
      const issue = yield* Effect.flip(checks.prepare([check("two", log, dies)]))
      assert.deepStrictEqual(issue.path, ["checks", "web"])
      assert.deepStrictEqual(log, ["closed two"])
      assert.strictEqual(yield* label, "one")
      assert.deepStrictEqual(checks.difference([check("one", log)]).kept, ["web"])

      const next = yield* checks.prepare(checks.difference([check("three", log)]).changed)
      assert.strictEqual(yield* label, "one")
      yield* checks.take("web")
      yield* next.use
      assert.strictEqual(yield* label, "three")
      assert.deepStrictEqual(log, ["closed two", "closed one"])
    }).pipe(Effect.provide(CheckRegistry.layer))
  )
})
