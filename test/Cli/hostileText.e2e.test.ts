/** Texts of others that are written to look like Holter's own lines, on a terminal and in cron's mail. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import Sqlite from "better-sqlite3"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import { PostgresServer } from "../support/PostgresServer.js"
import { describeConcurrentWithServices } from "../support/Services.js"
import * as TempDir from "../support/TempDir.js"

/** Sets the title, goes up and clears a line, forges one, and turns the direction of what follows. */
const forged =
  "q\u001b]0;owned\u0007\u001b[1A\u001b[2K\n✅ all backups verified\r\u009b31m\u202etxt.exe\u200b"

const isClean = (written: string, context: string): void => {
  assert.notMatch(
    written,
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069]/,
    context
  )
  assert.notMatch(written, /^✅ all backups/m, context)
}

/** A terminal gets sequences of Holter's own: colours, and the line of progress. */
const ownSequences = /\u001b\[(?:\d*(?:;\d+)*m|[0-9]*[KJGA]|\?25[lh])|\r/g

describe.concurrent("a text of somebody else", () => {
  it.scopedLive("as the name of a SQLite table writes no line of its own", () =>
    Effect.gen(function* () {
      const cwd = yield* TempDir.make("hostile")
      const database = new Sqlite(path.join(cwd, "bot.db"))
      const name = `"${forged}"`
      database.exec(`CREATE TABLE ${name} (a); CREATE TABLE kept (a)`)
      database.exec(`INSERT INTO ${name} VALUES (1), (2), (3); INSERT INTO kept VALUES (1)`)
      const options = { cwd, env: { DATABASE_URL: "sqlite:///bot.db" } }
      yield* Cli.run(["backup", "create"], options)
      database.exec(`DELETE FROM ${name}`)
      database.close()
      for (const args of [["create"], ["list"], ["drill"], ["restore", "--latest", "--yes"]]) {
        const context = args.join(" ")
        const { stderr, stdout } = yield* Cli.run(["backup", ...args], options)
        isClean(stdout, context)
        isClean(stderr, context)
      }
      for (const command of ["create", "list"]) {
        const { stdout } = yield* Cli.pty(["backup", command], options)
        isClean(stdout.replaceAll(ownSequences, ""), `${command}, on a terminal`)
      }
      const { stdout } = yield* Cli.run(["backup", "list", "--json"], options)
      isClean(stdout, "list --json")
      const tables: ReadonlyArray<string> =
        JSON.stringify(JSON.parse(stdout)).match(/q\\u001b[^"]*/g) ?? []
      assert.isNotEmpty(tables, "the JSON has the whole name")
    })
  )

  it.scopedLive("in the answer of a server, and the output of a command, neither", () =>
    Effect.gen(function* () {
      const hook = yield* HttpDouble.makeProcess({
        routes: { "*": Behaviour.text(400, forged) }
      })
      const cwd = yield* TempDir.make("hostile")
      const config = {
        checks: {
          web: { type: "http", url: hook.url, expect: { status: [200], text: "up" } },
          script: {
            type: "command",
            command: ["/bin/sh", "-c", 'printf "%s" "$1"; exit 2', "sh", forged]
          }
        },
        alerts: {
          channels: {
            hook: { type: "webhook", url: hook.url },
            page: {
              type: "command",
              command: ["/bin/sh", "-c", 'printf "%s" "$1" >&2; exit 1', "sh", forged]
            }
          },
          routes: [{ severity: "unhealthy", to: ["hook", "page"] }]
        }
      }
      const options = { cwd, files: { "holter.config.json": JSON.stringify(config) } }
      for (const args of [
        ["check"],
        ["check", "--cron"],
        ["alerts", "test", "hook"],
        ["alerts", "test", "page"]
      ]) {
        const result = yield* Cli.run(args, options)
        assert.notStrictEqual(result.code, 0, args.join(" "))
        isClean(result.stdout, args.join(" "))
        isClean(result.stderr, args.join(" "))
      }
    })
  )
})

describeConcurrentWithServices("postgres", "an error of PostgreSQL", () => {
  it.scopedLive("with a text of somebody else in it writes no line of its own", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      const app = yield* server.session("app")
      yield* app.query(
        `CREATE TABLE "${forged.slice(0, 40)}" (a int); INSERT INTO "${forged.slice(0, 40)}" VALUES (1)`
      )
      const options = { cwd: yield* TempDir.make("hostile"), env: { DATABASE_URL: server.url } }
      yield* Cli.run(["backup", "create"], options)
      yield* app.query(`DELETE FROM "${forged.slice(0, 40)}"`)
      for (const args of [["create"], ["list"], ["drill"]]) {
        const { stderr, stdout } = yield* Cli.run(["backup", ...args], options)
        isClean(stdout + stderr, args.join(" "))
      }
    })
  )
})
