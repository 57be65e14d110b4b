/** A directory of backups that others can write to, and two runs that meet in one. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Deferred, Effect, Either, Fiber, Option, TestClock } from "effect"
import { execFileSync } from "node:child_process"
import {
  chownSync,
  promises,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import * as Backup from "../../src/Backup/Backup.js"
import * as BackupLock from "../../src/Backup/BackupLock.js"
import * as ProcessIdentity from "../../src/System/ProcessIdentity.js"
import * as BackupStore from "../../src/Backup/BackupStore.js"
import * as Directory from "../../src/Backup/BackupStore/Directory.js"
import type { Progress, Strategy } from "../../src/Backup/BackupStrategy/Strategy.js"
import * as LocalFiles from "../../src/Backup/LocalFiles.js"
import * as Manifest from "../../src/Backup/Manifest.js"
import * as Runner from "../support/backup/Runner.js"
import * as Scripted from "../support/backup/scripted.js"
import { strategy } from "../support/SqliteBackup.js"
import * as TempDir from "../support/TempDir.js"
import * as Bench from "./bench.js"
import { dump, manifest } from "./manifests.js"

const day = { users: ["ann"], orders: ["1"] }

/** Who owns what, with which rights and content. */
const treeOf = (folder: string) =>
  ["", "deep", "deep/file"].map((name) => {
    const { gid, ino, mode, uid } = statSync(path.join(folder, name))
    const content = name.endsWith("file") ? readFileSync(path.join(folder, name), "utf8") : ""
    return { gid, ino, mode, uid, content }
  })

