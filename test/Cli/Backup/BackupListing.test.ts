import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import * as WallTime from "../../../src/Common/WallTime.js"
import * as BackupListing from "../../../src/Cli/Backup/BackupListing.js"
import type { Found } from "../../../src/Cli/Backup/BackupAccess.js"
import { now, stored } from "./samples.js"

const emoji = { emoji: true, color: true }
const plain = { emoji: false, color: false }

const page = (found: Partial<Found>, look = emoji, zone = WallTime.utc) =>
  BackupListing.lines(
    { backups: [], setAside: [], warnings: [], ...found },
    "/app/backups",
    now,
    look,
    zone
  ).join("\n")

const last = stored({ startedAt: "2025-12-11T03:00:00.123Z", drilledAt: "2025-12-07T05:00:00Z" })

describe("the page of holter backup list", () => {
  it("has its times in the zone of who reads, and says which", () => {
    const shown = page({ backups: [last] }, plain, DateTime.zoneMakeOffset(19_800_000))
    assert.match(shown, /^WHEN \(\+05:30\) +AGE/m)
    assert.match(shown, /^2025-12-11 08:30:00 +5h .*_20251211_030000_123/m)
  })

  it("says what there is, how old it is, and whether it can be trusted", () => {
    const backups = [
      last,
      stored({
        startedAt: "2025-12-10T03:00:00Z",
        bytes: 12,
        problem: "12 bytes, the manifest says 41,000,000"
      }),
      stored({ startedAt: "2025-12-09T03:00:00Z", verifiedAt: null, pinned: true }),
      stored({ startedAt: "2025-12-08T12:00:00.123Z", bare: true }),
      stored({ startedAt: "2025-12-07T08:00:00Z", preRestore: true })
    ]
    const setAside = [
      {
        name: "bot_pre_restore_20251201_120000_000",
        at: DateTime.unsafeMake("2025-12-01T12:00:00Z"),
        bytes: 700_000_000
      }
    ]
    assert.strictEqual(page({ backups, setAside }), sample)
  })

  it("says in its first line that there is nothing to go back to", () => {
    assert.strictEqual(page({}), "❌ /app/backups: no backup that could be restored")
    const broken = stored({ startedAt: "2025-12-10T03:00:00Z", problem: "empty" })
    const [first] = page({ backups: [broken] }, plain).split("\n")
    assert.strictEqual(
      first,
      "[failed] /app/backups: no backup that could be restored, 1 with a problem"
    )
  })

  it("does not take a pre-restore backup for one to go back to", () => {
    const saved = stored({ startedAt: "2025-12-10T03:00:00Z", preRestore: true })
    assert.match(page({ backups: [saved] }), /^❌ .*no backup/)
  })

  it("says which one may not hold all, and why, unless somebody has pinned it", () => {
    const suspect = { startedAt: "2025-12-11T03:00:00.123Z", suspect: ["Table users is gone"] }
    const [first, , , , row, why] = page({ backups: [stored(suspect)] }, plain).split("\n")
    assert.strictEqual(
      first,
      "[warning] /app/backups: 1 backup, the newest from 5h ago, which may not hold all"
    )
    assert.match(row ?? "", / verified, suspect  dmarket_bot_sqlite_/)
    assert.strictEqual(why, "  [warning] Table users is gone")
    const pinned = page({ backups: [stored({ ...suspect, pinned: true })] }, plain)
    assert.match(pinned, /^\[ok\] .*5h ago\n/)
    assert.notInclude(pinned, "users")
  })

  it("is well where every backup is", () => {
    assert.match(
      page({ backups: [last] }, plain),
      /^\[ok\] \/app\/backups: 1 backup, the newest from 5h ago\n/
    )
  })
})

const sample = `⚠️  /app/backups: 4 backups, the newest from 5h ago, 2 with a problem

Backups, newest first:
WHEN (UTC)           AGE   SIZE  TABLES    ROWS  CHECKED           NAME
2025-12-11 03:00:00   5h  41 MB       2  48,210  drilled 4d ago    dmarket_bot_sqlite_20251211_030000_123.db.gz
2025-12-10 03:00:00  29h   12 B       2  48,210  not good          dmarket_bot_sqlite_20251210_030000_000.db.gz
  ❌ 12 bytes, the manifest says 41,000,000
2025-12-09 03:00:00   2d  41 MB       2  48,210  not good, pinned  dmarket_bot_sqlite_20251209_030000_000.db.gz
  ❌ found corrupt by holter backup verify
2025-12-08 12:00:00   3d  41 MB       ?       ?  no manifest       dmarket_bot_sqlite_20251208_120000_123.db.gz

Made before a restore (out of rotation; the last three stay, and those of the last day):
WHEN (UTC)           AGE   SIZE  TABLES    ROWS  CHECKED   NAME
2025-12-07 08:00:00   4d  41 MB       2  48,210  verified  dmarket_bot_pre_restore_sqlite_20251207_080000_000.db.gz

Set aside by a restore, beside the database (the last three stay, and those of the last day):
2025-12-01 12:00:00 UTC  bot_pre_restore_20251201_120000_000 (10d ago, 700 MB)`
