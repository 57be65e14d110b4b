/** Whether a list of backups is fresh: from given lists, and from a directory with real files. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Layer, Option, TestClock } from "effect"
import * as FastCheck from "effect/FastCheck"
import { chmodSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { BackupError } from "../../src/Backup/BackupError.js"
import * as BackupStore from "../../src/Backup/BackupStore.js"
import { BackupFreshness } from "../../src/plugins/BackupFreshness.js"
import * as Freshness from "../../src/plugins/BackupFreshness/Freshness.js"
import { now, stored } from "../Cli/Backup/samples.js"
import { inDatabase } from "../support/SqliteBackup.js"
import * as SqliteProcess from "../support/SqliteProcess.js"
import * as TempDir from "../support/TempDir.js"
import { run, runOnly, services } from "./run.js"

type Config = Parameters<typeof BackupFreshness.layer>[0]
type List = BackupStore.Store["list"]

/** At a fixed time, with a list instead of a directory. */
const judgeList = (list: List, config: Config = {}) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(now.epochMillis)
    return yield* runOnly.pipe(
      Effect.provide(Layer.provideMerge(BackupFreshness.layer(config), services)),
      Effect.provideServiceEffect(
        BackupStore.BackupStore,
        Effect.map(
          Effect.provide(BackupStore.BackupStore, BackupStore.layerDirectory({ path: "/none" })),
          ({ copies, main }) => ({ copies, main: { ...main, list } })
        )
      )
    )
  })

const judge = (backups: ReadonlyArray<BackupStore.Stored>, config: Config = {}) =>
  judgeList(Effect.succeed(backups), config)

const today = stored({ startedAt: "2025-12-11T03:00:00Z" })
const yesterday = stored({ startedAt: "2025-12-10T03:00:00Z" })

/** Of another database of the same app. */
const ofDatabase = (name: string, startedAt: string, place: { readonly host?: string } = {}) => {
  const one = stored({ startedAt })
  const manifest = Option.map(one.manifest, (known) => ({
    ...known,
    dump: { ...known.dump, database: { ...known.dump.database, name, ...place } }
  }))
  return { ...one, manifest }
}

describe("BackupFreshness of a SQLite database that is in use", () => {
  it.scoped("is degraded once the file is deleted under its program, and says which", () =>
    Effect.gen(function* () {
      const folder = realpathSync(yield* TempDir.make("deleted"))
      const file = path.join(folder, "bot.db")
      inDatabase(file, (database) => {
        database.exec(
          "PRAGMA journal_mode = wal; CREATE TABLE t (id int); INSERT INTO t VALUES (1)"
        )
      })
      const backup = {
        ...today,
        manifest: Option.map(today.manifest, (known) => ({
          ...known,
          dump: {
            ...known.dump,
            database: { ...known.dump.database, name: "bot.db", location: folder }
          }
        }))
      }
      const program = yield* SqliteProcess.open(file)
      yield* program.sql("INSERT INTO t VALUES (2)")
      assert.strictEqual((yield* judge([backup])).status, "healthy")
      for (const end of ["", "-wal", "-shm"]) rmSync(`${file}${end}`, { force: true })
      const result = yield* judge([backup])
      assert.strictEqual(result.status, "degraded")
      assert.include(result.message, `node (${program.pid}) with ${file} (deleted)`)
    })
  )
})

