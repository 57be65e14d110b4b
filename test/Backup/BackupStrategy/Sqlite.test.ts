import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { gunzipSync, gzipSync } from "node:zlib"
import type { BackupError } from "../../../src/Backup/BackupError.js"
import type * as Manifest from "../../../src/Backup/Manifest.js"
import type { Payload } from "../../../src/Backup/BackupStrategy/Strategy.js"
import { fill, inDatabase, strategy, value } from "../../support/SqliteBackup.js"
import * as SqliteProcess from "../../support/SqliteProcess.js"
import * as TempDir from "../../support/TempDir.js"

const silent = () => Effect.void
const gzip = { compression: "gzip", level: undefined, onProgress: silent } as const
const quick = { deep: false, onProgress: silent }
const deep = { deep: true, onProgress: silent }

const payload = (file: string, dump?: Manifest.Dump): Payload => ({
  path: file,
  compression: dump?.compression ?? (file.endsWith("gz") ? "gzip" : "none"),
  dump
})

const reason = <A>(self: Effect.Effect<A, BackupError>) =>
  Effect.map(Effect.flip(self), (error) => error.reason)

/** Everything that a copy can lose. */
const peculiar = (file: string, mode: "wal" | "delete") =>
  inDatabase(file, (database) => {
    database.pragma(`journal_mode = ${mode}`)
    database.exec(`
      CREATE TABLE plain (a TEXT, b TEXT);
      INSERT INTO plain (rowid, a) VALUES (5, 'five'), (70, 'seventy');
      CREATE TABLE keyed (k TEXT PRIMARY KEY, v INTEGER, twice INTEGER GENERATED ALWAYS AS (v * 2) STORED,
        half REAL GENERATED ALWAYS AS (v / 2.0) VIRTUAL) WITHOUT ROWID;
      INSERT INTO keyed (k, v) VALUES ('one', 1), ('two', 2);
      CREATE VIRTUAL TABLE notes USING fts5(body);
      INSERT INTO notes VALUES ('a heart that beats'), ('another one');
      CREATE VIRTUAL TABLE places USING rtree(id, x1, x2);
      CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT);
      CREATE TRIGGER on_plain AFTER INSERT ON plain BEGIN INSERT INTO log (what) VALUES (new.a); END;
      CREATE VIEW seen AS SELECT k, half FROM keyed;
      CREATE UNIQUE INDEX lower_k ON keyed (lower(k)) WHERE v > 0;
      CREATE TABLE "odd ""name" (x); INSERT INTO "odd ""name" VALUES (1);
      PRAGMA user_version = 42; PRAGMA application_id = 4711;`)
    database.exec("INSERT INTO plain VALUES ('late', 'row')")
    fill(database, 2000)
  })

const look = (file: string) =>
  inDatabase(file, (database) => ({
    check: value(database, "PRAGMA integrity_check"),
    rowids: database.prepare("SELECT rowid, a FROM plain ORDER BY rowid").raw().all(),
    keyed: database.prepare("SELECT * FROM keyed").raw().all(),
    found: value(database, "SELECT rowid FROM notes WHERE notes MATCH 'beats'"),
    logged: value(database, "SELECT what FROM log"),
    seen: database.prepare("SELECT * FROM seen").raw().all(),
    version: database.pragma("user_version", { simple: true }),
    application: database.pragma("application_id", { simple: true }),
    items: value(database, "SELECT count(*) || sum(length(data)) FROM items"),
    schema: database.prepare("SELECT sql FROM sqlite_schema ORDER BY name").pluck().all()
  }))

const left = (directory: string) => fs.readdirSync(directory).sort()

