import { assert, describe, it } from "@effect/vitest"
import type Sqlite from "better-sqlite3"
import { DateTime, Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { inDatabase, strategy, value } from "../../support/SqliteBackup.js"
import * as SqliteProcess from "../../support/SqliteProcess.js"
import * as TempDir from "../../support/TempDir.js"

const silent = () => Effect.void
const gzip = { compression: "gzip", level: undefined, onProgress: silent } as const
const quick = { deep: false, onProgress: silent }
const deep = { deep: true, onProgress: silent }
const startedAt = DateTime.unsafeMake("2026-01-02T03:04:05.678Z")
const restoring = { startedAt, replaceDamaged: false, onProgress: silent }

const withFunction = (sql: string) => (file: string, mode: string) =>
  inDatabase(file, (database: Sqlite.Database) => {
    database.pragma(`journal_mode = ${mode}`)
    database.function("mine", { deterministic: true }, (given: unknown) => given)
    database.exec(`${sql}; INSERT INTO t (a) VALUES (1), (2), (3)`)
  })

const byPython = (statements: string) => (file: string, mode: string) =>
  execFileSync("python3", [
    "-c",
    `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("PRAGMA journal_mode = ${mode}")
database.create_collation("mine", lambda a, b: (a > b) - (a < b))
database.executescript("""${statements}""")
database.commit()
database.close()`,
    file
  ])

/** A program's database that SQLite alone cannot check or copy in full, and whether it says so. */
const databases: Readonly<
  Record<string, { readonly make: (file: string, mode: string) => unknown; readonly told: RegExp }>
> = {
  "a generated column": {
    make: withFunction(
      "CREATE TABLE t (a, b AS (mine(a)) STORED, c AS (mine(a)) VIRTUAL NOT NULL)"
    ),
    told: /not checked: table t \(unknown function: mine\(\)\)/
  },
  "an index on an expression": {
    make: withFunction("CREATE TABLE t (a); CREATE INDEX i ON t (mine(a))"),
    told: /page by page/
  },
  "a partial index": {
    make: withFunction("CREATE TABLE t (a); CREATE INDEX i ON t (a) WHERE mine(a) > 0"),
    told: /page by page/
  },
  "a CHECK": {
    make: withFunction("CREATE TABLE t (a CHECK (mine(a) > 0))"),
    told: /page by page/
  },
  "a collation": {
    make: byPython(
      `CREATE TABLE t (a TEXT COLLATE mine PRIMARY KEY, b); CREATE INDEX i ON t (b COLLATE mine);
       CREATE TABLE w (a TEXT COLLATE mine PRIMARY KEY) WITHOUT ROWID; INSERT INTO w VALUES ('x');
       INSERT INTO t VALUES ('1', 1), ('2', 2), ('3', 3)`
    ),
    told: /not checked: table t \(no such collation sequence: mine\)/
  },
  "a virtual table": {
    make: (file, mode) => {
      withFunction("CREATE TABLE t (a); CREATE VIRTUAL TABLE v USING fts5(x)")(file, mode)
      inDatabase(file, (database) => {
        database.unsafeMode()
        database.pragma("writable_schema = ON")
        database.exec("UPDATE sqlite_schema SET sql = replace(sql, 'fts5', 'absent')")
      })
    },
    told: /not checked: virtual table v \(no such module: absent\)/
  }
}

/** As SQLite reads it without the program. */
const rows = (file: string) =>
  inDatabase(file, (database) => value(database, "SELECT count(*) FROM t NOT INDEXED"))

describe("SQLite databases that need what their program brings along", () => {
  for (const [what, { make, told }] of Object.entries(databases)) {
    for (const copy of ["vacuum", "frozen"] as const) {
      for (const mode of copy === "frozen" && what !== "a collation" ? [] : ["wal", "delete"]) {
        it.scopedLive(`for ${what} are backed up and restored, in ${mode} mode, by ${copy}`, () =>
          Effect.gen(function* () {
            const directory = yield* TempDir.make("sqlite")
            const file = path.join(directory, "bot.db")
            make(file, mode)
            const sqlite = yield* strategy(file, { copy })
            assert.strictEqual((yield* sqlite.present)._tag, "Readable")
            const target = path.join(directory, "p.db.gz")
            const dump = yield* sqlite.dump({ ...gzip, path: target })
            assert.deepInclude(dump.tables, { name: "t", rows: 3 })
            if (what === "a collation") {
              assert.deepInclude(dump.tables, { name: "w", rows: 1 })
            }
            if (copy === "vacuum" || what === "a collation") {
              assert.match(dump.warnings.join("\n"), told)
            }
            const payload = { path: target, compression: "gzip", dump } as const
            yield* sqlite.verify(payload, deep)
            const drilled = yield* sqlite.drill(payload, { onProgress: silent })
            assert.deepStrictEqual(drilled.tables, dump.tables)
            // While somebody has it open, and into nothing.
            const other = yield* SqliteProcess.open(file)
            yield* other.sql("CREATE TABLE later (x)")
            yield* other.sql("INSERT INTO later VALUES (1)")
            const restored = yield* sqlite.restore(payload, restoring)
            assert.deepStrictEqual(restored.tables, dump.tables)
            assert.strictEqual(rows(file), 3)
            const empty = yield* strategy(path.join(directory, "new.db"))
            yield* empty.restore(payload, restoring)
            assert.strictEqual(rows(path.join(directory, "new.db")), 3)
            assert.deepStrictEqual(
              fs.readdirSync(directory).filter((name) => /scratch|copy/.test(name)),
              []
            )
          })
        )
      }
    }
  }

  it.scopedLive("are restored over pages of another size where that can be done", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      withFunction("CREATE TABLE t (a); CREATE INDEX i ON t (mine(a))")(file, "delete")
      const sqlite = yield* strategy(file)
      const target = path.join(directory, "p.db.gz")
      const dump = yield* sqlite.dump({ ...gzip, path: target })
      const payload = { path: target, compression: "gzip", dump } as const
      for (const mode of ["delete", "wal"]) {
        const other = path.join(directory, `${mode}.db`)
        inDatabase(other, (database) => {
          database.pragma("page_size = 1024")
          database.pragma(`journal_mode = ${mode}`)
          database.exec("CREATE TABLE x (y); INSERT INTO x VALUES (1)")
        })
        const into = yield* strategy(other)
        const result = yield* Effect.either(into.restore(payload, restoring))
        if (mode === "delete") {
          assert.strictEqual(result._tag, "Right")
          assert.strictEqual(rows(other), 3)
          assert.strictEqual(
            inDatabase(other, (database) => value(database, "PRAGMA quick_check")),
            "ok"
          )
        } else {
          assert.strictEqual(result._tag === "Left" && result.left.reason, "Mismatch")
          inDatabase(other, (database) =>
            assert.strictEqual(value(database, "SELECT count(*) FROM x"), 1)
          )
        }
      }
    })
  )

  it.scopedLive("are still told from damaged ones", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      withFunction(
        "CREATE TABLE big (x); CREATE TABLE t (a, c AS (mine(a)) VIRTUAL NOT NULL); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO big SELECT hex(randomblob(500)) FROM n"
      )(file, "delete")
      const bytes = fs.readFileSync(file)
      bytes.fill(0xaa, 40_960, 90_000)
      fs.writeFileSync(file, bytes)
      const sqlite = yield* strategy(file)
      assert.strictEqual((yield* sqlite.present)._tag, "Damaged")
      const failed = yield* Effect.flip(sqlite.dump({ ...gzip, path: path.join(directory, "p") }))
      assert.strictEqual(failed.reason, "Damaged")
    })
  )
})

