/** `holter watch` that reads its configuration again: what did not change goes on as it was. */
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import * as TempDir from "../support/TempDir.js"
import { alertsTo, assertOrderly, checks, config, patience, phases, start, stop } from "./watch.js"

const up = HttpDouble.make({ routes: { "*": Behaviour.json(200, {}) } })

const http = ({ url }: HttpDouble.HttpDouble, more = "") =>
  `{ type: http, url: "${url}/up"${more} }`

/** A folder with a configuration, and how to write another one there. */
const folder = Effect.gen(function* () {
  const cwd = yield* TempDir.make("watch")
  const file = path.join(cwd, "holter.config.yaml")
  return {
    cwd,
    file,
    write: (...sections: ReadonlyArray<string>) =>
      Effect.sync(() => {
        writeFileSync(file, config(...sections)["holter.config.yaml"] ?? "")
      }),
    holter: (...args: ReadonlyArray<string>) => Cli.run(args, { cwd, timeout: "1 minute" })
  }
})

/** The first lines of what was told. */
const told = (telegram: TelegramDouble.TelegramDouble) =>
  Effect.map(telegram.messages, (messages) =>
    messages.map(({ plain }) => plain.split("\n")[0]?.replace(/^\W+/, ""))
  )

describe.concurrent("holter watch reads its configuration again", () => {
  it.scopedLive(
    "by SIGHUP: an outage that is open stays one, and ends once",
    () =>
      Effect.gen(function* () {
        const { cwd, write } = yield* folder
        const [web, shop, gone] = [yield* up, yield* up, yield* up]
        const telegram = yield* TelegramDouble.make()
        const alerts = alertsTo(telegram)
        yield* write(checks({ web: http(web), shop: http(shop), gone: http(gone) }), alerts)
        const watch = yield* start({ cwd })
        for (const name of ["web", "shop", "gone"]) {
          yield* watch.awaitStdout(new RegExp(` status ${name} healthy `))
        }
        yield* web.stop
        yield* telegram.awaitMessages(1)
        yield* gone.stop
        yield* telegram.awaitMessages(2)

        // One as it was and down, one changed, one new, one gone while it is down.
        const added = yield* up
        yield* write(
          checks({ web: http(web), shop: http(shop, ", slow: 9 seconds"), added: http(added) }),
          alerts
        )
        yield* watch.signal("SIGHUP")
        yield* watch.awaitStdout(
          / configuration reloaded: .*checks: 1 new \(added\), 1 changed \(shop\), 1 removed \(gone\), 1 as before/
        )
        yield* watch.awaitStdout(/ status added healthy \(was unknown\)/)
        yield* watch.awaitStdout(/ status shop healthy \(was unknown\)/)
        // The end of what is no longer checked, as after a restart.
        yield* telegram.awaitMessages(3)
        yield* web.start
        yield* telegram.awaitMessages(4)
        // More beats than a second message would take.
        yield* added.clear
        yield* added.awaitRequests(4)
        assertOrderly(yield* stop(watch), "SIGTERM")
        const [one = "", two = "", three = "", four = "", ...more] = yield* told(telegram)
        assert.match(one, /web is unhealthy/)
        assert.match(two, /gone is unhealthy/)
        assert.match(three, /gone .*no longer checked/)
        assert.match(four, /web is healthy again/)
        assert.isEmpty(more)
        assert.isNotEmpty(yield* shop.requests)
      }),
    patience
  )

  it.scopedLive(
    "by SIGHUP, whatever flags stand before the command",
    () =>
      Effect.gen(function* () {
        const { cwd, write } = yield* folder
        const web = yield* up
        yield* write(checks({ web: http(web) }))
        const flags = ["--trust-config", "--log-level", "info"]
        const watch = yield* Cli.start([...flags, "watch"], { cwd, timeout: "1 minute" })
        yield* watch.awaitStdout(/ status web healthy /)
        yield* watch.signal("SIGHUP")
        yield* watch.awaitStdout(/ configuration reloaded: /)
        assertOrderly(yield* stop(watch), "SIGTERM")
      }),
    patience
  )

  it.scopedLive(
    "by holter reload, which says what changed, what cannot be used, and who has read it",
    () =>
      Effect.gen(function* () {
        const { cwd, file, holter, write } = yield* folder
        const web = yield* up
        const [telegram, other] = [yield* TelegramDouble.make(), yield* TelegramDouble.make()]
        yield* write(checks({ web: http(web) }), alertsTo(telegram))
        const watch = yield* start({ cwd })
        yield* watch.awaitStdout(/ status web healthy /)

        const same = yield* holter("reload")
        assert.strictEqual(same.code, 0, same.stderr)
        assert.match(
          same.stdout,
          new RegExp(
            `^✅ holter watch, process ${watch.pid} on .*: The configuration \\(${file}\\) was read again\\. No check and no channel is another\\n$`
          )
        )

        yield* write("checks: { web: { type: http, url: s3cr3t-canary, slow: soon } }")
        const bad = yield* holter("reload")
        assert.strictEqual(bad.code, 78, bad.stdout)
        assert.strictEqual(bad.stdout, "")
        assert.match(bad.stderr, new RegExp(`process ${watch.pid} on .* goes on as before:\n`))
        assert.match(bad.stderr, / {2}checks\.web\.slow: expected .*, found "soon"\n/)
        assert.match(bad.stderr, / {2}checks\.web\.url: expected /)
        yield* watch.awaitStdout(/ configuration refused: /)
        yield* watch.awaitStderr(/checks\.web\.slow: expected /)

        // It goes on with what it had: the check, and the channel.
        yield* web.stop
        yield* telegram.awaitMessages(1)
        // The channel is another one now, and so is what needs a restart.
        yield* write(
          checks({ web: http(web) }),
          alertsTo(other),
          "journal: { retain: 2 days }",
          "shutdown: { grace: 40 seconds }"
        )
        const moved = yield* holter("reload")
        assert.strictEqual(moved.code, 0, moved.stderr)
        assert.match(moved.stdout, /channels: 1 changed \(ops\), 1 as before\. /)
        assert.match(moved.stdout, /new in journal and shutdown it needs a restart/)
        // It still runs with what it had at the start.
        assert.match((yield* holter("reload")).stdout, /new in journal and shutdown it needs a/)
        yield* web.start
        const [end] = yield* other.awaitMessages(1)
        assert.include(end?.plain, "web is healthy again")
        assert.lengthOf(yield* telegram.messages, 1)
        assertOrderly(yield* stop(watch), "SIGTERM")
      }),
    patience
  )

  it.scopedLive(
    "not where a plugin cannot be built: all goes on, and the next reload heals it",
    () =>
      Effect.gen(function* () {
        const { cwd, holter, write } = yield* folder
        const web = yield* up
        const broken = path.join(cwd, "broken")
        yield* Effect.sync(() => {
          writeFileSync(path.join(cwd, "fragile.mjs"), fragilePlugin)
        })
        const plugins = "plugins: [./fragile.mjs]"
        const services = { own: "{ type: fragile }" }
        yield* write(plugins, checks(services))
        const watch = yield* start({ cwd })
        yield* watch.awaitStdout(/ status own healthy /)

        yield* Effect.sync(() => {
          writeFileSync(broken, "")
        })
        const others = { own: "{ type: fragile, interval: 2 seconds }", web: http(web) }
        yield* write(plugins, checks(others))
        const refused = yield* holter("reload")
        assert.strictEqual(refused.code, 78, refused.stdout)
        assert.match(refused.stderr, /checks\.own: expected .*, found a fault: it is broken\n/)
        yield* watch.awaitStdout(/ configuration refused: /)
        assert.isEmpty(yield* web.requests)

        rmSync(broken)
        const { code, stdout } = yield* holter("reload")
        assert.strictEqual(code, 0)
        assert.match(stdout, /checks: 1 new \(web\), 1 changed \(own\)/)
        yield* web.awaitRequests(1)
        assertOrderly(yield* stop(watch), "SIGTERM")
      }),
    patience
  )

  it.scopedLive(
    "holter reload says where there is no journal, and so no watch",
    () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* Cli.run(["reload"])
        assert.strictEqual(code, 1)
        assert.match(stderr, /holds nothing yet.*`holter watch` keeps one: start it/)
      }),
    patience
  )

  it.scopedLive(
    "in the middle of a count: the failures before and after open one incident",
    () =>
      Effect.gen(function* () {
        const { cwd, write } = yield* folder
        const [web, shop] = [yield* up, yield* up]
        const telegram = yield* TelegramDouble.make()
        const counted = "interval: 1 second, failureThreshold: 6"
        const services = { web: http(web, `, ${counted}`) }
        yield* write(checks(services), alertsTo(telegram))
        const watch = yield* start({ cwd }, "--verbose")
        yield* watch.awaitStdout(/ status web healthy /)
        yield* web.stop
        yield* watch.awaitStdout(/ nothing \(BelowThreshold\): .*failure 3 of the 6/)
        yield* write(checks({ ...services, shop: http(shop) }), alertsTo(telegram))
        yield* watch.signal("SIGHUP")
        yield* watch.awaitStdout(/ configuration reloaded: /)
        yield* watch.awaitStdout(/ nothing \(BelowThreshold\): .*failure 5 of the 6/)
        yield* telegram.awaitMessages(1)
        const { stdout } = yield* stop(watch)
        assert.lengthOf(stdout.match(/failure 1 of the 6/g) ?? [], 1)
      }),
    patience
  )

  it.scopedLive(
    "while an alert is on its way: it comes once, also where its channel is another one now",
    () =>
      Effect.gen(function* () {
        const { cwd, holter, write } = yield* folder
        const [web, more] = [yield* up, yield* up]
        const receiver = yield* HttpDouble.make({
          routes: { "*": Behaviour.gate("taken", Behaviour.json(200, {})) }
        })
        const alerts = (rest: string) =>
          [
            `alerts:`,
            `  channels: { hook: { type: webhook, url: "${receiver.url}/in", timeout: 20 seconds${rest} } }`,
            "  routes: [{ severity: unhealthy, to: [hook] }]",
            "  limits: { startGrace: 1 millis, groupWindow: 100 millis }"
          ].join("\n")
        yield* write(checks({ web: http(web) }), alerts(""))
        const watch = yield* start({ cwd })
        yield* watch.awaitStdout(/ status web healthy /)
        yield* web.stop
        yield* receiver.awaitRequests(1)
        yield* write(checks({ web: http(web), more: http(more) }), alerts(""))
        const kept = yield* holter("reload")
        assert.match(kept.stdout, /checks: 1 new \(more\), 1 as before\n/)
        yield* write(checks({ web: http(web) }), alerts(", headers: { x-more: one }"))
        const changed = yield* holter("reload")
        assert.match(changed.stdout, /channels: 1 changed \(hook\), 1 as before\n/)
        yield* receiver.release("taken")
        yield* web.start
        // Its end comes by the new one, and after it.
        const [first, second] = yield* receiver.awaitRequests(2)
        assert.isUndefined(first?.headers["x-more"])
        assert.strictEqual(second?.headers["x-more"], "one")
        assertOrderly(yield* stop(watch), "SIGTERM")
        assert.lengthOf(yield* receiver.requests, 2)
      }),
    patience
  )

  it.scopedLive(
    "and begins, changes and ends backups and the dead man's switch, with their part of the shutdown",
    () =>
      Effect.gen(function* () {
        const { cwd, holter, write } = yield* folder
        const [web, ping, other] = [yield* up, yield* up, yield* up]
        const database = new Sqlite(path.join(cwd, "bot.db"))
        database.exec("CREATE TABLE t (id INTEGER)")
        database.close()
        const services = checks({ web: http(web) })
        const switched = ({ url }: HttpDouble.HttpDouble) =>
          `alerts: { deadMan: { url: "${url}/ping", interval: 1 minute } }`
        const backup = (app: string) =>
          `backup: { url: "sqlite:///bot.db", app: ${app}, schedule: "0 3 1 1 *" }`
        yield* write(services)
        const watch = yield* start({ cwd })
        yield* watch.awaitStdout(/ status web healthy /)

        yield* write(services, switched(ping), backup("one"))
        const added = yield* holter("reload")
        assert.match(
          added.stdout,
          /dead man's switch: 1 new .*; scheduled backups: 1 new \(backups\)\n/,
          added.stderr
        )
        yield* ping.awaitRequests(2)
        yield* watch.awaitStdout(/ backup created one_sqlite_/)

        yield* write(services, switched(other), backup("two"))
        yield* holter("reload")
        yield* other.awaitRequests(2)
        yield* watch.awaitStdout(/ backup created two_sqlite_/)
        const paths = (yield* ping.requests).map((request) => request.url)
        assert.deepStrictEqual(paths.slice(-1), ["/ping/log"])

        yield* write(services, switched(other))
        assert.match((yield* holter("reload")).stdout, /scheduled backups: 1 removed \(backups\)\n/)
        const result = yield* stop(watch)
        assertOrderly(result, "SIGTERM")
        assert.include(phases(result), "intake")
        // Its last word is said by its part of the shutdown.
        assert.deepStrictEqual((yield* other.requests).at(-1)?.url, "/ping/log")
      }),
    patience
  )

  it.scopedLive(
    "on a terminal, where a signal would end it: the table has the new rows",
    () =>
      Effect.gen(function* () {
        const { cwd, holter, write } = yield* folder
        const [web, shop] = [yield* up, yield* up]
        yield* write(checks({ web: http(web) }))
        const watch = yield* Cli.startPty(["watch"], { cwd })
        yield* watch.awaitStdout(/✅ healthy.* web /)
        yield* write("name: New Bot", checks({ shop: http(shop) }))
        const { code, stderr } = yield* holter("reload")
        assert.strictEqual(code, 0, stderr)
        yield* watch.awaitStdout(/New Bot {10,}/)
        yield* watch.awaitStdout(/✅ healthy.* shop /)
        yield* watch.type("\u0003")
        assert.strictEqual((yield* watch.exit).code, 0)
      }),
    patience
  )

  it.scopedLive(
    "not where its file is gone, and not from the environment alone",
    () =>
      Effect.gen(function* () {
        const { cwd, file, holter, write } = yield* folder
        const web = yield* up
        yield* write(checks({ web: http(web) }))
        const watch = yield* start({ cwd })
        yield* watch.awaitStdout(/ status web healthy /)
        rmSync(file)
        const { code, stderr } = yield* holter("reload")
        assert.strictEqual(code, 78, stderr)
        assert.include(stderr, `${file}) cannot be used`)
        assert.match(stderr, /expected the configuration file that is in use, found no such file/)
        yield* web.clear
        yield* web.awaitRequests(2)
        assertOrderly(yield* stop(watch), "SIGTERM")
      }),
    patience
  )

  it.scopedLive(
    "by a SIGHUP that comes while it starts, and does not end it",
    () =>
      Effect.gen(function* () {
        const { cwd, write } = yield* folder
        const [web, more] = [yield* up, yield* up]
        yield* Effect.sync(() => {
          writeFileSync(path.join(cwd, "slow.mjs"), slowPlugin)
        })
        const plugins = "plugins: [./slow.mjs]"
        yield* write(plugins, checks({ web: http(web) }))
        const watch = yield* start({ cwd })
        yield* watch.awaitStderr(/loading/)
        yield* watch.signal("SIGHUP")
        yield* write(plugins, checks({ web: http(web), more: http(more) }))
        yield* Effect.sync(() => {
          writeFileSync(path.join(cwd, "go"), "")
        })
        yield* watch.awaitStdout(/ configuration reloaded: .*checks: 1 new \(more\), 1 as before/)
        yield* more.awaitRequests(1)
        assertOrderly(yield* stop(watch), "SIGTERM")
      }),
    patience
  )
})

/** Is loaded once there is a file `go`. */
const slowPlugin = `
import { existsSync } from "node:fs"
import { Check } from "${path.resolve("dist/index.js")}"
import { Effect, Layer, Schema } from "${path.resolve("node_modules/effect/dist/esm/index.js")}"
console.error("loading")
while (!existsSync("go")) await new Promise((done) => setTimeout(done, 20))
export const slow = Check.make("slow", { description: "Slow", config: {}, error: Schema.Never, services: () => Layer.empty, probe: () => Effect.never })
`

/** Cannot be built while there is a file `broken`. */
const fragilePlugin = `
import { existsSync } from "node:fs"
import { Check, Outcome } from "${path.resolve("dist/index.js")}"
import { Effect, Layer, Schema } from "${path.resolve("node_modules/effect/dist/esm/index.js")}"
const services = () => Layer.effectDiscard(Effect.sync(() => { if (existsSync("broken")) throw new Error("it is broken") }))
export const fragile = Check.make("fragile", { description: "Fragile", config: {}, error: Schema.Never, services, probe: () => Effect.succeed(Outcome.healthy("fine")) })
`
