/** The SQLite strategy, with a child process that meets faults, and databases for it. */
import { NodeContext } from "@effect/platform-node"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Strategy from "../../src/Backup/BackupStrategy/Sqlite.js"
import { ChildProgram } from "../../src/Backup/BackupStrategy/Sqlite/ChildProgram.js"
import { text } from "../../src/Backup/BackupStrategy/Sqlite/child/text.js"

export const strategy = (path: string, options?: Strategy.Options) =>
  Strategy.make({ _tag: "Sqlite", path }, options).pipe(Effect.provide(NodeContext.layer))

/** The strategy with a child that runs a script of the test's before all else, on each thread. */
export const scripted = (path: string, script: string, options?: Strategy.Options) =>
  Strategy.make({ _tag: "Sqlite", path }, options).pipe(
    Effect.provide([
      NodeContext.layer,
      Layer.succeed(ChildProgram, { text: `{ ${script} }\n${text}`, from: [import.meta.url] })
    ])
  )

/** Moments of a restore: with the lock and nothing written, with half of it written, when it is committed. */
export type Moment = "locked" | "halfway" | "committed"

/** The strategy with a child that runs `script` at a moment, on its thread of SQLite. */
export const faulty = (
  path: string,
  given: Strategy.Options & {
    readonly moment: Moment
    readonly script: string
    /** Run before all else, on each thread. */
    readonly prelude?: string
  }
) =>
  scripted(
    path,
    `${given.prelude ?? ""}
const Sqlite = require(carried.driver)
const { backup } = Sqlite.prototype
Sqlite.prototype.backup = function (file, { progress }) {
  const met = new Set()
  const meet = (moment) => {
    if (moment !== ${JSON.stringify(given.moment)} || met.has(moment)) return
    met.add(moment)
    ${given.script}
  }
  let isLocked = false
  const watched = (state) => {
    const pages = progress(state)
    meet(isLocked ? "halfway" : "locked")
    isLocked = true
    return pages
  }
  return backup.call(this, file, { progress: watched }).then((done) => {
    if (done.totalPages > 0) meet("committed")
    return done
  })
}`,
    given
  )

/** Makes or opens a database in this process, for as long as the call lasts. */
export const inDatabase = <A>(path: string, use: (database: Sqlite.Database) => A): A => {
  const database = new Sqlite(path)
  try {
    return use(database)
  } finally {
    database.close()
  }
}

export const value = (database: Sqlite.Database, sql: string): unknown =>
  database.prepare(sql).pluck().get()

/** Rows of mixed text and JSON. */
export const fill = (database: Sqlite.Database, rows: number): void => {
  database.exec(
    "CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, title TEXT, data TEXT, created INTEGER);" +
      "CREATE INDEX IF NOT EXISTS items_title ON items (title, created)"
  )
  database
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO items (title, data, created)
       SELECT 'item ' || (i % 97), json_object('number', i, 'key', hex(randomblob(40))), i FROM n`
    )
    .run(rows)
}
