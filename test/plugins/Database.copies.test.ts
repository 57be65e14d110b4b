/** A second copy of better-sqlite3 in the process of a check. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Redacted } from "effect"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import * as Database from "../../src/plugins/Database.js"
import { inDatabase } from "../support/SqliteBackup.js"
import * as TempDir from "../support/TempDir.js"

const require = createRequire(import.meta.url)
const folderOf = (name: string) => path.dirname(require.resolve(`${name}/package.json`))

/** A real one: its own code and its own binary. */
const installSecond = (project: string) => {
  for (const name of ["better-sqlite3", "bindings", "file-uri-to-path"]) {
    const target = path.join(project, "node_modules", name)
    fs.cpSync(folderOf(name), target, {
      recursive: true,
      filter: (file) => !/[/\\](deps|src|obj|obj\.target)$/.test(file)
    })
  }
  return path.join(project, "node_modules", "better-sqlite3")
}

describe("a check of a SQLite file by its URL", () => {
  it.scopedLive("warns once of a second copy of better-sqlite3, with the line that mends it", () =>
    Effect.gen(function* () {
      const project = fs.realpathSync(yield* TempDir.make("copies"))
      const file = path.join(project, "bot.db")
      inDatabase(file, (database) => database.exec("CREATE TABLE items (id INTEGER)"))
      const said: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        said.push(`${logLevel.label} ${String(message)}`)
      })
      const client = yield* Layer.build(
        Database.layerClientUrl({ url: Redacted.make(`sqlite:///${file}`) })
      )
      const { withSession } = Context.get(client, Database.DatabaseClient)
      const ask = withSession((session) => session.query("SELECT count(*) AS n FROM items")).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      yield* ask
      assert.deepStrictEqual(said, [])
      const second = installSecond(project)
      const Sqlite = require(second) as typeof import("better-sqlite3")
      new Sqlite(":memory:").close()
      yield* ask
      yield* ask
      assert.strictEqual(said.length, 1)
      const [warning = ""] = said
      const { version } = require("better-sqlite3/package.json") as { readonly version: string }
      assert.match(warning, /^WARN Two copies of better-sqlite3 are loaded/)
      assert.include(warning, `${version} in ${folderOf("better-sqlite3")}`)
      assert.include(warning, `${version} in ${second}`)
      assert.include(warning, "Database.layerSqlClient")
      assert.include(warning, `npm install better-sqlite3@${version}`)
    })
  )
})
