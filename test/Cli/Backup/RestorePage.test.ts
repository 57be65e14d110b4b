import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import type { RestorePlan, Stopped } from "../../../src/Backup/Backup.js"
import { BackupError } from "../../../src/Backup/BackupError.js"
import * as WallTime from "../../../src/Common/WallTime.js"
import * as RestorePage from "../../../src/Cli/Backup/RestorePage.js"
import { now, stored } from "./samples.js"

const look = { emoji: true, color: true }
const backup = stored({ startedAt: "2025-12-11T03:00:00.123Z" })
const database = { engine: "sqlite", name: "dmarket_bot.db", location: "/app/data" }

const planOf = (plan: Partial<RestorePlan>): RestorePlan => ({
  name: backup.name,
  manifest: Option.getOrUndefined(backup.manifest),
  database,
  present: { _tag: "Readable", bytes: 52_000_000 },
  preRestore: "dmarket_bot_pre_restore_sqlite_20251211_081500_000.db.gz",
  keeps: [],
  warnings: [],
  ...plan
})

const page = (plan: Partial<RestorePlan>) =>
  RestorePage.plan(planOf(plan), now, look, WallTime.utc).join("\n")

describe("the plan of a restore", () => {
  it("says what goes where, what is there now, and what is lost from it", () => {
    assert.strictEqual(
      page({}),
      `Restore of dmarket_bot_sqlite_20251211_030000_123.db.gz
   from      2025-12-11 03:00:00 UTC (5h ago): 41 MB, 2 tables, 48,210 rows
   into      dmarket_bot.db (sqlite) at /app/data
   there now 52 MB, saved first as dmarket_bot_pre_restore_sqlite_20251211_081500_000.db.gz
Rows written after 2025-12-11 03:00:00 UTC are then in the pre-restore backup only.
Until it is done no other program can write: programs wait, or see \`database is locked\`.`
    )
  })

  it("says that Holter's journal stays, where it is in the database", () => {
    assert.include(
      page({ keeps: ["holter_incidents", "holter_outbox"] }),
      "\n   stays     Holter's journal (2 tables holter_*): incidents, silences and alerts not yet sent are those of now\n"
    )
  })

  it("says that nothing is there, or that it cannot be saved", () => {
    const absent = page({ present: { _tag: "Absent" }, preRestore: undefined })
    assert.match(absent, /there now nothing, so there is nothing to save first$/)
    const damaged = page({ present: { _tag: "Damaged", found: "no SQLite header" } })
    assert.match(damaged, /no database that can be read \(no SQLite header\): it is moved aside$/)
  })

  it("does without a manifest, by the time in the name or without one", () => {
    const bare = page({ manifest: undefined, warnings: ["bot.db has no manifest"] })
    assert.include(bare, "from      2025-12-11 03:00:00 UTC (5h ago); there is no manifest")
    assert.include(bare, "⚠️  bot.db has no manifest")
    const renamed = page({ manifest: undefined, name: "copy.db" })
    assert.include(renamed, "from      an unknown time; there is no manifest")
    assert.include(renamed, "Rows written after the backup are then")
  })
})

describe("the page after a restore", () => {
  const done = RestorePage.restored(
    {
      ...planOf({}),
      method: "through SQLite's backup API",
      setAside: undefined,
      tables: [{ name: "users", rows: 3 }],
      pruned: ["an older one"]
    },
    (name) => `holter backup restore --backup-file ${name} --backup-dir 'kept here'`,
    look
  )

  it("ends with the command that takes it back", () => {
    assert.strictEqual(
      done.at(-1)?.trim(),
      "holter backup restore --backup-file dmarket_bot_pre_restore_sqlite_20251211_081500_000.db.gz --backup-dir 'kept here'"
    )
    assert.include(done.join("\n"), "through SQLite's backup API: 1 table, 3 rows")
  })
})

describe("the last words of a restore that is interrupted", () => {
  const saved = "dmarket_bot_pre_restore_sqlite_20251211_081500_000.db.gz"
  const words = (outcome: Stopped["outcome"], preRestore?: string) =>
    RestorePage.interrupted(
      { plan: planOf({}), outcome, preRestore },
      (name) => `holter backup restore --backup-file ${name}`
    ).join("\n")
  const where = "dmarket_bot.db (sqlite) at /app/data"

  it("say that nothing was restored, and what was made for it", () => {
    const early = words({ _tag: "Unchanged" })
    assert.strictEqual(early, `Interrupted: nothing was restored, ${where} is as it was`)
    assert.include(words({ _tag: "Unchanged" }, saved), `${saved}, made before, stays`)
  })

  it("say that it was done, where the old content is, and how to get that back", () => {
    assert.strictEqual(
      words({ _tag: "Replaced", setAside: "bot_pre_restore_1" }, saved),
      `Interrupted after the restore was done: ${where} holds ${backup.name}
   the database of before is bot_pre_restore_1
   what was there before is saved as ${saved}; to restore that:
   holter backup restore --backup-file ${saved}`
    )
  })

  it("say that it is not known, or what failed", () => {
    const unknown = words({ _tag: "Unknown" }, saved)
    assert.include(unknown, `it holds all of what it held, or all of ${backup.name}`)
    assert.include(unknown, `--backup-file ${saved}`)
    const error = new BackupError({
      reason: "InUse",
      subject: "server",
      expected: "nobody",
      found: "somebody"
    })
    assert.include(
      words({ _tag: "Failed", error }),
      "the restore failed: server: expected nobody, found somebody."
    )
  })
})