describe("What lies in a directory of backups", () => {
  it.scoped("is not waited for as a manifest, and not shown where it is another file", () =>
    Effect.gen(function* () {
      const { backup, directory, folder, run } = yield* Bench.make({ options: { keep: 9 } })
      yield* Effect.repeatN(backup(day), 3)
      const secret = path.join(folder, "secret")
      writeFileSync(secret, "root:x:0:0")
      const replace = (name: string, make: (file: string) => void) => {
        const file = path.join(directory, Manifest.fileOf(name))
        renameSync(file, path.join(folder, name))
        make(file)
      }
      const names = readdirSync(directory).filter((name) => name.endsWith(".db"))
      const [first = "", second = "", third = ""] = names
      replace(first, (file) => execFileSync("mkfifo", [file]))
      replace(second, (file) => symlinkSync("/dev/zero", file))
      replace(third, (file) => linkSync(secret, file))
      const { backups } = yield* run((it) => it.list)
      const problems = backups.map(({ problem }) => problem ?? "").join("\n")
      assert.match(problems, /no file, or a longer one/)
      assert.match(problems, /a symbolic link/)
      assert.match(problems, /a damaged manifest: no JSON/)
      assert.notInclude(problems, "root")
      assert.isUndefined(backups[0]?.problem)
      yield* backup(day)
    })
  )

  it.scoped("is not followed out of it where others can write, whoever works there", () =>
    Effect.gen(function* () {
      const { as, backup, directory, folder } = yield* Bench.make({ options: { keep: 1 } })
      const outside = path.join(folder, "outside")
      mkdirSync(path.join(outside, "deep"), { recursive: true, mode: 0o755 })
      writeFileSync(path.join(outside, "deep", "file"), "of somebody else", { mode: 0o644 })
      const before = treeOf(outside)
      const made = yield* backup(day)
      // As root it is a directory of somebody else.
      if (process.geteuid?.() === 0) chownSync(directory, 65_534, 65_534)
      const dead = ProcessIdentity.format({ ...(yield* ProcessIdentity.self), started: "1" })
      const left = (text: string) => path.join(directory, `.partial-${dead}-${text.repeat(16)}`)
      symlinkSync(outside, left("a"))
      mkdirSync(left("b"))
      symlinkSync(outside, path.join(left("b"), "link"))
      symlinkSync(path.join(outside, "deep", "file"), left("c"))
      // Backups by their names, and what belongs to them.
      const old = made.name.replace("20261126", "20200101")
      symlinkSync(outside, path.join(directory, old))
      symlinkSync(path.join(outside, "deep", "file"), path.join(directory, Manifest.fileOf(old)))
      const older = made.name.replace("20261126", "20190101")
      symlinkSync(outside, path.join(directory, Manifest.globalsOf(older)))
      const text = { ...made.manifest, name: older }
      writeFileSync(
        path.join(directory, Manifest.fileOf(older)),
        Either.getOrThrow(Manifest.toJson(text))
      )
      const next = yield* backup(day)
      assert.includeMembers(
        [...next.swept],
        [...["a", "b", "c"].map((each) => path.basename(left(each))), Manifest.fileOf(older)]
      )
      yield* as({})((it) => it.verify())
      yield* as({})((it) => it.prune())
      yield* as({})((it) => it.restore(Bench.latest))
      assert.deepStrictEqual(treeOf(outside), before)
    })
  )

  it.scoped("is refused as a lock, with what to do", () =>
    Effect.gen(function* () {
      const { directory, run } = yield* Bench.make()
      mkdirSync(directory, { mode: 0o700 })
      execFileSync("mkfifo", [path.join(directory, ".holter-lock-1")])
      const error = yield* Effect.flip(run((it) => it.create()))
      assert.include(error.message, ".holter-lock-1")
      assert.include(error.message, "remove it")
    })
  )

  it.scoped("is not believed what fields of other files say", () =>
    Effect.sync(() => {
      const read = Manifest.fromJson(JSON.stringify({ version: 1, name: { password: "hunter2" } }))
      assert.strictEqual(read._tag, "Left")
      assert.notInclude(JSON.stringify(read), "hunter2")
      const time = Manifest.fromJson(
        Either.getOrThrow(Manifest.toJson(manifest({ startedAt: 0 }))).replace(
          /"started_at": "[^"]*"/,
          '"started_at": "hunter2"'
        )
      )
      assert.deepStrictEqual(
        time,
        Either.left("a damaged manifest: started_at: Expected DateTime.Utc")
      )
    })
  )

  it.scopedLive("has no more content than the manifest says, or the header", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("bomb")
      const file = path.join(folder, "bot.db.gz")
      const header = Buffer.alloc(100)
      header.write("SQLite format 3\0")
      header.writeUInt16BE(4096, 16)
      header.writeUInt32BE(1, 24)
      header.writeUInt32BE(2, 28)
      header.writeUInt32BE(1, 92)
      const content = Buffer.concat([header, Buffer.alloc(64 * 1024 * 1024)])
      const packed = gzipSync(content)
      writeFileSync(file, packed)
      const sqlite = yield* strategy(path.join(folder, "bot.db"))
      const sha256 = yield* LocalFiles.sha256(file)
      const record = { ...dump, bytes: packed.length, contentBytes: 8192, sha256 }
      for (const of of [record, undefined]) {
        const payload = { path: file, compression: "gzip" as const, dump: of }
        const options = { deep: false, onProgress: () => Effect.void }
        const error = yield* Effect.flip(Effect.asVoid(sqlite.verify(payload, options)))
        assert.strictEqual(error.reason, "Corrupt", error.message)
        assert.include(error.message, "expected 8192 bytes of content, found more")
      }
    })
  )

  it.scopedLive("has modes that are set, whatever the umask is", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("umask")
      const runner = yield* Runner.make
      const database = path.join(folder, "bot.json")
      writeFileSync(database, '{"users":["ann"]}\nend\n')
      const directory = path.join(folder, "new", "backups")
      const order = { work: "create" as const, database, directory }
      const report = yield* runner.run(order, ["sh", "-c", 'umask 777; exec "$@"', "sh"])
      assert.isUndefined(report?.reason)
      const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)
      for (const made of [path.dirname(directory), directory])
        assert.strictEqual(modeOf(made), "700")
      const files = readdirSync(directory)
      assert.lengthOf(files, 2)
      for (const name of files) assert.strictEqual(modeOf(path.join(directory, name)), "600", name)
    })
  )
})

const acquire = (directory: string, purpose: string) =>
  Effect.flatMap(Directory.make({ path: directory, create: true }), (objects) =>
    BackupLock.acquire(objects, purpose)
  )

/** The virtual clock goes on, while files are worked on in real time. */
const aCall = Effect.promise(() => promises.stat("/"))

/** Until the work is over. */
const whileTimePasses = <A, E>(work: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(work)
    let end = yield* Fiber.poll(fiber)
    while (Option.isNone(end)) {
      yield* aCall
      if (!Chunk.isEmpty(yield* TestClock.sleeps())) yield* TestClock.adjust("31 seconds")
      end = yield* Fiber.poll(fiber)
    }
    return yield* end.value
  })

