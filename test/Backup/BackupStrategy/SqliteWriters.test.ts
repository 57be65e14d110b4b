import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { gunzipSync } from "node:zlib"
import { fill, inDatabase, strategy, value } from "../../support/SqliteBackup.js"
import * as SqliteProcess from "../../support/SqliteProcess.js"
import * as TempDir from "../../support/TempDir.js"

const silent = () => Effect.void
const rounds = Number(process.env.HOLTER_SOAK_ROUNDS ?? 3)
const gzip = { compression: "gzip", level: 1, onProgress: silent } as const

const database = (mode: "wal" | "delete") =>
  Effect.gen(function* () {
    const directory = yield* TempDir.make("sqlite")
    const file = path.join(directory, "bot.db")
    inDatabase(file, (made) => {
      made.pragma(`journal_mode = ${mode}`)
      made.exec(SqliteProcess.ledgerSchema)
      // Between the pages of the two tables, so that a copy takes longer than a transaction.
      fill(made, 60_000)
    })
    return { directory, file }
  })

describe("SQLite dumps under writers", () => {
  for (const [mode, copy] of [
    ["wal", "vacuum"],
    ["wal", "frozen"],
    ["delete", "vacuum"]
  ] as const) {
    it.scopedLive(
      `hold one moment of it, ${rounds} times, in ${mode} mode, by ${copy}`,
      () =>
        Effect.gen(function* () {
          const { directory, file } = yield* database(mode)
          const writer = yield* SqliteProcess.open(file)
          const sqlite = yield* strategy(file, { copy, busyTimeout: "20 seconds" })
          yield* writer.startWriting
          let last = -1
          const strategies = new Set<string>()
          for (let round = 0; round < rounds; round += 1) {
            const target = path.join(directory, `p${round}`)
            const dump = yield* sqlite.dump({ ...gzip, path: target })
            strategies.add(dump.strategy)
            yield* sqlite.verify(
              { path: target, compression: "gzip", dump },
              { deep: true, onProgress: silent }
            )
            const restored = path.join(directory, "restored.db")
            fs.writeFileSync(restored, gunzipSync(fs.readFileSync(target)))
            const [sum, total, moves, rows] = inDatabase(restored, (copied) => [
              value(copied, "SELECT coalesce(sum(amount), 0) FROM ledger"),
              value(copied, "SELECT total FROM account"),
              value(copied, "SELECT moves FROM account"),
              value(copied, "SELECT count(*) FROM ledger")
            ])
            assert.strictEqual(sum, total)
            assert.strictEqual(moves, rows)
            assert.deepInclude(dump.tables, { name: "ledger", rows: Number(rows) })
            // Writers went on: no two dumps are of the same moment.
            assert.isAbove(Number(rows), last)
            last = Number(rows)
            fs.rmSync(restored)
            fs.rmSync(target)
          }
          assert.include([...strategies], copy === "frozen" ? "frozen-copy" : "vacuum-into")
          const written = yield* writer.stopWriting
          const [kept] = yield* writer.sql("SELECT moves FROM account")
          assert.strictEqual(kept?.moves, written)
        }),
      30_000 + rounds * 10_000
    )
  }

  for (const copy of ["vacuum", "frozen"] as const) {
    it.scopedLive(`lose no commit of the caller, who has it open, by ${copy}`, () =>
      Effect.gen(function* () {
        const { directory, file } = yield* database("wal")
        const own = yield* Effect.acquireRelease(
          Effect.sync(() => new Sqlite(file, { timeout: 20_000 })),
          (opened) => Effect.sync(() => opened.close())
        )
        const insert = own.prepare("INSERT INTO ledger (amount) VALUES (1)")
        const other = yield* SqliteProcess.open(file)
        const sqlite = yield* strategy(file, { copy })
        yield* other.startVisiting
        let commits = 0
        let isDone = false
        const commit = Effect.whileLoop({
          while: () => !isDone,
          body: () =>
            Effect.andThen(
              Effect.sync(() => insert.run()),
              turn
            ),
          step: () => {
            commits += 1
          }
        })
        const dumps = Effect.gen(function* () {
          for (let round = 0; round < 3; round += 1) {
            const target = path.join(directory, `p${round}`)
            const dump = yield* sqlite.dump({ ...gzip, path: target })
            yield* sqlite.verify(
              { path: target, compression: "gzip", dump },
              { deep: false, onProgress: silent }
            )
          }
        })
        yield* Effect.all(
          [
            Effect.ensuring(
              dumps,
              Effect.sync(() => (isDone = true))
            ),
            commit
          ],
          {
            concurrency: 2
          }
        )
        const visits = yield* other.stopVisiting
        assert.isAbove(commits, 0)
        assert.isAbove(visits, 0)
        const third = yield* SqliteProcess.open(file)
        const [seen] = yield* third.sql(
          "SELECT (SELECT count(*) FROM ledger) AS mine, (SELECT count(*) FROM visits) AS others"
        )
        assert.deepStrictEqual(seen, { mine: commits, others: visits })
        assert.strictEqual(value(own, "SELECT count(*) FROM visits"), visits)
        assert.strictEqual(value(own, "PRAGMA integrity_check"), "ok")
      })
    )
  }
})

/** Timers and sockets have their turn; `yieldNow` holds them up for two thousand commits. */
const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})
