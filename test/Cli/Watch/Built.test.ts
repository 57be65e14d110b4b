/** Channels of a configuration that is exchanged for another one while messages are on their way. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, TestClock } from "effect"
import * as ChannelRegistry from "../../../src/Alert/ChannelRegistry.js"
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
})
