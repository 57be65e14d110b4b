/** `holter watch` with real servers: who is told of what, how often, and what stays over a kill. */
import { assert } from "@effect/vitest"
import * as vitest from "@effect/vitest"
import { Effect } from "effect"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as HttpDouble from "../support/HttpDouble.js"
import { PostgresServer } from "../support/PostgresServer.js"
import { RedisServer } from "../support/RedisServer.js"
import { describeWithServices } from "../support/Services.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import * as TempDir from "../support/TempDir.js"
import { alertsTo, assertOrderly, checks, config, patience, start, stop } from "./watch.js"

const { it } = vitest

const plainOf = (messages: ReadonlyArray<TelegramDouble.SentMessage>): ReadonlyArray<string> =>
  messages.map(({ plain }) => plain.split("\n")[0] ?? "")

describeWithServices(["postgres", "redis"], "holter watch", () => {
  it.scopedLive(
    "tells once when a server goes down, and once when it is back",
    () =>
      Effect.gen(function* () {
        const postgres = yield* PostgresServer.make()
        const redis = yield* RedisServer.make()
        const telegram = yield* TelegramDouble.make()
        const services = checks({
          database: `{ type: database, url: "${postgres.url}" }`,
          cache: `{ type: redis, url: "${redis.url}" }`
        })
        const watch = yield* start({ files: config(services, alertsTo(telegram)) })
        yield* watch.awaitStdout(/ status database healthy \(was unknown\): /)
        yield* watch.awaitStdout(/ status cache healthy \(was unknown\): /)

        yield* redis.stop
        yield* telegram.awaitMessages(1)
        yield* redis.start
        yield* telegram.awaitMessages(2)
        yield* postgres.stop
        yield* telegram.awaitMessages(3)
        yield* postgres.start
        yield* telegram.awaitMessages(4)
        assertOrderly(yield* stop(watch), "SIGTERM")

        // In between there were beats enough for a second message of each.
        const [one = "", two = "", three = "", four = "", ...more] = plainOf(
          yield* telegram.messages
        )
        assert.match(one, /cache is unhealthy/)
        assert.match(two, /cache is healthy again/)
        assert.match(three, /database is unhealthy/)
        assert.match(four, /database is healthy again/)
        assert.isEmpty(more)
      }),
    patience
  )

  it.scopedLive(
    "sends the recovery that it owed when it was killed, and nothing twice",
    () =>
      Effect.gen(function* () {
        const redis = yield* RedisServer.make()
        const telegram = yield* TelegramDouble.make()
        const web = yield* HttpDouble.make({ routes: { "*": Behaviour.json(200, {}) } })
        const cwd = yield* TempDir.make("watch")
        const files = config(
          checks({
            cache: `{ type: redis, url: "${redis.url}", label: Session cache, runbook: restart <it>, link: "https://g.example.com/" }`,
            web: `{ type: http, url: "${web.url}/up" }`
          }),
          alertsTo(telegram)
        )
        const first = yield* start({ cwd, files }, "--verbose")
        yield* first.awaitStdout(/ status cache healthy /)
        yield* redis.stop
        yield* telegram.awaitMessages(1)
        yield* first.awaitStdout(/ alert cache nothing \(BelowThreshold\): /)
        // That Telegram has it is written a moment later: until then it would be sent again.
        yield* web.clear
        yield* web.awaitRequests(2)
        yield* first.signal("SIGKILL")
        assert.strictEqual((yield* first.exit).signal, "SIGKILL")

        // Still down: known, and not told again, for more beats than open an incident.
        const second = yield* start({ cwd })
        yield* second.awaitStdout(
          / incident cache: unhealthy for .*earlier run left it; notified: ops$/m
        )
        yield* second.awaitStdout(/ status cache unhealthy \(was unhealthy\): /)
        yield* web.clear
        yield* web.awaitRequests(4)
        assert.lengthOf(yield* telegram.messages, 1)
        yield* second.signal("SIGKILL")
        assert.notMatch((yield* second.exit).stdout, / nothing \(|does not count/)

        // It comes back while nobody watches.
        yield* redis.start
        const third = yield* start({ cwd })
        yield* telegram.awaitMessages(2)
        yield* web.clear
        yield* web.awaitRequests(3)
        assertOrderly(yield* stop(third), "SIGTERM")
        const [one = "", two = "", ...more] = plainOf(yield* telegram.messages)
        assert.strictEqual(one, "Holter: Session cache is unhealthy")
        const [message] = yield* telegram.messages
        assert.include(message?.plain, "\nRunbook: restart <it>\nLink")
        assert.match(two, /cache is healthy again/)
        assert.isEmpty(more)
      }),
    patience
  )

  it.scopedLive(
    "goes on, and says so, where the journal cannot be reached, and writes what waited when it can",
    () =>
      Effect.gen(function* () {
        const postgres = yield* PostgresServer.make()
        const redis = yield* RedisServer.make()
        const telegram = yield* TelegramDouble.make()
        yield* postgres.stop
        const cwd = yield* TempDir.make("watch")
        const watch = yield* start({
          cwd,
          files: config(
            checks({ cache: `{ type: redis, url: "${redis.url}" }` }),
            alertsTo(telegram),
            `journal: { url: "${postgres.url}" }`
          )
        })
        yield* watch.awaitStdout(/ journal down: .*what is to be written waits in memory/)
        yield* watch.awaitStdout(/ status cache healthy /)
        yield* redis.stop
        yield* telegram.awaitMessages(1)
        yield* postgres.start
        yield* watch.awaitStdout(/ journal back: /)
        assertOrderly(yield* stop(watch), "SIGTERM")
        // The outage was recorded: the next run knows who is owed its end.
        yield* redis.start
        const second = yield* start({ cwd })
        yield* telegram.awaitMessages(2)
        assertOrderly(yield* stop(second), "SIGTERM")
        assert.lengthOf(yield* telegram.messages, 2)
      }),
    patience
  )

  it.scopedLive(
    "keeps its journal in PostgreSQL, over a restart",
    () =>
      Effect.gen(function* () {
        const postgres = yield* PostgresServer.make()
        const redis = yield* RedisServer.make()
        const telegram = yield* TelegramDouble.make()
        const cwd = yield* TempDir.make("watch")
        const files = config(
          checks({ cache: `{ type: redis, url: "${redis.url}" }` }),
          alertsTo(telegram),
          `journal: { url: "${postgres.url}" }`
        )
        yield* redis.stop
        const first = yield* start({ cwd, files })
        yield* telegram.awaitMessages(1)
        assertOrderly(yield* stop(first), "SIGTERM")
        yield* redis.start
        const second = yield* start({ cwd })
        yield* telegram.awaitMessages(2)
        assertOrderly(yield* stop(second), "SIGTERM")
        assert.lengthOf(yield* telegram.messages, 2)
      }),
    patience
  )
})