describe("rows that break the rules of their own table", () => {
  const broken = (file: string) =>
    inDatabase(file, (database) => {
      database.exec("CREATE TABLE t (a CHECK (a > 0))")
      database.pragma("ignore_check_constraints = ON")
      database.exec("INSERT INTO t VALUES (-1), (1)")
      database.exec("CREATE TABLE n (id INTEGER PRIMARY KEY, a); INSERT INTO n (a) VALUES (NULL)")
      database.unsafeMode()
      database.pragma("writable_schema = ON")
      database.exec("UPDATE sqlite_schema SET sql = replace(sql, ', a)', ', a NOT NULL)')")
    })

  it.scopedLive("are no damage: kept, restored, and told by a deep check", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      broken(file)
      const sqlite = yield* strategy(file)
      assert.strictEqual((yield* sqlite.present)._tag, "Readable")
      const target = path.join(directory, "p.db.gz")
      const dump = yield* sqlite.dump({ ...gzip, path: target })
      assert.deepStrictEqual(dump.warnings, ["integrity: NULL value in n.a"])
      const payload = { path: target, compression: "gzip", dump } as const
      yield* sqlite.verify(payload, quick)
      const { warnings } = yield* sqlite.verify(payload, deep)
      assert.deepStrictEqual(warnings.toSorted(), [
        "integrity: CHECK constraint failed in t",
        "integrity: NULL value in n.a"
      ])
      inDatabase(file, (database) => database.exec("DELETE FROM t"))
      const restored = yield* sqlite.restore(payload, restoring)
      assert.deepInclude(restored.tables, { name: "t", rows: 2 })
      // Of a backup without a record as well.
      const { warnings: bare } = yield* sqlite.verify({ ...payload, dump: undefined }, deep)
      assert.lengthOf(bare, 2)
    })
  )
})
