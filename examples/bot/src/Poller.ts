/**
 * Asks an API for a price every second and remembers how often it did. A poll that is under way is
 * a beacon: the shutdown waits for it, and cancels it when it takes too long.
 */
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { Config, Effect, Fiber, Layer, Option, Schedule, Schema } from "effect"
import { Beacon, Lifecycle, StateStore } from "holter"
import { Price, Prices } from "./Prices.js"

const State = Schema.Struct({ polls: Schema.Int })

export const Poller = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { on } = yield* Lifecycle.Lifecycle
    const { track } = yield* Beacon.Beacon
    const prices = yield* Prices
    const client = yield* HttpClient.HttpClient
    const url = yield* Config.string("BOT_API_URL")
    const file = yield* Config.withDefault(Config.string("BOT_STATE"), "bot-state.json")

    const store = yield* StateStore.make({ file, schema: State, version: 1 })
    const before = yield* store.loadState
    let polls = Option.match(before, { onNone: () => 0, onSome: (state) => state.polls })
    yield* Effect.log(`continuing after ${polls} polls`)
    yield* StateStore.saveOnShutdown(
      store,
      Effect.sync(() => ({ polls }))
    )

    const poll = client.get(url).pipe(
      Effect.flatMap(HttpClientResponse.schemaBodyJson(Price)),
      Effect.flatMap(prices.add),
      Effect.tap(() => {
        polls += 1
      })
    )
    const polling = yield* track("poll")(poll).pipe(
      Effect.catchTag("BeaconRefused", () => Effect.interrupt),
      Effect.catchAll((error) => Effect.logWarning("a poll failed", error)),
      Effect.repeat(Schedule.spaced("1 second")),
      Effect.forkScoped
    )
    yield* on("bot", "poller", Fiber.interrupt(polling))
  })
)

/** The connections to the API, closed after the bot that uses them. */
export const Connections = NodeHttpClient.layerWithoutAgent.pipe(
  Layer.provide(
    NodeHttpClient.makeAgentLayer({ keepAlive: true }).pipe(
      Lifecycle.within("connections", "api connections")
    )
  )
)