describe("BackupFreshness, of given backups", () => {
  it.effect("is healthy with one of tonight, and tells what it knows", () =>
    Effect.gen(function* () {
      const drilled = stored({
        startedAt: "2025-12-09T03:00:00Z",
        drilledAt: "2025-12-09T05:15:00Z"
      })
      const result = yield* judge([today, yesterday, drilled])
      assert.strictEqual(result.status, "healthy")
      assert.strictEqual(result.message, "Newest backup is 5 hours old (41 MB)")
      assert.deepStrictEqual(result.details, {
        directory: "backups",
        backups: 3,
        newest: "dmarket_bot_sqlite_20251211_030000_000.db.gz",
        newest_age_seconds: 5.25 * 3600,
        newest_bytes: 41_000_000,
        previous_bytes: 41_000_000,
        verified_age_seconds: 5.25 * 3600,
        drilled_age_seconds: 51 * 3600,
        problems: 0,
        databases: 1
      })
    })
  )

  const shrunk = stored({ startedAt: "2025-12-11T03:00:00Z", bytes: 20_000_000 })
  const lost = stored({
    startedAt: "2025-12-11T03:00:00Z",
    bytes: 20_000_000,
    suspect: ["Table users is gone", "Table trades is gone"]
  })
  const lostBefore = stored({
    startedAt: "2025-12-10T03:00:00Z",
    bytes: 20_000_000,
    suspect: ["Table users is gone", "Table trades is gone"]
  })
  const broken = stored({ startedAt: "2025-12-11T03:00:00Z", problem: "empty" })
  const saved = stored({ startedAt: "2025-12-11T03:00:00Z", preRestore: true })
  const other = stored({ startedAt: "2025-12-11T03:00:00Z", app: "shop" })
  const future = stored({ startedAt: "2027-01-01T00:00:00Z" })
  const old = stored({ startedAt: "2025-12-08T03:00:00Z" })
  const drilled = stored({
    startedAt: "2025-12-11T03:00:00Z",
    drilledAt: "2025-12-11T04:00:00Z"
  })
  const corrupt = stored({ startedAt: "2025-12-11T03:00:00Z", verifiedAt: null })
  const bare = stored({ startedAt: "2025-12-11T03:00:00Z", bare: true })
  const otherOld = stored({ startedAt: "2025-12-08T03:00:00Z", app: "shop" })
  const second = ofDatabase("second.db", "2025-12-11T03:00:00Z")
  const secondOld = ofDatabase("second.db", "2025-12-08T03:00:00Z")
  const ofWeb1 = ofDatabase("bot.db", "2025-12-11T03:00:00Z", { host: "web1" })
  const ofWeb2 = ofDatabase("bot.db", "2025-12-08T03:00:00Z", { host: "web2" })
  const unnamed = ofDatabase("bot.db", "2025-12-08T03:00:00Z")

  for (const [what, backups, config, status, message] of [
    ["none at all", [], {}, "unhealthy", "there is none. Look at the last run"],
    ["none of this app", [other], { app: "dmarket_bot" }, "unhealthy", "there is none"],
    ["none of this engine", [today], { engine: "postgresql" }, "unhealthy", "there is none"],
    ["only broken ones", [broken], {}, "unhealthy", "none is good: dmarket_bot_sqlite_2025"],
    ["only a pre-restore one", [saved], {}, "unhealthy", "there is none"],
    [
      "a broken one after a good one",
      [broken, yesterday],
      {},
      "degraded",
      "29 hours old; not good"
    ],
    ["one of the night before", [yesterday], {}, "degraded", "29 hours old"],
    ["the same, where that is enough", [yesterday], { warnAge: "2 days" }, "healthy", "29 hours"],
    ["one of three days ago", [old], {}, "unhealthy", "77 hours old"],
    ["one that a wrong clock dated", [future, old], {}, "unhealthy", "77 hours old"],
    ["the same beside a fresh one", [future, today], {}, "degraded", "dated in the future"],
    ["one that shrank", [shrunk, yesterday], {}, "degraded", "20 MB, the one before had 41 MB"],
    ["one that lost data", [lost], {}, "degraded", "lost: Table users is gone, and 1 more"],
    ["that, for the second time", [lost, lostBefore], {}, "degraded", "data seem to be lost"],
    ["one as small as one that lost", [lost, lostBefore, old], {}, "degraded", "had 41 MB; data"],
    ["one after it that is in order", [today, lostBefore], {}, "healthy", "41 MB"],
    ["a loss that is allowed", [shrunk, yesterday], { shrinkPercent: 60 }, "healthy", "20 MB"],
    ["another app of another size", [shrunk, other], {}, "healthy", "20 MB"],
    ["none drilled", [today], { drillAge: "8 days" }, "degraded", "none was ever drilled"],
    ["one drilled", [drilled], { drillAge: "8 days" }, "healthy", "5 hours"],
    [
      "one drilled too long ago",
      [drilled],
      { drillAge: "1 hour" },
      "degraded",
      "drilled 4 hours ago"
    ],
    ["none verified", [bare], { verifyAge: "8 days" }, "degraded", "none was ever verified"],
    ["only one that verify found corrupt", [corrupt], {}, "unhealthy", "none is good"],
    ["the same and an old one", [corrupt, old], {}, "unhealthy", "77 hours old"],
    ["the same and a good one", [corrupt, yesterday], {}, "degraded", "found corrupt by holter"],
    [
      "an old one of another app",
      [today, otherOld],
      {},
      "unhealthy",
      "shop dmarket_bot.db (sqlite)"
    ],
    ["that with `app`", [today, otherOld], { app: "dmarket_bot" }, "healthy", "5 hours"],
    [
      "an old one of another database of the same app",
      [today, secondOld],
      {},
      "unhealthy",
      "dmarket_bot second.db (sqlite) at /app/data: the newest good backup is 77 hours old"
    ],
    ["an old one of another machine", [ofWeb1, ofWeb2], {}, "unhealthy", "on web2: the"],
    ["one from before manifests named the machine", [ofWeb1, unnamed], {}, "healthy", "5 hours"],
    ["that with `database`", [second, old], { database: "second.db" }, "healthy", "5 hours"],
    ["none of the database", [today], { database: "third.db" }, "unhealthy", "there is none"],
    ["fresh ones of two databases", [today, second], {}, "healthy", "2 databases are backed up"],
    ["one of the Python script beside Holter's", [old, bare], {}, "healthy", "5 hours"],
    ["verified too long ago", [today], { verifyAge: "1 hour" }, "degraded", "last verified 5 hours"]
  ] as const) {
    it.effect(`${what}: ${status}`, () =>
      Effect.gen(function* () {
        const result = yield* judge(backups, config)
        assert.strictEqual(result.status, status, result.message)
        assert.include(result.message, message)
        assert.containsAllKeys(result.details, ["directory", "newest", "problems"])
      })
    )
  }

  it.effect("says why a directory cannot be read", () =>
    Effect.gen(function* () {
      const list = new BackupError({
        reason: "StoreFailed",
        subject: "/backups",
        expected: "a directory",
        found: "no permission"
      })
      const result = yield* judgeList(list)
      assert.deepInclude(result, { status: "unhealthy", reason: "Unreadable" })
      assert.include(result.message, "expected a directory, found no permission")
    })
  )

  it("never calls a broken or a future one the newest good one", () => {
    const sample = FastCheck.record({
      days: FastCheck.integer({ min: -400, max: 400 }),
      broken: FastCheck.boolean(),
      preRestore: FastCheck.boolean()
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(sample), (samples) => {
        const all = samples.map(({ broken, days, preRestore }) =>
          stored({
            startedAt: DateTime.formatIso(DateTime.add(now, { days })),
            preRestore,
            ...(broken ? { problem: "empty" } : {})
          })
        )
        const [one] = Freshness.facts(all, {}, now)
        const { newest, problems } = one ?? { newest: undefined, problems: [] }
        const good = samples.filter(
          ({ broken, days, preRestore }) => !broken && days <= 0 && !preRestore
        )
        assert.strictEqual(newest === undefined, good.length === 0)
        if (newest !== undefined) {
          const youngest = Math.min(...good.map(({ days }) => -days))
          assert.strictEqual(Duration.toMillis(newest.age), youngest * 86_400_000)
        }
        const regular = samples.filter(({ preRestore }) => !preRestore)
        assert.strictEqual(
          problems.length,
          regular.filter(({ broken, days }) => broken || days > 0).length
        )
      })
    )
  })
})

