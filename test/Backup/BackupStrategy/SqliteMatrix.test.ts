/**
 * Sound databases of every kind, written by another SQLite: each is backed up, its backup is verified,
 * drilled and restored, and what comes back has the schema and the rows of the original.
 */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { strategy } from "../../support/SqliteBackup.js"
import * as TempDir from "../../support/TempDir.js"

const program = path.resolve("test/support/sqlitePrograms.py")
const run = (file: string, statements: string) =>
  execFileSync("python3", [program, "run", file], { input: statements })
const dumpOf = (file: string) =>
  execFileSync("python3", [program, "dump", file], { encoding: "utf8" }).split("\n")

const silent = () => Effect.void
const gzip = { compression: "gzip", level: 1, onProgress: silent } as const
const quick = { deep: false, onProgress: silent }
const deep = { deep: true, onProgress: silent }
const startedAt = DateTime.unsafeMake("2026-01-02T03:04:05.678Z")
const restoring = { startedAt, replaceDamaged: false, onProgress: silent }

/** Rewrites the schema as if another build of SQLite had made it. */
const schema = (from: string, to: string) =>
  `PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '${from}', '${to}'); PRAGMA writable_schema = RESET;`

interface Kind {
  readonly statements: string
  /** What a warning says of it, for each. */
  readonly told: ReadonlyArray<RegExp>
}