describe("SQLite dumps", () => {
  for (const mode of ["wal", "delete"] as const) {
    for (const copy of ["vacuum", "frozen"] as const) {
      it.scopedLive(`hold all of a database in ${mode} mode, by ${copy}`, () =>
        Effect.gen(function* () {
          const directory = yield* TempDir.make("sqlite")
          const file = path.join(directory, "bot.db")
          peculiar(file, mode)
          const sqlite = yield* strategy(file, { copy })
          const target = path.join(directory, ".partial-1")
          const dump = yield* sqlite.dump({ ...gzip, path: target })
          assert.strictEqual(dump.strategy, copy === "vacuum" ? "vacuum-into" : "frozen-copy")
          assert.deepInclude(dump.database, { engine: "sqlite", name: "bot.db" })
          assert.deepInclude(dump.tables, { name: "items", rows: 2000 })
          assert.deepInclude(dump.tables, { name: "plain", rows: 3 })
          assert.deepInclude(dump.tables, { name: 'odd "name', rows: 1 })
          assert.deepStrictEqual(dump.warnings, [])
          assert.deepStrictEqual(left(directory), [".partial-1", "bot.db"])
          assert.strictEqual(fs.statSync(target).mode & 0o777, 0o600)
          assert.deepStrictEqual(yield* sqlite.verify(payload(target, dump), deep), {
            warnings: []
          })
          const restored = path.join(directory, "other.db")
          const plain = execFileSync("gunzip", ["-c"], {
            input: fs.readFileSync(target),
            maxBuffer: 1 << 28
          })
          assert.strictEqual(plain.length, dump.contentBytes)
          fs.writeFileSync(restored, plain)
          assert.strictEqual(
            inDatabase(restored, (database) => value(database, "PRAGMA journal_mode")),
            "delete"
          )
          assert.deepStrictEqual(look(restored), look(file))
          assert.strictEqual(
            inDatabase(file, (database) => value(database, "PRAGMA journal_mode")),
            mode
          )
        })
      )
    }
  }

  it.scopedLive("are compressed as asked, and open with the plain tools", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      // More than one member.
      inDatabase(file, (database) => fill(database, 30_000))
      const sqlite = yield* strategy(file)
      const seen = new Set<string>()
      const onProgress = ({ stage }: { readonly stage: string }) =>
        Effect.sync(() => void seen.add(stage))
      const [fast, best, none] = yield* Effect.all(
        (["1", "9", "none"] as const).map((name) =>
          sqlite.dump({
            path: path.join(directory, `p${name}`),
            compression: name === "none" ? "none" : "gzip",
            level: Number(name),
            onProgress
          })
        )
      )
      assert.isAbove(fast?.bytes ?? 0, best?.bytes ?? 0)
      assert.strictEqual(none?.bytes, none?.contentBytes)
      assert.strictEqual(none?.sha256, none?.contentSha256)
      assert.include([...seen], "compress")
      const plain = path.join(directory, "pnone")
      assert.deepStrictEqual(
        gunzipSync(fs.readFileSync(path.join(directory, "p1"))),
        fs.readFileSync(plain)
      )
      const python = "import gzip,sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())"
      const read = execFileSync("python3", ["-c", python, path.join(directory, "p9")], {
        maxBuffer: 1 << 28
      })
      assert.isTrue(read.equals(fs.readFileSync(plain)))
      assert.deepStrictEqual(yield* sqlite.verify(payload(plain, none), quick), { warnings: [] })
      assert.deepStrictEqual(left(directory), ["bot.db", "p1", "p9", "pnone"])
    })
  )

  it.scopedLive("with zstd need a Node that has it", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      inDatabase(file, (database) => fill(database, 100))
      const sqlite = yield* strategy(file)
      const target = path.join(directory, "p")
      const given = {
        path: target,
        compression: "zstd",
        level: undefined,
        onProgress: silent
      } as const
      if ("zstdCompress" in zlib) {
        const dump = yield* sqlite.dump(given)
        assert.deepStrictEqual(yield* sqlite.verify(payload(target, dump), quick), { warnings: [] })
      } else {
        const error = yield* Effect.flip(sqlite.dump(given))
        assert.strictEqual(error.reason, "ToolTooOld")
        assert.include(error.message, "22.15")
        assert.deepStrictEqual(left(directory), ["bot.db"])
      }
    })
  )

  it.scopedLive("tell rows that refer to nothing, and keep them", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      inDatabase(file, (database) => {
        database.pragma("foreign_keys = off")
        database.exec(
          "CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE child (p REFERENCES parent (id)); INSERT INTO child VALUES (1), (2)"
        )
      })
      const sqlite = yield* strategy(file)
      const target = path.join(directory, "p")
      const dump = yield* sqlite.dump({ ...gzip, path: target })
      const warnings = ["foreign keys: 2 rows of child refer to nothing"]
      assert.deepStrictEqual(dump.warnings, warnings)
      assert.deepStrictEqual(yield* sqlite.verify(payload(target, dump), deep), { warnings })
      assert.deepStrictEqual(yield* sqlite.verify(payload(target, dump), quick), { warnings: [] })
    })
  )

  it.scopedLive("are refused of what is not there, is no database, or is locked", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const target = path.join(directory, "p")
      const at = (name: string) =>
        strategy(path.join(directory, name), { busyTimeout: "200 millis" })
      const missing = yield* at("missing.db")
      assert.strictEqual(yield* reason(missing.dump({ ...gzip, path: target })), "Missing")
      assert.deepStrictEqual(yield* missing.present, { _tag: "Absent" })
      assert.deepStrictEqual(left(directory), [])

      fs.writeFileSync(path.join(directory, "text.db"), "no database\n".repeat(1000))
      const text = yield* at("text.db")
      const encrypted = yield* Effect.flip(text.dump({ ...gzip, path: target }))
      assert.strictEqual(encrypted.reason, "Unreadable")
      assert.include(encrypted.message, "encrypted, or not SQLite")
      assert.notInclude(encrypted.message, "replace-damaged")
      const present = yield* text.present
      assert.include(present._tag === "Damaged" ? present.advice : "", "SQLCipher")
      fs.writeFileSync(path.join(directory, "zeros.db"), Buffer.alloc(8192))
      const zeros = yield* at("zeros.db")
      assert.strictEqual(yield* reason(zeros.dump({ ...gzip, path: target })), "Damaged")

      const broken = path.join(directory, "broken.db")
      inDatabase(broken, (database) => fill(database, 5000))
      const bytes = fs.readFileSync(broken)
      bytes.fill(0xaa, 40_960, 90_000)
      fs.writeFileSync(broken, bytes)
      const sqlite = yield* at("broken.db")
      assert.strictEqual((yield* sqlite.present)._tag, "Damaged")
      assert.strictEqual(yield* reason(sqlite.dump({ ...gzip, path: target })), "Damaged")
      fs.mkdirSync(path.join(directory, "folder.db"))
      const folder = yield* at("folder.db")
      assert.strictEqual(yield* reason(folder.dump({ ...gzip, path: target })), "Unreadable")

      const locked = path.join(directory, "locked.db")
      inDatabase(locked, (database) => fill(database, 10))
      const other = yield* SqliteProcess.open(locked)
      yield* other.sql("BEGIN EXCLUSIVE")
      const busy = yield* at("locked.db")
      assert.strictEqual(yield* reason(busy.dump({ ...gzip, path: target })), "Busy")
      assert.strictEqual(yield* reason(busy.present), "Busy")
      yield* other.sql("COMMIT")
      yield* busy.dump({ ...gzip, path: target })
      assert.notInclude(left(directory).join(), "p.")
    })
  )

  it.scopedLive("roll back what a killed program left half written", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      inDatabase(file, (database) => fill(database, 20_000))
      const before = inDatabase(file, (database) =>
        value(database, "SELECT sum(created) FROM items")
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const other = yield* SqliteProcess.open(file)
          yield* other.sql("PRAGMA cache_size = 2")
          yield* other.sql("BEGIN IMMEDIATE")
          // More than its cache holds: half of it is in the file when it is killed.
          yield* other.sql("UPDATE items SET created = created + 1000000, data = data || 'x'")
        })
      )
      assert.isTrue(fs.existsSync(`${file}-journal`))
      const sqlite = yield* strategy(file)
      const target = path.join(directory, "p.db.gz")
      yield* sqlite.dump({ ...gzip, path: target })
      const copy = path.join(directory, "copy.db")
      fs.writeFileSync(copy, gunzipSync(fs.readFileSync(target)))
      assert.strictEqual(
        inDatabase(copy, (database) => value(database, "SELECT sum(created) FROM items")),
        before
      )
    })
  )

  it.scopedLive("fall back to VACUUM INTO while a long read keeps the WAL", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      inDatabase(file, (database) => {
        database.pragma("journal_mode = wal")
        fill(database, 100)
      })
      const reader = yield* SqliteProcess.open(file)
      const writer = yield* SqliteProcess.open(file)
      yield* reader.sql("BEGIN")
      yield* reader.sql("SELECT count(*) FROM items")
      yield* writer.sql("INSERT INTO items (title) VALUES ('in the WAL')")
      const sqlite = yield* strategy(file, { copy: "frozen" })
      const dump = yield* sqlite.dump({ ...gzip, path: path.join(directory, "p") })
      assert.strictEqual(dump.strategy, "vacuum-into")
      assert.include(dump.warnings.join(), "long transaction")
      assert.deepInclude(dump.tables, { name: "items", rows: 101 })
    })
  )

  it.scopedLive("know the database by its file, and follow links to it", () =>
    Effect.gen(function* () {
      const directory = fs.realpathSync(yield* TempDir.make("sqlite"))
      fs.mkdirSync(path.join(directory, "data"))
      const file = path.join(directory, "data", "bot.db")
      inDatabase(file, (database) => fill(database, 100))
      fs.symlinkSync(file, path.join(directory, "link.db"))
      const sqlite = yield* strategy(path.join(directory, "link.db"))
      assert.deepStrictEqual(yield* sqlite.database, {
        engine: "sqlite",
        name: "bot.db",
        location: path.join(directory, "data")
      })
      assert.strictEqual(yield* sqlite.estimate, fs.statSync(file).size)
      assert.deepStrictEqual(yield* sqlite.present, {
        _tag: "Readable",
        bytes: fs.statSync(file).size
      })
    })
  )
})

