/** Root at work in a directory that somebody else owns. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as ProcessIdentity from "../../../src/System/ProcessIdentity.js"
import * as Scratch from "../../../src/Backup/BackupStrategy/Sqlite/Scratch.js"
import { fill, inDatabase, scripted, strategy, value } from "../../support/SqliteBackup.js"
import * as TempDir from "../../support/TempDir.js"

const silent = () => Effect.void
const gzip = { compression: "gzip", level: 1, onProgress: silent } as const
const startedAt = DateTime.unsafeMake("2026-01-02T03:04:05.678Z")
const restoring = { startedAt, replaceDamaged: true, onProgress: silent }
const [uid, gid] = [65_534, 65_534]

/** A bot's directory and database, and root's directory of backups beside it, where the bot may not look. */
const home = Effect.gen(function* () {
  const outer = fs.realpathSync(yield* TempDir.make("rights"))
  const run = path.dirname(outer)
  // The run's own folder is closed to others.
  for (const each of [outer, run]) fs.chmodSync(each, 0o711)
  const directory = path.join(outer, "bot")
  const backups = path.join(outer, "backups")
  fs.mkdirSync(directory)
  fs.mkdirSync(backups, { mode: 0o700 })
  const file = path.join(directory, "bot.db")
  inDatabase(file, (database) => fill(database, 500))
  fs.chownSync(file, uid, gid)
  fs.chownSync(directory, uid, gid)
  return { outer, directory, backups, file }
})

/** A hot journal without pages, which names a super-journal: SQLite deletes that after the rollback. */
const forgeJournal = (file: string, superJournal: string) => {
  const magic = Buffer.from("d9d505f920a163d7", "hex")
  const head = Buffer.alloc(512)
  magic.copy(head)
  const numbers = [0, 0, fs.statSync(file).size / 4096, head.length, 4096]
  for (const [at, number] of numbers.entries()) head.writeUInt32BE(number, 8 + 4 * at)
  const name = Buffer.from(superJournal)
  const [lockPage, tail] = [Buffer.alloc(4), Buffer.alloc(8)]
  lockPage.writeUInt32BE(2 ** 30 / 4096 + 1)
  tail.writeUInt32BE(name.length)
  tail.writeUInt32BE(
    name.reduce((sum, byte) => sum + byte, 0),
    4
  )
  fs.writeFileSync(`${file}-journal`, Buffer.concat([head, lockPage, name, tail, magic]))
}

