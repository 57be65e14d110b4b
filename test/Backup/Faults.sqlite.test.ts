/** Faults at the steps and calls of create (with a copy), restore and prune, with real SQLite. */
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { mkdirSync, readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { gunzipSync } from "node:zlib"
import { type BackupStep, steps } from "../../src/Backup/BackupStep.js"
import type { Order, Work } from "../support/backup/program.js"
import * as Runner from "../support/backup/Runner.js"
import * as TempDir from "../support/TempDir.js"

const oldRows = 200
const newRows = 300
const isSoak = process.env.HOLTER_TEST_SOAK === "1"

/** As a bot leaves it: WAL mode, and each row of one table has one in the other. */
const write = (file: string, rows: number): void => {
  const database = new Sqlite(file)
  database.pragma("journal_mode = WAL")
  database.exec(`
    CREATE TABLE IF NOT EXISTS trades (id INTEGER PRIMARY KEY, item TEXT);
    CREATE TABLE IF NOT EXISTS ledger (trade INTEGER PRIMARY KEY, amount INTEGER);
    BEGIN; DELETE FROM trades; DELETE FROM ledger;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO trades SELECT i, 'item ' || i FROM n;
    INSERT INTO ledger SELECT id, id * 7 FROM trades; COMMIT`)
  database.close()
}

/** The rows, where the database is whole. */
const rowsOf = (source: string | Buffer, context: string): number => {
  const database = new Sqlite(source)
  assert.strictEqual(database.pragma("integrity_check", { simple: true }), "ok", context)
  const [trades, ledger] = ["trades", "ledger"].map(
    (table) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number
  )
  database.close()
  assert.strictEqual(trades, ledger, context)
  return trades ?? 0
}

const isHidden = (name: string) => name.startsWith(".") && !name.startsWith(".holter-store")
const backupsIn = (directory: string) =>
  readdirSync(directory).filter((name) => name.endsWith(".db.gz"))

const bench = Effect.gen(function* () {
  const folder = yield* TempDir.make("faults")
  const runner = yield* Runner.make
  const copy = path.join(folder, "copy")
  mkdirSync(copy, { mode: 0o700 })
  const order = {
    database: path.join(folder, "bot.db"),
    directory: path.join(folder, "backups"),
    copies: [copy],
    sqliteFrom: import.meta.url
  }
  write(order.database, oldRows)
  yield* runner.run({ ...order, work: "create" })
  yield* runner.run({ ...order, work: "create" })
  return { order, runner, copy }
})

type Bench = Effect.Effect.Success<typeof bench>

/** Nothing is lost, and each name is of a whole backup that says what it is. */
const intact = ({ copy, order }: Bench, context: string): void => {
  assert.include([oldRows, newRows], rowsOf(order.database, context), context)
  for (const directory of [order.directory, copy]) {
    const backups = backupsIn(directory)
    assert.isNotEmpty(backups, context)
    for (const name of backups) {
      const file = path.join(directory, name)
      const where = `${context}: ${file}`
      const manifest = JSON.parse(readFileSync(`${file}.manifest.json`, "utf8")) as {
        readonly dump: { readonly tables: ReadonlyArray<{ readonly rows: number }> }
      }
      assert.strictEqual(
        rowsOf(gunzipSync(readFileSync(file)), where),
        manifest.dump.tables[0]?.rows,
        where
      )
    }
  }
}

/** The next run works, and leaves nothing of the one before, in the copy's place either. */
const recovers = ({ copy, order, runner }: Bench, context: string) =>
  Effect.gen(function* () {
    const report = yield* runner.run({ ...order, work: "create" })
    assert.isDefined(report, context)
    assert.isUndefined(report?.reason ?? report?.defect, context)
    for (const directory of [order.directory, copy]) {
      const names = readdirSync(directory)
      assert.deepStrictEqual(names.filter(isHidden), [], context)
      const manifests = names.filter((name) => name.endsWith(".manifest.json"))
      assert.lengthOf(manifests, backupsIn(directory).length, context)
    }
    assert.isAtMost(backupsIn(order.directory).length, 5, context)
    assert.lengthOf(backupsIn(copy), 2, context)
  })

/** One run that meets the fault; a kill leaves no report. */
const meet = (subject: Bench, fault: Pick<Order, "work" | "at" | "fault">, context: string) =>
  Effect.gen(function* () {
    write(subject.order.database, newRows)
    const report = yield* subject.runner.run({ ...subject.order, ...fault })
    assert.isUndefined(report?.defect, context)
    intact(subject, context)
    yield* recovers(subject, context)
    return report
  })

const allSteps: ReadonlyArray<readonly [Work, BackupStep]> = [
  ...steps.create.map((step) => ["create", `create/${step}`] as const),
  ...steps.restore.map((step) => ["restore", `restore/${step}`] as const),
  ...(["space", "dump", "verify", "publish"] as const).map(
    (step) => ["restore", `create/${step}`] as const
  ),
  ...steps.prune.map((step) => ["prune", `prune/${step}`] as const)
]

describe("With SQLite and a store of copies", () => {
  it.scopedLive(
    "a kill at any step loses nothing, and the next run sweeps",
    () =>
      Effect.gen(function* () {
        const subject = yield* bench
        for (const [work, at] of allSteps) {
          const context = `kill at ${at} of ${work}`
          const report = yield* meet(subject, { work, at, fault: "SIGKILL" }, context)
          assert.isUndefined(report, `${context} was not reached`)
        }
      }),
    300_000
  )

  // All calls take minutes: a usual run tries some of them, with one fault and then the other.
  for (const [work, stride] of [
    ["create", 121],
    ["restore", 121],
    ["prune", 61]
  ] as const) {
    it.scopedLive(
      `a full disk or an I/O error at any call in ${work} is told, and loses nothing`,
      () =>
        Effect.gen(function* () {
          const subject = yield* bench
          const step = isSoak ? 1 : stride
          for (let at = 1; ; at += step) {
            const fault = Math.floor(at / step) % 2 === 0 ? "ENOSPC" : "EIO"
            const context = `${fault} at call ${at} of ${work}`
            const report = yield* meet(subject, { work, at, fault }, context)
            if (report === undefined || report.calls < at) return
          }
        }),
      300_000
    )
  }

  it.scopedLive(
    "a second run is refused, and works after the first was killed",
    () =>
      Effect.gen(function* () {
        const subject = yield* bench
        const { order, runner } = subject
        for (const [work, at] of [
          ["create", "create/copy"],
          ["restore", "restore/restore"]
        ] as const) {
          const other = yield* runner.start({ ...order, work, at, fault: "hold" })
          yield* other.awaitOutput(/holding/)
          for (const second of ["create", "restore", "prune"] as const) {
            const report = yield* runner.run({ ...order, work: second })
            assert.strictEqual(report?.reason, "Locked", `${second} during ${work}`)
          }
          yield* other.signal("SIGKILL")
          yield* other.exit
          intact(subject, work)
          yield* recovers(subject, work)
        }
      }),
    120_000
  )
})
