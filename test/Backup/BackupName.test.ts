import { assert, describe, it } from "@effect/vitest"
import { DateTime, FastCheck as fc, Option } from "effect"
import * as BackupName from "../../src/Backup/BackupName.js"

const word = fc.stringMatching(/^[a-z0-9]{1,8}$/)
const name: fc.Arbitrary<BackupName.BackupName> = fc.record({
  app: fc.string({ maxLength: 40 }).map(BackupName.slug),
  preRestore: fc.boolean(),
  engine: fc.stringMatching(/^[a-z][a-z0-9]{0,11}$/),
  startedAt: fc
    .integer({ min: 0, max: Date.UTC(9999, 11, 31) })
    .map((millis) => DateTime.unsafeMake(millis)),
  extension: fc.oneof(
    fc.constantFrom("db", "db.gz", "db.zst", "dump"),
    word.filter((text) => text !== "json")
  )
})

const read = (file: string) => {
  const parsed = Option.getOrThrow(BackupName.parse(file))
  return { ...parsed, startedAt: DateTime.formatIso(parsed.startedAt) }
}

describe("BackupName", () => {
  it("reads what it writes", () => {
    fc.assert(
      fc.property(name, (given) => {
        const file = BackupName.format(given)
        const parsed = Option.getOrThrow(BackupName.parse(file))
        assert.deepStrictEqual(
          { ...parsed, startedAt: parsed.startedAt.epochMillis },
          { ...given, startedAt: given.startedAt.epochMillis }
        )
        assert.strictEqual(BackupName.format(parsed), file)
      }),
      { numRuns: 2000 }
    )
  })

  it("sorts by text as by time", () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        const [a, b] = [one, { ...one, startedAt: other.startedAt }].map(BackupName.format)
        assert.strictEqual(
          (a ?? "") < (b ?? ""),
          one.startedAt.epochMillis < other.startedAt.epochMillis
        )
      })
    )
  })

  for (const [file, startedAt, extension] of [
    ["dmarket_bot_sqlite_20251211_120000_123.db.gz", "2025-12-11T12:00:00.123Z", "db.gz"],
    ["dmarket_bot_sqlite_20251211_120000_123456.db.gz", "2025-12-11T12:00:00.123Z", "db.gz"],
    ["dmarket_bot_sqlite_20251211_120000.db", "2025-12-11T12:00:00.000Z", "db"],
    ["dmarket_bot_sqlite_20251211.db.gz", "2025-12-11T00:00:00.000Z", "db.gz"],
    ["dmarket_bot_sqlite_20251211.db", "2025-12-11T00:00:00.000Z", "db"],
    ["dmarket_bot_sqlite_20240229_235959_999.dump", "2024-02-29T23:59:59.999Z", "dump"]
  ] as const) {
    it(`reads ${file}`, () => {
      assert.deepStrictEqual(read(file), {
        app: "dmarket_bot",
        preRestore: false,
        engine: "sqlite",
        startedAt,
        extension
      })
    })
  }

  it("knows a pre-restore backup by the end of the app", () => {
    const file = "dmarket_bot_pre_restore_sqlite_20261126_030000_000.db.gz"
    const { app, preRestore } = read(file)
    assert.deepStrictEqual({ app, preRestore }, { app: "dmarket_bot", preRestore: true })
  })

  for (const file of [
    "",
    "backup.db",
    "bot_sqlite_20251311_120000_123.db",
    "bot_sqlite_20250230.db",
    "bot_sqlite_20250229_120000_123.db",
    "bot_sqlite_20251211_240000_000.db",
    "bot_sqlite_20251211_126000_000.db",
    "bot_sqlite_20251211_120060_000.db",
    "bot_sqlite_20251211_120000_12.db",
    "bot_sqlite_20251211_120000_123",
    "bot_sqlite_20251211_120000_123.db-wal",
    "bot_sqlite_20251211_120000_123.db.gz.tmp",
    "bot_sqlite_20251211_120000_123.db.manifest.json",
    "_sqlite_20251211_120000_123.db",
    "../bot_sqlite_20251211_120000_123.db",
    "bot_sqlite_20251211_120000_123.db\n",
    ".partial-bot_sqlite_20251211_120000_123.db"
  ]) {
    it(`takes ${JSON.stringify(file)} for no backup`, () => {
      assert.isTrue(Option.isNone(BackupName.parse(file)))
    })
  }

  for (const [app, slug] of [
    ["DMarket Bot", "dmarket_bot"],
    ["  Élan -- vital! ", "elan_vital"],
    ["Бот", "app"],
    ["", "app"],
    ["../../etc/passwd", "etc_passwd"],
    ["My Pre Restore", "my_prerestore"],
    ["pre_restore", "pre_restore"]
  ] as const) {
    it(`writes the app ${JSON.stringify(app)} as ${slug}`, () => {
      assert.strictEqual(BackupName.slug(app), slug)
    })
  }

  it("finds the next millisecond that is free", () => {
    fc.assert(
      fc.property(name, fc.integer({ min: 0, max: 50 }), (given, count) => {
        const taken = new Set<string>()
        for (let index = 0; index <= count; index++) {
          const free = BackupName.nextFree(given, (file) => taken.has(file))
          assert.strictEqual(free.startedAt.epochMillis - given.startedAt.epochMillis, index)
          taken.add(BackupName.format(free))
        }
      })
    )
  })
})