describe("A run that comes second", () => {
  it.scoped("waits for the first, and shows that", () =>
    Effect.gen(function* () {
      const { directory, run } = yield* Bench.make()
      const notes: Array<string> = []
      mkdirSync(directory, { mode: 0o700 })
      yield* Effect.fork(
        Effect.scoped(
          Effect.zipRight(acquire(directory, "create a backup"), Effect.sleep("20 minutes"))
        )
      )
      while (!readdirSync(directory).includes(".holter-lock-1")) yield* aCall
      yield* whileTimePasses(
        run((it) =>
          it.create({ onProgress: ({ note }) => Effect.sync(() => notes.push(note ?? "")) })
        )
      )
      assert.match(notes[0] ?? "", /one to create a backup by process \d+ on .*, since 2026-/)
    })
  )

  it.scoped("waits for a time at most, and not for a restore, which waits for an answer", () =>
    Effect.gen(function* () {
      for (const [purpose, lockPatience] of [
        ["create a backup", "4 seconds"],
        [BackupLock.restoring, "1 hour"]
      ] as const) {
        const { directory, run } = yield* Bench.make({ options: { lockPatience } })
        mkdirSync(directory, { mode: 0o700 })
        yield* acquire(directory, purpose)
        const error = yield* whileTimePasses(Effect.flip(run((it) => it.create())))
        assert.strictEqual(error.reason, "Locked")
        assert.include(error.message, purpose)
      }
    })
  )

  it.scoped("waits also where it is another layer of the same program", () =>
    Effect.gen(function* () {
      const { as, directory } = yield* Bench.make({ options: { keep: 9 } })
      const notes: Array<string> = []
      const started = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      // The first holds the lock while it dumps, until the second is seen to wait.
      const slow = (strategy: Strategy): Strategy => ({
        ...strategy,
        dump: (options) =>
          Deferred.succeed(started, undefined).pipe(
            Effect.zipRight(Deferred.await(goOn)),
            Effect.zipRight(strategy.dump(options))
          )
      })
      const first = yield* Effect.fork(as({ strategy: slow })((it) => it.create()))
      yield* Deferred.await(started)
      const onProgress = ({ note = "" }: Progress) =>
        Effect.sync(() => {
          if (note !== "") notes.push(note)
        }).pipe(Effect.zipRight(Deferred.succeed(goOn, undefined)))
      const second = yield* whileTimePasses(as({})((it) => it.create({ onProgress })))
      const { name } = yield* Fiber.join(first)
      assert.match(notes[0] ?? "", new RegExp(`by process ${process.pid} on `))
      assert.notStrictEqual(second.name, name)
      assert.includeMembers(readdirSync(directory), [name, second.name])
    })
  )

  it.scoped("at a store of copies waits there, and no copy is lost", () =>
    Effect.gen(function* () {
      const { copies, files, folder, layerOf } = yield* Bench.make({ copies: 1 })
      const [copy = ""] = copies
      const started = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const ofDirectory = (name: string) =>
        Effect.gen(function* () {
          const database = path.join(folder, `${name}.json`)
          yield* Scripted.write(database, day)
          const store = BackupStore.layerDirectory({
            path: path.join(folder, name),
            copies: [copy],
            host: "web1"
          })
          const stores = yield* Effect.provide(BackupStore.BackupStore, store)
          const create = (onProgress?: (progress: Progress) => Effect.Effect<void>) =>
            Effect.flatMap(Backup.Backup, (backup) => backup.create({ onProgress })).pipe(
              Effect.provide(layerOf({ scripted: { file: database } }, stores))
            )
          return create
        })
      // The first has the lock of the store while the second comes to it.
      const first = yield* ofDirectory("one")
      const second = yield* ofDirectory("two")
      const held = yield* Effect.fork(
        first(({ stage }) =>
          stage === "copy"
            ? Effect.zipRight(Deferred.succeed(started, undefined), Deferred.await(goOn))
            : Effect.void
        )
      )
      yield* Deferred.await(started)
      const waited = yield* Deferred.make<string>()
      yield* TestClock.adjust("1 minute")
      const behind = yield* Effect.fork(
        second(({ note = "", stage }) =>
          stage === "wait" ? Effect.asVoid(Deferred.succeed(waited, note)) : Effect.void
        )
      )
      assert.match(yield* Deferred.await(waited), /one to copy a backup by process/)
      yield* Deferred.succeed(goOn, undefined)
      const one = yield* Fiber.join(held)
      yield* TestClock.adjust("2 seconds")
      const other = yield* Fiber.join(behind)
      for (const { copies: made, name } of [one, other]) {
        assert.deepStrictEqual(
          made.map(({ problem }) => problem),
          [undefined]
        )
        assert.include(files(copy), name)
      }
      assert.strictEqual((yield* second()).copies[0]?.problem, undefined)
    })
  )

  it.scoped("makes up for the copies that a store lacks", () =>
    Effect.gen(function* () {
      const { backup, copies, failAt, files, heal } = yield* Bench.make({ copies: 1 })
      yield* backup(day)
      failAt("create/copy")
      const missed = yield* backup(day)
      assert.isDefined(missed.copies[0]?.problem)
      heal()
      yield* backup(day)
      assert.include(files(copies[0]), missed.name)
      assert.deepStrictEqual(files(copies[0]), files())
      // Retention, which is the same there, owes it nothing that it would remove at once.
      yield* backup(day)
      assert.deepStrictEqual(files(copies[0]), files())
    })
  )
})
