/** How `holter watch` ends: by which signal, in the middle of what, and what it leaves. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as FaultyTcp from "../support/FaultyTcp.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as ManagedProcess from "../support/ManagedProcess.js"
import { PostgresServer } from "../support/PostgresServer.js"
import * as ProcessTree from "../support/ProcessTree.js"
import { describeConcurrentWithServices } from "../support/Services.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import * as TempDir from "../support/TempDir.js"
import { names } from "./backup.js"
import {
  alertsTo,
  assertOrderly,
  checks,
  config,
  ended,
  patience,
  phases,
  start,
  stop
} from "./watch.js"

const healthy = Effect.gen(function* () {
  const web = yield* HttpDouble.make({ routes: { "*": Behaviour.json(200, {}) } })
  return { web, services: checks({ web: `{ type: http, url: "${web.url}/up" }` }) }
})

describe.concurrent("holter watch ends in order and with 0", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.scopedLive(
      `by ${signal}`,
      () =>
        Effect.gen(function* () {
          const { services } = yield* healthy
          const watch = yield* start({ files: config(services) })
          yield* watch.awaitStdout(/ status web healthy /)
          const result = yield* stop(watch, signal)
          assertOrderly(result, signal)
          assert.match(result.stdout, new RegExp(` stop: ${signal}\\n$`))
        }),
      patience
    )
  }

  it.scopedLive(
    "while a check hangs, without waiting for its timeout",
    () =>
      Effect.gen(function* () {
        const web = yield* HttpDouble.make({ routes: { "*": Behaviour.hang } })
        const services = checks({
          web: `{ type: http, url: "${web.url}/up", interval: 5 minutes, timeout: 5 minutes }`
        })
        const watch = yield* start({ files: config(services) })
        yield* web.awaitRequests(1)
        assertOrderly(yield* stop(watch), "SIGTERM")
      }),
    patience
  )

  it.scopedLive(
    "while it loads what it is made of",
    () =>
      Effect.gen(function* () {
        const watch = yield* start({
          files: {
            "holter.config.yaml": 'plugins: ["./endless.mjs"]\nchecks: { a: { type: endless } }',
            "endless.mjs": `console.error("loading"); await new Promise(() => {})`
          }
        })
        yield* watch.awaitStderr(/loading/)
        assert.strictEqual((yield* stop(watch)).code, 0)
      }),
    patience
  )

  it.scopedLive(
    "while it starts: no check is run any more",
    () =>
      Effect.gen(function* () {
        const { services, web } = yield* healthy
        const silent = yield* FaultyTcp.silent
        const url = `postgresql://a:b@127.0.0.1:${silent.port}/journal`
        const watch = yield* start({ files: config(services, `journal: { url: "${url}" }`) })
        yield* silent.awaitAccepted(1)
        const result = yield* stop(watch)
        assert.strictEqual(result.code, 0, result.stderr)
        assert.match(result.stderr, /shutdown by SIGTERM: /)
        assert.isEmpty(yield* web.requests)
      }),
    patience
  )

  it.scopedLive(
    "while an alert hangs: it is owed, and sent after the next start",
    () =>
      Effect.gen(function* () {
        const telegram = yield* TelegramDouble.make()
        yield* telegram.faultAlways("sendMessage", Behaviour.hang)
        const cwd = yield* TempDir.make("watch")
        const { services, web } = yield* healthy
        yield* web.stop
        const first = yield* start(
          { cwd, files: config(services, alertsTo(telegram)) },
          "--grace",
          "18s"
        )
        yield* telegram.awaitRequests(1)
        const result = yield* stop(first)
        assertOrderly(result, "SIGTERM")
        assert.include(result.stderr, "1 not taken by ops yet: sent after the next start")

        yield* telegram.heal
        const second = yield* start({ cwd })
        const [message] = yield* telegram.awaitMessages(1)
        assert.include(message?.plain, "web is unhealthy")
        assertOrderly(yield* stop(second), "SIGTERM")
        assert.lengthOf(yield* telegram.messages, 1)
      }),
    patience
  )

  it.scopedLive(
    "when nobody reads what it writes",
    () =>
      Effect.gen(function* () {
        const { services, web } = yield* healthy
        const cwd = yield* TempDir.make("watch")
        const prepared = yield* Cli.run(["watch", "--print-shutdown-plan"], {
          cwd,
          files: config(services)
        })
        assert.strictEqual(prepared.code, 0)
        const watch = yield* ManagedProcess.start({
          name: "watch",
          command: process.execPath,
          args: [Cli.bin(), "watch"],
          cwd
        })
        yield* watch.awaitOutput(/ start Holter/, "stdout")
        watch.child.stdout?.destroy()
        yield* web.awaitRequests(1)
        yield* web.stop
        yield* web.start
        yield* web.clear
        yield* web.awaitRequests(2)
        yield* watch.signal("SIGTERM")
        assert.deepStrictEqual(yield* watch.exit, { code: 0, signal: null })
        assert.include(watch.stderr(), "shutdown by SIGTERM: ")
      }),
    patience
  )

  it.scopedLive(
    "by the plan that it prints beforehand",
    () =>
      Effect.gen(function* () {
        const { services } = yield* healthy
        const cwd = yield* TempDir.make("watch")
        const sections = [
          services,
          "backup: { url: sqlite:///bot.db, schedule: '0 3 1 1 *' }",
          "shutdown: { grace: 10 seconds, lameDuck: 0 seconds }"
        ]
        const printed = yield* Cli.run(["watch", "--print-shutdown-plan"], {
          cwd,
          files: config(...sections)
        })
        assert.strictEqual(printed.code, 0)
        assert.isFalse(existsSync(path.join(cwd, "data")), "it started something")
        const watch = yield* start({ cwd }, "--log-level", "debug")
        yield* watch.awaitStdout(/ status web healthy /)
        const { stderr } = yield* stop(watch)
        for (const line of printed.stdout.trimEnd().split("\n")) {
          assert.include(stderr, `message="${line}"`)
        }
        assert.match(printed.stdout, /at most [\d.]+ s of 10 s\n$/)
      }),
    patience
  )
})

describeConcurrentWithServices("postgres", "holter watch, in the middle of a backup", () => {
  /** A backup that pg_dump cannot go on with, as a table is locked. */
  const blocked = (grace: string) =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      const session = yield* server.session()
      yield* session.query("CREATE TABLE users (id int)")
      yield* session.query("BEGIN")
      yield* session.query("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
      const cwd = yield* TempDir.make("watch")
      const { services } = yield* healthy
      const watch = yield* start(
        {
          cwd,
          files: config(
            services,
            `backup: { url: "${server.url}", schedule: "0 3 1 1 *", app: bot }`
          )
        },
        "--grace",
        grace
      )
      yield* watch.awaitStdout(/ backup started$/m)
      yield* awaitBlocked(server)
      return { watch, session, backups: path.join(cwd, "backups") }
    })

  /** Asks until somebody waits for the lock. */
  const awaitBlocked = (server: Effect.Effect.Success<ReturnType<typeof PostgresServer.make>>) =>
    server
      .query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
      .pipe(Effect.repeat({ until: (rows) => rows.length > 0 }))

  it.scopedLive(
    "waits for it",
    () =>
      Effect.gen(function* () {
        const { backups, session, watch } = yield* blocked("30s")
        const below = ProcessTree.descendants(watch.pid)
        yield* watch.signal("SIGTERM")
        yield* watch.awaitStderr(/shutdown: drain: /)
        yield* session.query("COMMIT")
        const result = yield* ended(watch, below)
        assertOrderly(result, "SIGTERM")
        assert.match(result.stderr, /waited for backup \(/)
        assert.match(result.stdout, / backup created bot_postgresql_\S+\.dump: .* 1 table, 0 rows/)
        assert.lengthOf(names(backups), 1)
      }),
    patience
  )

  it.scopedLive(
    "cancels it when its time is over, and leaves nothing of it",
    () =>
      Effect.gen(function* () {
        const { backups, watch } = yield* blocked("18s")
        const result = yield* stop(watch)
        assert.strictEqual(result.code, 1, result.stderr)
        assert.match(result.stderr, /drain +work in flight +\|.*overran/)
        assert.match(result.stderr, /cancelled backup \(/)
        assert.include(result.stdout, " backup cancelled: nothing of it is left")
        assert.include(phases(result), "database")
        assert.deepStrictEqual(names(backups), [])
      }),
    patience
  )

  it.scopedLive(
    "ends at once by a second signal, and names what still runs",
    () =>
      Effect.gen(function* () {
        const { watch } = yield* blocked("30s")
        const below = ProcessTree.descendants(watch.pid)
        yield* watch.signal("SIGTERM")
        yield* watch.awaitStderr(/shutdown: drain: /)
        yield* watch.signal("SIGINT")
        const result = yield* ended(watch, below)
        assert.strictEqual(result.code, 130, result.stderr)
        assert.include(
          result.stderr,
          "holter: SIGINT again: ends at once, drain: work in flight still runs"
        )
      }),
    patience
  )
})