describe("SQLite backups", () => {
  it.scopedLive(
    "that are truncated, changed, empty or of something else are refused",
    () =>
      Effect.gen(function* () {
        const directory = yield* TempDir.make("sqlite")
        const file = path.join(directory, "bot.db")
        inDatabase(file, (database) => fill(database, 20_000))
        const sqlite = yield* strategy(file)
        const good = path.join(directory, "good.db.gz")
        const dump = yield* sqlite.dump({ ...gzip, path: good })
        const bytes = fs.readFileSync(good)
        const plain = gunzipSync(bytes)
        const pageFlipped = Buffer.from(plain)
        pageFlipped.fill(0x55, 8192 * 3, 8192 * 3 + 4096)
        const flipped = Buffer.from(bytes)
        flipped[bytes.length >> 1] = (flipped[bytes.length >> 1] ?? 0) ^ 16
        const cases: ReadonlyArray<readonly [string, Buffer]> = [
          ["empty.db.gz", Buffer.alloc(0)],
          ["header.db.gz", bytes.subarray(0, 15)],
          ["cut.db.gz", bytes.subarray(0, bytes.length - 9)],
          ["half.db.gz", bytes.subarray(0, bytes.length >> 1)],
          ["flipped.db.gz", flipped],
          ["longer.db.gz", Buffer.concat([bytes, Buffer.from("garbage behind the end")])],
          ["zeros.db.gz", Buffer.concat([bytes, Buffer.alloc(100)])],
          ["foreign-zeros.db.gz", Buffer.concat([gzipSync(plain), Buffer.alloc(100)])],
          ["foreign-cut.db.gz", gzipSync(plain).subarray(0, -200)],
          ["nothing.db.gz", gzipSync(Buffer.alloc(0))],
          ["text.db.gz", gzipSync(Buffer.from("no database".repeat(100)))],
          ["pages.db.gz", gzipSync(plain.subarray(0, plain.length - 4096))],
          ["broken.db.gz", gzipSync(pageFlipped)],
          ["empty.db", Buffer.alloc(0)],
          ["cut.db", plain.subarray(0, plain.length - 4096)],
          ["broken.db", pageFlipped],
          ["text.db", Buffer.from("no database".repeat(100))]
        ]
        for (const [name, content] of cases) {
          const bad = path.join(directory, name)
          fs.writeFileSync(bad, content)
          assert.strictEqual(yield* reason(sqlite.verify(payload(bad), quick)), "Corrupt", name)
          assert.strictEqual(yield* reason(sqlite.drill(payload(bad), quick)), "Corrupt", name)
          fs.rmSync(bad)
        }
        const other = path.join(directory, "other.db.gz")
        fs.writeFileSync(other, gzipSync(plain, { level: 1 }))
        assert.strictEqual(yield* reason(sqlite.verify(payload(other, dump), quick)), "Corrupt")
        fs.rmSync(other)
        for (const postgres of [
          Buffer.from("PGDMP\x01\x0e rest"),
          gzipSync(Buffer.from("PGDMP\x01 rest"))
        ]) {
          const bad = path.join(directory, "pg.db.gz")
          fs.writeFileSync(bad, postgres)
          assert.strictEqual(yield* reason(sqlite.verify(payload(bad), quick)), "WrongEngine")
          fs.rmSync(bad)
        }
        assert.deepStrictEqual(left(directory), ["bot.db", "good.db.gz"])
      }),
    120_000
  )

  it.scopedLive(
    "are not written to, whatever lies beside them",
    () =>
      Effect.gen(function* () {
        const directory = yield* TempDir.make("sqlite")
        const file = path.join(directory, "bot.db")
        inDatabase(file, (database) => fill(database, 2000))
        // A program that was killed in a transaction leaves a journal that SQLite rolls back.
        yield* Effect.scoped(
          Effect.gen(function* () {
            const program = yield* SqliteProcess.open(file)
            yield* program.sql("PRAGMA cache_size = 1")
            yield* program.sql("BEGIN IMMEDIATE")
            yield* program.sql("UPDATE items SET created = created + 1, data = data || 'x'")
            fs.copyFileSync(`${file}-journal`, path.join(directory, "hot"))
          })
        )
        const sqlite = yield* strategy(file)
        const target = path.join(directory, "p.db")
        const dump = yield* sqlite.dump({ ...gzip, compression: "none", path: target })
        const bytes = fs.readFileSync(target)
        fs.renameSync(path.join(directory, "hot"), `${target}-journal`)
        fs.writeFileSync(`${target}-wal`, "what no one needs")
        const before = left(directory)
        for (const depth of [quick, deep]) {
          const { warnings } = yield* sqlite.verify(payload(target), depth)
          assert.include(warnings.join(), `${target}-journal lies beside the backup`)
          assert.include(warnings.join(), `${target}-wal`)
        }
        yield* sqlite.drill(payload(target, dump), quick)
        assert.isTrue(fs.readFileSync(target).equals(bytes))
        assert.deepStrictEqual(left(directory), before)
      }),
    60_000
  )

  it.scopedLive("are practised in a scratch database, of which nothing is left", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      peculiar(file, "wal")
      const sqlite = yield* strategy(file)
      const target = path.join(directory, "p.db.gz")
      const dump = yield* sqlite.dump({ ...gzip, path: target })
      const drilled = yield* sqlite.drill(payload(target, dump), { onProgress: silent })
      assert.deepStrictEqual(drilled, { tables: dump.tables, warnings: [] })
      const wrong = { ...dump, tables: [{ name: "items", rows: 1 }] }
      assert.strictEqual(yield* reason(sqlite.drill(payload(target, wrong), quick)), "Corrupt")
      assert.deepStrictEqual(left(directory), ["bot.db", "p.db.gz"])
    })
  )

  it.scopedLive("of the Python script are verified and restored", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      peculiar(file, "wal")
      const python = `
import gzip, shutil, sqlite3, sys
source = sqlite3.connect(sys.argv[1])
target = sqlite3.connect(sys.argv[2])
source.backup(target)
target.close()
with open(sys.argv[2], 'rb') as plain, gzip.open(sys.argv[2] + '.gz', 'wb') as packed:
    shutil.copyfileobj(plain, packed)`
      const plain = path.join(directory, "dmarket_bot_sqlite_20251211_120000_123.db")
      execFileSync("/usr/bin/python3", ["-c", python, file, plain])
      const sqlite = yield* strategy(file)
      const before = look(file)
      for (const old of [plain, `${plain}.gz`]) {
        assert.deepStrictEqual(yield* sqlite.verify(payload(old), deep), { warnings: [] })
        inDatabase(file, (database) => database.exec("DELETE FROM items; DELETE FROM plain"))
        const { startedAt } = { startedAt: DateTime.unsafeMake(0) }
        yield* sqlite.restore(payload(old), {
          startedAt,
          replaceDamaged: false,
          onProgress: silent
        })
        assert.deepStrictEqual(look(file), before)
      }
      assert.notInclude(left(directory).join(), "scratch")
    })
  )
})

describe("what was just dumped", () => {
  for (const compression of ["gzip", "none"] as const) {
    it.scopedLive(`is read back from the disk, byte for byte (${compression})`, () =>
      Effect.gen(function* () {
        const directory = yield* TempDir.make("sqlite")
        const file = path.join(directory, "bot.db")
        inDatabase(file, (database) => fill(database, 2000))
        const sqlite = yield* strategy(file)
        const target = path.join(directory, ".partial-1")
        const dump = yield* sqlite.dump({ ...gzip, compression, path: target })
        const readBack = sqlite.verify(payload(target, dump), { ...quick, justDumped: true })
        yield* readBack
        assert.deepStrictEqual(left(directory), [".partial-1", "bot.db"])
        const bytes = fs.readFileSync(target)
        // In the middle of a value, where SQLite itself would not notice it.
        bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
        fs.writeFileSync(target, bytes)
        assert.strictEqual(yield* reason(readBack), "Corrupt")
        fs.truncateSync(target, bytes.length - 4096)
        assert.strictEqual(yield* reason(readBack), "Corrupt")
        assert.deepStrictEqual(left(directory), [".partial-1", "bot.db"])
      })
    )
  }
})
