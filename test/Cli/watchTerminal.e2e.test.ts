/** `holter watch` on a terminal: the live table, and a cursor that always comes back. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { stripVTControlCharacters } from "node:util"
import * as Cli from "../support/Cli.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as ProcessTree from "../support/ProcessTree.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import * as TempDir from "../support/TempDir.js"
import { Terminal } from "./terminal.js"
import { alertsTo, checks, config, patience } from "./watch.js"

const ctrlC = "\u0003"

/** Two services on a terminal, of which one is down. */
const shown = (...sections: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const web = yield* HttpDouble.make({ routes: { "*": Behaviour.json(200, {}) } })
    const shop = yield* HttpDouble.make()
    yield* shop.stop
    const files = config(
      "name: Price Bot",
      checks({
        web: `{ type: http, url: "${web.url}/up" }`,
        shop: `{ type: http, url: "${shop.url}/up" }`
      }),
      ...sections
    )
    const watch = yield* Cli.startPty(["watch", "--grace", "18s"], { files })
    yield* watch.awaitStdout(/❌ unhealthy.*shop .*x.*xx/)
    return watch
  })

/** Ctrl-S: from now on the terminal takes nothing, and a write to it would wait. */
const ctrlS = "\u0013"

/** Starts its arguments on the terminal that it has, and notes how they ended, whatever became of it. */
const keeper = `
const { spawn } = require("node:child_process")
const { writeFileSync } = require("node:fs")
const child = spawn(process.execPath, process.argv.slice(2), { stdio: "inherit" })
process.on("SIGHUP", () => child.kill("SIGHUP"))
child.on("exit", (code, signal) => writeFileSync("ended", \`\${code} \${signal}\`))
`

const assertCursorBack = (stdout: string) => {
  assert.include(stdout, "\u001b[?25l")
  assert.isAbove(stdout.lastIndexOf("\u001b[?25h"), stdout.lastIndexOf("\u001b[?25l"))
}

describe.concurrent("holter watch on a terminal", () => {
  it.scopedLive(
    "shows the table below what it says, and leaves its last state",
    () =>
      Effect.gen(function* () {
        const always = 'from: "2020-01-01T00:00:00Z", until: "2099-01-01T00:00:00Z"'
        const watch = yield* shown(
          `alerts: { maintenance: [{ name: long, ${always}, services: [web] }] }`
        )
        yield* watch.awaitStdout(/\(maintenance\)/)
        yield* watch.type(ctrlC)
        const result = yield* watch.exit
        assert.strictEqual(result.code, 0, result.stdout)
        assertCursorBack(result.stdout)

        const terminal = new Terminal(100)
        terminal.write(result.stdout)
        const lines = terminal.lines().map(stripVTControlCharacters)
        const at = lines.findIndex((line) => line.startsWith("STATUS "))
        assert.match(lines[at - 2] ?? "", /^Price Bot {10,}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/)
        assert.match(lines[at] ?? "", /^STATUS +SERVICE +SINCE +RESPONSE +BEATS +MESSAGE$/)
        assert.match(lines[at + 1] ?? "", /^❌ unhealthy +shop +.*s +\d+ ms +xx+ /)
        assert.match(
          lines[at + 2] ?? "",
          /^✅ healthy +web +.*s +\d+ ms +[▁▂▃▄▅▆▇█x]+ +\(maintenance\) /
        )
        assert.strictEqual(lines[at + 4], "❌ Unhealthy: shop")
        // One table, with the lines above it, and the report of the shutdown below.
        assert.lengthOf(
          lines.filter((line) => line.startsWith("STATUS ")),
          1
        )
        const above = lines.slice(0, at).join("\n")
        assert.match(above, / status web healthy \(was unknown\)/)
        assert.match(above, / stop: SIGINT/)
        assert.match(lines.slice(at + 5).join("\n"), /shutdown by SIGINT: /)
      }),
    patience
  )

  it.scopedLive(
    "brings the cursor back when a second signal ends it at once",
    () =>
      Effect.gen(function* () {
        const telegram = yield* TelegramDouble.make()
        yield* telegram.faultAlways("sendMessage", Behaviour.hang)
        const watch = yield* shown(alertsTo(telegram))
        yield* telegram.awaitRequests(1)
        yield* watch.type(ctrlC)
        yield* watch.awaitStdout(/shutdown: bot: /)
        yield* watch.type(ctrlC)
        const result = yield* watch.exit
        assert.strictEqual(result.code, 130, result.stdout)
        assert.include(result.stdout, "SIGINT again: ends at once, bot: unsent alerts still runs")
        assertCursorBack(result.stdout)
      }),
    patience
  )

  it.scopedLive(
    "says one line after the other where the terminal cannot move its cursor",
    () =>
      Effect.gen(function* () {
        const web = yield* HttpDouble.make({ routes: { "*": Behaviour.json(200, {}) } })
        const watch = yield* Cli.startPty(["watch"], {
          env: { TERM: "dumb" },
          files: config(checks({ web: `{ type: http, url: "${web.url}/up" }` }))
        })
        yield* watch.awaitStdout(/ status web healthy /)
        yield* watch.type(ctrlC)
        const { code, stdout } = yield* watch.exit
        assert.strictEqual(code, 0)
        assert.notInclude(stdout, "\u001b")
      }),
    patience
  )

  it.scopedLive(
    "checks, alerts and ends while the terminal takes nothing",
    () =>
      Effect.gen(function* () {
        const web = yield* HttpDouble.make({ routes: { "*": Behaviour.json(200, {}) } })
        const telegram = yield* TelegramDouble.make()
        const watch = yield* Cli.startPty(["watch"], {
          files: config(checks({ web: `{ type: http, url: "${web.url}/up" }` }), alertsTo(telegram))
        })
        yield* watch.awaitStdout(/✅ healthy.* web /)
        yield* watch.type(ctrlS)
        yield* web.stop
        const [message] = yield* telegram.awaitMessages(1)
        assert.include(message?.text ?? "", "web is unhealthy")
        const [node] = ProcessTree.descendants(watch.pid)
        process.kill(node ?? 0, "SIGTERM")
        assert.strictEqual((yield* watch.exit).code, 0)
      }),
    patience
  )

  it.scopedLive(
    "ends in order when the terminal is closed",
    () =>
      Effect.gen(function* () {
        const web = yield* HttpDouble.make({ routes: { "*": Behaviour.json(200, {}) } })
        const cwd = yield* TempDir.make("hangup")
        writeFileSync(path.join(cwd, "keeper.cjs"), keeper)
        const watch = yield* Cli.startPty([Cli.bin(), "watch"], {
          bin: path.join(cwd, "keeper.cjs"),
          cwd,
          files: config(checks({ web: `{ type: http, url: "${web.url}/up" }` }))
        })
        yield* watch.awaitStdout(/✅ healthy.* web /)
        yield* watch.signal("SIGKILL")
        const ended = path.join(cwd, "ended")
        yield* Effect.sync(() => existsSync(ended)).pipe(
          Effect.repeat({ until: (there) => there, schedule: Schedule.spaced("20 millis") }),
          Effect.timeout("20 seconds")
        )
        assert.strictEqual(readFileSync(ended, "utf8"), "0 null")
      }),
    patience
  )
})