const suite = () => {
  it.scopedLive(
    "dumps and restores with the rights of the database's owner",
    () =>
      Effect.gen(function* () {
        const { backups, directory, file } = yield* home
        const sqlite = yield* strategy(file)
        assert.isAbove(yield* sqlite.estimate, 0)
        for (const compression of ["gzip", "none"] as const) {
          const target = path.join(backups, `p.${compression}`)
          const dump = yield* sqlite.dump({ ...gzip, compression, path: target })
          assert.deepInclude(fs.statSync(target), { uid: 0 })
          const payload = { path: target, compression, dump } as const
          if (compression === "none") break
          yield* sqlite.verify(payload, { deep: true, onProgress: silent })
          inDatabase(file, (database) => database.exec("DELETE FROM items"))
          const restored = yield* sqlite.restore(payload, restoring)
          assert.deepInclude(restored.tables, { name: "items", rows: 500 })
          // In the place of what is no database any more, and of nothing.
          fs.writeFileSync(file, Buffer.alloc(4096))
          yield* sqlite.restore(payload, restoring)
          assert.deepInclude(fs.statSync(file), { uid, gid })
          const aside = yield* sqlite.setAside
          yield* sqlite.dropSetAside(aside[0]?.name ?? "")
          fs.rmSync(file)
          yield* sqlite.restore(payload, restoring)
          const { gid: group, mode, uid: user } = fs.statSync(file)
          assert.deepStrictEqual([user, group, mode & 0o777], [uid, gid, 0o600])
          assert.deepStrictEqual(fs.readdirSync(directory), ["bot.db"])
        }
      }),
    180_000
  )

  it.scopedLive("lets no journal of the bot's delete another's file", () =>
    Effect.gen(function* () {
      const { backups, file, outer } = yield* home
      const [victim, control] = [path.join(outer, "victim"), path.join(outer, "control")]
      // Empty ones it takes for none.
      for (const each of [victim, control]) fs.writeFileSync(each, "of somebody else")
      // Root itself, by SQLite, does delete what such a journal names.
      const copy = path.join(outer, "copy.db")
      fs.copyFileSync(file, copy)
      forgeJournal(copy, control)
      inDatabase(copy, (database) => value(database, "SELECT count(*) FROM items"))
      assert.isFalse(fs.existsSync(control))
      forgeJournal(file, victim)
      fs.chownSync(`${file}-journal`, uid, gid)
      const sqlite = yield* strategy(file)
      yield* Effect.either(sqlite.present)
      yield* Effect.either(sqlite.dump({ ...gzip, path: path.join(backups, "p.db.gz") }))
      assert.isTrue(fs.existsSync(victim))
    })
  )

  it.scopedLive("sweeps nothing that is not its own, and follows no link", () =>
    Effect.gen(function* () {
      const outer = yield* TempDir.make("rights")
      const dead = ProcessIdentity.format({ ...(yield* ProcessIdentity.self), started: "1" })
      const named = (text: string) => path.join(outer, `.holter-scratch-${dead}-${text.repeat(16)}`)
      const elsewhere = path.join(outer, "elsewhere")
      fs.mkdirSync(elsewhere, { mode: 0o700 })
      fs.writeFileSync(path.join(elsewhere, "content"), "not of a run")
      const [own, forged, open, linked, full] = ["a", "b", "c", "d", "e"].map(named) as [
        string,
        string,
        string,
        string,
        string
      ]
      for (const each of [own, forged, open, full]) {
        fs.mkdirSync(each, { mode: 0o700 })
        fs.writeFileSync(path.join(each, "content"), "unpacked")
      }
      fs.chownSync(forged, uid, gid)
      fs.chmodSync(open, 0o777)
      fs.symlinkSync(elsewhere, linked)
      fs.writeFileSync(path.join(full, "something"), "else")
      fs.symlinkSync(path.join(elsewhere, "content"), path.join(own, "content-wal"))
      yield* Scratch.sweep(outer)
      assert.isFalse(fs.existsSync(own))
      for (const each of [forged, open, full, elsewhere]) {
        assert.isTrue(fs.existsSync(path.join(each, "content")), each)
      }
      // Nor does root make its own where another user can exchange it.
      fs.chownSync(outer, uid, gid)
      const refused = yield* Effect.flip(Scratch.make({ directories: [outer], bytes: 0 }))
      assert.include(refused.message, String(uid))
    })
  )
}

// Only root can work for others.
if (process.geteuid?.() === 0) describe("root, where somebody else owns the directory", suite)

describe("the child process for SQLite", () => {
  it.scopedLive("gets no secret of its parent's", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("rights")
      const seen = path.join(directory, "seen")
      const script = `require("node:fs").writeFileSync(${JSON.stringify(seen)}, JSON.stringify(process.env))
        process.exit()`
      const file = path.join(directory, "bot.db")
      inDatabase(file, (database) => fill(database, 1))
      const sqlite = yield* scripted(file, script)
      process.env["HOLTER_CANARY"] = "secret"
      const failed = yield* Effect.flip(sqlite.estimate)
      delete process.env["HOLTER_CANARY"]
      assert.strictEqual(failed.reason, "ChildFailed")
      const names = Object.keys(JSON.parse(fs.readFileSync(seen, "utf8")) as object)
      assert.include(names, "PATH")
      assert.notInclude(names, "HOLTER_CANARY")
    })
  )
})