const kinds: Readonly<Record<string, Kind>> = {
  "text with a NUL in FTS5, by a version that indexed it otherwise": {
    statements: `CREATE VIRTUAL TABLE ft USING fts5(body, tokenize='trigram');
      INSERT INTO ft VALUES (CAST(x'68656c6c6f00776f726c6420616e64206d6f7265' AS TEXT));`,
    told: [/FTS5 table main\.ft.*INSERT INTO "ft"\("ft"\) VALUES\('rebuild'\)/]
  },
  "indexes of FTS3, FTS4 and FTS5 that do not match their rows": {
    statements: `CREATE VIRTUAL TABLE f3 USING fts3(body); CREATE VIRTUAL TABLE f4 USING fts4(body);
      CREATE VIRTUAL TABLE "f ""5" USING fts5(body); CREATE VIRTUAL TABLE bare USING fts5(body, content='');
      INSERT INTO f3 VALUES ('one heart'), ('two hearts'); INSERT INTO f4 SELECT * FROM f3;
      INSERT INTO "f ""5" SELECT * FROM f3; INSERT INTO bare (rowid, body) VALUES (1, 'no content');
      UPDATE f3_content SET c0body = 'other'; UPDATE f4_content SET c0body = 'other';
      UPDATE "f ""5_content" SET c0 = 'other';`,
    told: [/table f3.*"f3"\("f3"\)/, /table f4.*'rebuild'/, /f "5.*"f ""5"\("f ""5"\)/]
  },
  "R-Trees of another version": {
    statements: `CREATE VIRTUAL TABLE rt USING rtree(id, x1, x2); CREATE VIRTUAL TABLE ri USING rtree_i32(id, x1, x2);
      INSERT INTO rt VALUES (1, 1, 2), (2, 3, 4); INSERT INTO ri VALUES (1, 1, 2);
      DELETE FROM rt_rowid WHERE rowid = 2; UPDATE ri_node SET data = x'00';`,
    told: [/table rt: In RTree/, /table ri/]
  },
  "virtual tables whose module, tokenizer or format is not here": {
    statements: `CREATE VIRTUAL TABLE gone USING fts5(body); CREATE VIRTUAL TABLE split USING fts5(body);
      CREATE VIRTUAL TABLE newer USING fts5(body); CREATE VIRTUAL TABLE t3 USING fts3(body);
      INSERT INTO gone VALUES ('a'); INSERT INTO split VALUES ('b'); INSERT INTO newer VALUES ('c'); INSERT INTO t3 VALUES ('d');
      UPDATE newer_config SET v = 99 WHERE k = 'version';
      ${schema("gone USING fts5(body)", "gone USING spellfix1(body)")}
      ${schema("split USING fts5(body)", "split USING fts5(body, tokenize=icu)")}
      ${schema("t3 USING fts3(body)", "t3 USING fts3(body, tokenize=mine)")}`,
    told: [
      /virtual table gone \(no such module: spellfix1\)/,
      /virtual table split/,
      /newer/,
      /virtual table t3/
    ]
  },
  "functions and collations that only the program has": {
    statements: `CREATE TABLE f (a, b AS (mine(a)) STORED, c AS (mine(a)) VIRTUAL NOT NULL, d DEFAULT (mine(1)), CHECK (mine(a) > 0));
      CREATE INDEX f_a ON f (mine(a)); CREATE INDEX f_p ON f (a) WHERE mine(a) > 1;
      INSERT INTO f (a) VALUES (1), (2), (3);
      CREATE TABLE k (a TEXT COLLATE mine PRIMARY KEY, b UNIQUE) WITHOUT ROWID;
      INSERT INTO k VALUES ('ab', 1), ('ba', 2), ('cc', 3);
      CREATE TABLE c (a TEXT COLLATE mine UNIQUE, b REFERENCES k (a)); INSERT INTO c VALUES ('xy', 'ab'), ('yx', 'none');
      CREATE VIEW v AS SELECT mine(a) FROM f ORDER BY a COLLATE mine;
      CREATE TRIGGER g AFTER INSERT ON f BEGIN SELECT mine(new.a); END;`,
    told: [/not checked: table f/, /not checked: table k/]
  },
  "an order that the program gives NOCASE": {
    statements: `CREATE TABLE k (a TEXT COLLATE NOCASE PRIMARY KEY, b) WITHOUT ROWID;
      INSERT INTO k VALUES ('ab', 1), ('ba', 2), ('ca', 3), ('ac', 4);`,
    told: []
  },
  "rules that rows break, and views and triggers of what is gone": {
    statements: `CREATE TABLE s (id INTEGER PRIMARY KEY, n INT NOT NULL, t TEXT, x ANY) STRICT;
      INSERT INTO s VALUES (1, 1, 'one', 1.5), (2, 2, 'two', x'00');
      CREATE TABLE loose (id INTEGER PRIMARY KEY, n, u, c); INSERT INTO loose VALUES (1, NULL, 'a', -1), (2, 2, 'b', 1);
      ${schema("loose (id INTEGER PRIMARY KEY, n, u, c)", "loose (id INTEGER PRIMARY KEY, n ANY NOT NULL, u INT, c INT CHECK (c > 0)) STRICT")}
      CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE child (p REFERENCES parent (id)); INSERT INTO child VALUES (7);
      CREATE TABLE auto (id INTEGER PRIMARY KEY AUTOINCREMENT, v); INSERT INTO auto VALUES (41, 'x'); DELETE FROM auto; INSERT INTO auto (v) VALUES ('y');
      CREATE TABLE w (a, b, PRIMARY KEY (b DESC, a)) WITHOUT ROWID; INSERT INTO w VALUES (1, 2), (2, 1);
      CREATE TABLE g (a INT, s INT AS (a * 2) STORED, v TEXT AS (a || '!')); INSERT INTO g VALUES (1), (2);
      CREATE TABLE "odd ""name' [x]" ("a b" TEXT, [rowid] INT); INSERT INTO "odd ""name' [x]" VALUES ('q', 5);
      CREATE INDEX e ON g (abs(a), v) WHERE s > 1;
      CREATE VIEW broken AS SELECT x FROM nowhere; CREATE VIEW loop AS SELECT * FROM loop;
      CREATE TRIGGER t AFTER INSERT ON g BEGIN INSERT INTO nowhere VALUES (new.a); END;
      ANALYZE; PRAGMA user_version = 42; PRAGMA application_id = 4711;`,
    told: [/NULL value in loose\.n/, /1 row of child/]
  }
}

describe("a sound SQLite database", () => {
  for (const [what, { statements, told }] of Object.entries(kinds)) {
    it.scopedLive(`with ${what} comes back as it was`, () =>
      Effect.gen(function* () {
        const directory = yield* TempDir.make("matrix")
        const file = path.join(directory, "bot.db")
        const orders = "CREATE TABLE orders (id INTEGER PRIMARY KEY, v)"
        run(
          file,
          `PRAGMA journal_mode = wal; ${orders}; INSERT INTO orders (v) VALUES ('x'), ('y'); ${statements}`
        )
        const before = dumpOf(file)
        const backups = yield* Effect.forEach(["vacuum", "frozen"] as const, (copy) =>
          Effect.gen(function* () {
            const sqlite = yield* strategy(file, { copy })
            const target = path.join(directory, `${copy}.db.gz`)
            const dump = yield* sqlite.dump({ ...gzip, path: target })
            for (const expected of told) assert.match(dump.warnings.join("\n"), expected)
            const payload = { path: target, compression: "gzip", dump } as const
            yield* sqlite.verify(payload, deep)
            return { sqlite, payload }
          })
        )
        const [{ payload: vacuumed, sqlite }, { payload: frozen }] = backups as [
          (typeof backups)[0],
          (typeof backups)[0]
        ]
        // As one of the Python script, without a record.
        yield* sqlite.verify({ ...vacuumed, dump: undefined }, deep)
        const drilled = yield* sqlite.drill(vacuumed, quick)
        assert.deepStrictEqual(drilled.tables, vacuumed.dump.tables)
        run(file, "DELETE FROM orders; CREATE TABLE later (x)")
        assert.strictEqual((yield* sqlite.present)._tag, "Readable")
        yield* sqlite.restore(frozen, restoring)
        assert.deepStrictEqual(dumpOf(file), before)
        for (const end of ["", "-wal", "-shm"]) fs.rmSync(`${file}${end}`, { force: true })
        yield* sqlite.restore(vacuumed, restoring)
        assert.deepStrictEqual(dumpOf(file), before)
      })
    )
  }
})