describe("BackupFreshness, of a directory", () => {
  it.scopedLive(
    "sees files of the Python script, empty ones and manifests that cannot be read",
    () =>
      Effect.gen(function* () {
        const directory = path.join(yield* TempDir.make("backups"), "backups")
        const ask = run(BackupFreshness, { directory, warnAge: "1 day", criticalAge: "40000 days" })
        const none = yield* ask
        assert.deepInclude(none, { status: "unhealthy", reason: "NoBackup" })
        mkdirSync(directory)
        chmodSync(directory, 0o700)
        const put = (name: string, text: string) => writeFileSync(path.join(directory, name), text)
        put("bot_sqlite_20200101.db.gz", "something")
        put("notes.txt", "not a backup")
        const old = yield* ask
        assert.strictEqual(old.status, "degraded")
        assert.match(old.message, /^Backups: the newest good backup is \d+ days old$/)
        put("bot_sqlite_20200102_030000_000.db.gz", "")
        put("bot_sqlite_20200103_030000_000.db.gz", "something")
        put("bot_sqlite_20200103_030000_000.db.gz.manifest.json", "{ torn")
        const odd = yield* ask
        assert.strictEqual(odd.details.newest, "bot_sqlite_20200101.db.gz", odd.message)
        assert.strictEqual(odd.details.problems, 2)
      })
  )

  it.scopedLive("is unhealthy where the directory is a file", () =>
    Effect.gen(function* () {
      const directory = path.join(yield* TempDir.make("backups"), "file")
      writeFileSync(directory, "")
      const result = yield* run(BackupFreshness, { directory })
      assert.deepInclude(result, { status: "unhealthy", reason: "Unreadable" })
    })
  )
})
