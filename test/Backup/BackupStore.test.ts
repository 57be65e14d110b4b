import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, Effect, Either, Option } from "effect"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import * as path from "node:path"
import * as ProcessIdentity from "../../src/System/ProcessIdentity.js"
import * as Crowd from "../../src/Backup/BackupStore/Directory/Crowd.js"
import type { Store } from "../../src/Backup/Store.js"
import * as Manifest from "../../src/Backup/Manifest.js"
import * as TempDir from "../support/TempDir.js"
import * as Tmpfs from "../support/Tmpfs.js"
import { storeIn } from "./bench.js"
import { manifest } from "./manifests.js"

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")
const start = DateTime.unsafeMake("2026-11-26T12:00:00Z").epochMillis
const earlier = DateTime.unsafeMake("2024-01-01T00:00:00Z").epochMillis

const bench = Effect.gen(function* () {
  const folder = yield* TempDir.make("store")
  const directory = path.join(folder, "backups")
  const store = yield* storeIn({ path: directory, create: true })
  return { folder, directory, store, files: () => readdirSync(directory).toSorted() }
})

/** What a strategy would have written, and the record of it. */
const record = (text: string, startedAt = start): Manifest.Manifest => {
  const known = manifest({ startedAt })
  return { ...known, dump: { ...known.dump, bytes: text.length, sha256: sha256(text) } }
}

const publish = (store: Store, text: string, known = record(text)) =>
  Effect.scoped(
    Effect.gen(function* () {
      const stage = yield* store.stage
      writeFileSync(stage.path, text)
      yield* stage.publish(known)
      return known.name
    })
  )

describe("A directory of backups", () => {
  it.scopedLive("is made for this user alone, and holds what was published", () =>
    Effect.gen(function* () {
      const { directory, files, store } = yield* bench
      assert.deepStrictEqual(yield* store.list, [])
      const name = yield* publish(store, "content")
      assert.deepStrictEqual(files(), [name, `${name}.manifest.json`])
      assert.strictEqual(statSync(directory).mode & 0o777, 0o700)
      for (const file of files()) {
        assert.strictEqual(statSync(path.join(directory, file)).mode & 0o777, 0o600, file)
      }
      const [stored] = yield* store.list
      assert.deepStrictEqual(Option.getOrNull(stored?.manifest ?? Option.none()), record("content"))
      assert.isUndefined(stored?.problem)
      const file = yield* store.fetch(name)
      assert.strictEqual(readFileSync(file, "utf8"), "content")
      assert.deepStrictEqual((yield* store.describe).warnings, [])
    })
  )

  it.scopedLive(
    "leaves nothing of a stage that was not published, nor of what lies beside it",
    () =>
      Effect.gen(function* () {
        const { files, store } = yield* bench
        yield* Effect.scoped(
          Effect.gen(function* () {
            const stage = yield* store.stage
            mkdirSync(stage.path)
            writeFileSync(path.join(stage.path, "part"), "x")
            writeFileSync(`${stage.path}-wal`, "x")
            assert.lengthOf(files(), 2)
          })
        )
        assert.deepStrictEqual(files(), [])
      })
  )

  for (const place of ["/proc/holter", "/proc/holter/deep/er", "/dev/null/x"]) {
    it.scopedLive(`says at once where no directory can be made: ${place}`, () =>
      Effect.gen(function* () {
        for (const create of [true, false]) {
          const store = yield* storeIn({ path: place, create })
          const error = yield* Effect.flip(Effect.scoped(store.lock("test")))
          assert.strictEqual(error.reason, "StoreFailed")
          assert.include(error.message, "expected a directory")
        }
      })
    )
  }

  it.scopedLive(
    "is made with all that is missing above it, by links too, and not over a file",
    () =>
      Effect.gen(function* () {
        const folder = yield* TempDir.make("above")
        symlinkSync("real", path.join(folder, "link"))
        const deep = path.join(folder, "link", "a", "b")
        const lock = Effect.flatMap(storeIn({ path: deep, create: true }), (store) =>
          Effect.scoped(store.lock("test"))
        )
        const dangling = yield* Effect.flip(lock)
        assert.strictEqual(dangling.reason, "StoreFailed")
        assert.include(dangling.message, "a link to nothing")
        mkdirSync(path.join(folder, "real"))
        yield* lock
        assert.strictEqual(statSync(deep).mode & 0o777, 0o700)
        rmSync(deep, { recursive: true })
        writeFileSync(path.join(folder, "real", "a", "b"), "")
        assert.include((yield* Effect.flip(lock)).message, "found a file")
      })
  )

  it.scopedLive("refuses what is not read back as it was recorded", () =>
    Effect.gen(function* () {
      const { files, store } = yield* bench
      for (const [text, recorded] of [
        ["short", "a longer one"],
        ["content", "CONTENT"],
        ["", ""]
      ] as const) {
        const error = yield* Effect.flip(publish(store, text, record(recorded)))
        assert.strictEqual(error.reason, "Corrupt", text)
      }
      const nothing = yield* Effect.flip(
        Effect.scoped(Effect.flatMap(store.stage, (stage) => stage.publish(record("x"))))
      )
      assert.include(nothing.message, "found nothing")
      const linked = yield* Effect.flip(
        Effect.scoped(
          Effect.flatMap(store.stage, (stage) => {
            symlinkSync("/etc/hostname", stage.path)
            return stage.publish(record("x"))
          })
        )
      )
      assert.include(linked.message, "neither a file nor a directory")
      assert.deepStrictEqual(files(), [])
    })
  )

  it.scopedLive("never writes over what has the name", () =>
    Effect.gen(function* () {
      const { directory, files, store } = yield* bench
      const name = yield* publish(store, "first")
      const again = yield* Effect.flip(publish(store, "second", record("second")))
      assert.strictEqual(again.reason, "StoreFailed")
      assert.include(again.message, "a file, which is left alone")
      assert.strictEqual(readFileSync(path.join(directory, name), "utf8"), "first")
      // A file of the Python script gets no manifest by that.
      const foreign = record("third", start + 1)
      writeFileSync(path.join(directory, foreign.name), "of Python")
      yield* Effect.flip(publish(store, "third", foreign))
      assert.deepStrictEqual(files(), [name, `${name}.manifest.json`, foreign.name].toSorted())
      // Nor is a manifest written over.
      const other = record("fourth", start + 2)
      writeFileSync(path.join(directory, `${other.name}.manifest.json`), "something")
      yield* Effect.flip(publish(store, "fourth", other))
      assert.isFalse(existsSync(path.join(directory, other.name)))
      assert.strictEqual(
        readFileSync(path.join(directory, `${other.name}.manifest.json`), "utf8"),
        "something"
      )
    })
  )

  it.scopedLive("holds backups that are directories", () =>
    Effect.gen(function* () {
      const { directory, files, store } = yield* bench
      const parts = [
        { path: "blobs/1.dat", bytes: 3, sha256: sha256("one") },
        { path: "toc.dat", bytes: 3, sha256: sha256("two") }
      ]
      const known = record("")
      const whole = {
        ...known,
        dump: { ...known.dump, bytes: 6, sha256: sha256(Manifest.listParts(parts)), parts }
      }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const stage = yield* store.stage
          mkdirSync(path.join(stage.path, "blobs"), { recursive: true })
          writeFileSync(path.join(stage.path, "blobs/1.dat"), "one")
          writeFileSync(path.join(stage.path, "toc.dat"), "two")
          yield* stage.publish(whole)
        })
      )
      const read = (yield* store.list)[0]
      assert.deepStrictEqual([read?.bytes, read?.problem], [6, undefined])
      assert.strictEqual(statSync(path.join(directory, whole.name)).mode & 0o777, 0o700)
      rmSync(path.join(directory, whole.name, "blobs/1.dat"))
      assert.include((yield* store.list)[0]?.problem, "blobs/1.dat")
      yield* store.remove(whole.name)
      assert.deepStrictEqual(files(), [])
    })
  )

  it.scopedLive.each([
    ["a few", 0],
    ["thousands, as a thread of its own does", Crowd.many]
  ] as const)("tells what is wrong at a look, of %s", ([, others]) =>
    Effect.gen(function* () {
      const { directory, store } = yield* bench
      mkdirSync(directory, { mode: 0o700 })
      for (let index = 0; index < others; index++) {
        const known = record("content", earlier + index)
        const { name } = known
        const text = Manifest.toJson(known)
        writeFileSync(path.join(directory, name), "content")
        writeFileSync(path.join(directory, Manifest.fileOf(name)), Either.getOrThrow(text))
      }
      const broken = [
        ["a damaged manifest", "{"],
        ["made by a newer Holter", '{"version":9}']
      ] as const
      for (const [index, [, text]] of broken.entries()) {
        const name = yield* publish(store, "content", record("content", start + index))
        writeFileSync(path.join(directory, Manifest.fileOf(name)), text)
      }
      const grown = yield* publish(store, "content", record("content", start + 10))
      writeFileSync(path.join(directory, grown), "content and more")
      const swapped = yield* publish(store, "content", record("content", start + 11))
      const other = Either.getOrThrow(Manifest.toJson(record("content", start + 99)))
      writeFileSync(path.join(directory, Manifest.fileOf(swapped)), other)
      writeFileSync(path.join(directory, "bot_sqlite_20251211_120000_123.db.gz"), "of Python")
      writeFileSync(path.join(directory, "bot_sqlite_20251211_120000_124.db.gz"), "")
      symlinkSync("/etc/hostname", path.join(directory, "bot_sqlite_20251211_120000_125.db"))
      execFileSync("mkfifo", [path.join(directory, "bot_sqlite_20251211_120000_126.db")])
      writeFileSync(path.join(directory, "notes.txt"), "not a backup")
      const unread = yield* publish(store, "content", record("content", start + 12))
      const pipe = path.join(directory, Manifest.fileOf(unread))
      rmSync(pipe)
      execFileSync("mkfifo", [pipe])
      const problems = (yield* store.list).map(({ problem }) => problem)
      const sound = problems.splice(problems.length - others)
      assert.isTrue(sound.every((problem) => problem === undefined))
      const [, , , , damaged] = problems
      assert.match(damaged ?? "", /^a damaged manifest: ./)
      assert.deepStrictEqual(problems, [
        `the manifest is of ${record("", start + 99).name}`,
        "a manifest that cannot be read (no file, or a longer one)",
        "16 bytes long, and 7 by its manifest",
        "a manifest of version 9, made by a newer Holter",
        damaged,
        "neither a file nor a directory",
        "a symbolic link, which is not followed",
        "empty",
        undefined
      ])
    })
  )

  it.scopedLive("reads what was made of a manifest once for a run", () =>
    Effect.gen(function* () {
      const { store } = yield* bench
      const name = yield* publish(store, "content")
      const known = Effect.map(store.list, ([first]) =>
        Option.getOrThrow(first?.manifest ?? Option.none())
      )
      assert.notStrictEqual(yield* known, yield* known)
      yield* store.lock("look")
      const before = yield* known
      assert.strictEqual(yield* known, before)
      yield* store.update(name, (known) => ({ ...known, pinned: true }))
      const after = yield* known
      assert.isTrue(after.pinned)
      assert.strictEqual(after.name, name)
    })
  )

  it.scopedLive("gives out and removes nothing but backups", () =>
    Effect.gen(function* () {
      const { directory, folder, store } = yield* bench
      yield* publish(store, "content")
      writeFileSync(path.join(folder, "secret"), "x")
      writeFileSync(path.join(directory, "notes.txt"), "x")
      for (const name of ["../secret", "notes.txt", "", ".", "bot_sqlite_20251211.db"]) {
        for (const asked of [Effect.scoped(store.fetch(name)), store.remove(name)]) {
          const error = yield* Effect.flip(asked)
          assert.strictEqual(error.reason, "NotFound", name)
        }
      }
      assert.isTrue(existsSync(path.join(folder, "secret")))
      assert.isTrue(existsSync(path.join(directory, "notes.txt")))
    })
  )

  it.scopedLive("records what was learned, and only of what is there", () =>
    Effect.gen(function* () {
      const { files, store } = yield* bench
      const name = yield* publish(store, "content")
      yield* store.update(name, (known) => ({ ...known, pinned: true }))
      const [stored] = yield* store.list
      assert.isTrue(Option.exists(stored?.manifest ?? Option.none(), ({ pinned }) => pinned))
      const error = yield* Effect.flip(
        store.update(record("content", start + 5).name, (known) => known)
      )
      assert.strictEqual(error.reason, "NotFound")
      assert.deepStrictEqual(files(), [name, `${name}.manifest.json`])
    })
  )

  it.scopedLive("changes nothing any more once another run took its lock over", () =>
    Effect.gen(function* () {
      const { directory, files, store } = yield* bench
      const name = yield* publish(store, "content")
      yield* store.lock("test")
      yield* publish(store, "content", record("content", start + 1))
      const lock = path.join(directory, ".holter-lock-1")
      writeFileSync(lock, readFileSync(lock, "utf8").replace(/"id":"[^"]*"/, '"id":"other"'))
      const before = files()
      for (const change of [
        publish(store, "content", record("content", start + 2)),
        store.remove(name),
        store.sweep
      ]) {
        assert.strictEqual((yield* Effect.flip(change)).reason, "Locked")
      }
      assert.deepStrictEqual(files(), before)
    })
  )

  it.scopedLive("says that others may read it, and does not change that", () =>
    Effect.gen(function* () {
      const { directory, store } = yield* bench
      mkdirSync(directory)
      chmodSync(directory, 0o755)
      yield* publish(store, "content")
      assert.lengthOf((yield* store.describe).warnings, 1)
      assert.strictEqual(statSync(directory).mode & 0o777, 0o755)
    })
  )
})

describe("Sweeping a directory", () => {
  it.scopedLive("removes what dead runs left, and nothing of live ones or of others", () =>
    Effect.gen(function* () {
      const { directory, files, store } = yield* bench
      const name = yield* publish(store, "content")
      const me = yield* ProcessIdentity.self
      const partial = (change: Partial<ProcessIdentity.ProcessIdentity>, end: string) =>
        `.partial-${ProcessIdentity.format({ ...me, ...change })}-${end}`
      const dead = { pid: 4_194_304 }
      const unknown = { host: "other", boot: "other" }
      const left = [
        partial(dead, "0123456789abcdef"),
        partial(dead, "0123456789abcdef.manifest"),
        partial(dead, "0123456789abcdef-wal"),
        partial({ boot: "before" }, "0123456789abcdef"),
        partial(unknown, "00000000000000aa")
      ]
      const kept = [
        partial({}, "0123456789abcdef"),
        partial(unknown, "00000000000000bb"),
        ".partial-download",
        ".partial-1-2-3",
        "notes.manifest.json",
        "other.db.manifest.json"
      ]
      for (const file of [...left, ...kept]) writeFileSync(path.join(directory, file), "x")
      // The clock that counts is the one that dates the files, not this process's.
      const old = statSync(path.join(directory, kept[0] ?? "")).mtimeMs / 1000 - 125
      utimesSync(path.join(directory, left[4] ?? ""), old, old)
      const orphan = record("gone", start + 1)
      writeFileSync(
        path.join(directory, Manifest.fileOf(orphan.name)),
        Either.getOrThrow(Manifest.toJson(orphan))
      )
      // Not Holter's, as far as it can tell.
      const strange = Manifest.fileOf(record("", start + 2).name)
      writeFileSync(path.join(directory, strange), "{}")
      const aYearAhead = Clock.make()
      const swept = yield* Effect.withClock(store.sweep, {
        ...aYearAhead,
        currentTimeMillis: Effect.map(aYearAhead.currentTimeMillis, (now) => now + 3.15e10)
      })
      assert.deepStrictEqual(swept.toSorted(), [...left, Manifest.fileOf(orphan.name)].toSorted())
      assert.deepStrictEqual(files(), [...kept, strange, name, Manifest.fileOf(name)].toSorted())
      assert.deepStrictEqual(yield* store.sweep, [])
    })
  )

  it.scopedLive("removes what a drill had unpacked there, of a process that is dead", () =>
    Effect.gen(function* () {
      const { directory, files, store } = yield* bench
      yield* publish(store, "content")
      const me = yield* ProcessIdentity.self
      const scratch = (change: Partial<ProcessIdentity.ProcessIdentity>) =>
        `.holter-scratch-${ProcessIdentity.format({ ...me, ...change })}-0123456789abcdef`
      const dead = scratch({ pid: 4_194_304 })
      // Of another machine, where it may go on for hours.
      const kept = [scratch({}), scratch({ host: "other", boot: "other" })]
      for (const name of [dead, ...kept]) {
        mkdirSync(path.join(directory, name), { mode: 0o700 })
        writeFileSync(path.join(directory, name, "content"), "x")
      }
      const old = statSync(directory).mtimeMs / 1000 - 3600
      for (const name of kept) utimesSync(path.join(directory, name), old, old)
      assert.deepStrictEqual(yield* store.sweep, [dead])
      assert.includeMembers(files(), kept)
      assert.deepStrictEqual(readdirSync(path.join(directory, kept[1] ?? "")), ["content"])
    })
  )

  it.scopedLive("removes a link without what it points to", () =>
    Effect.gen(function* () {
      const { directory, folder, store } = yield* bench
      yield* publish(store, "content")
      const me = yield* ProcessIdentity.self
      mkdirSync(path.join(folder, "precious"))
      writeFileSync(path.join(folder, "precious/file"), "x")
      const link = `.partial-${ProcessIdentity.format({ ...me, pid: 4_194_304 })}-0123456789abcdef`
      symlinkSync(path.join(folder, "precious"), path.join(directory, link))
      assert.deepStrictEqual(yield* store.sweep, [link])
      assert.isTrue(existsSync(path.join(folder, "precious/file")))
    })
  )
})

describe("A place that cannot be used", () => {
  it.scopedLive("is a typed error: a file, nothing at all, a link to nowhere", () =>
    Effect.gen(function* () {
      const { folder } = yield* bench
      const file = path.join(folder, "file")
      writeFileSync(file, "x")
      const asFile = yield* storeIn({ path: file, create: true })
      for (const asked of [asFile.list, asFile.stage, asFile.lock("test"), asFile.describe]) {
        const error = yield* Effect.flip(Effect.scoped(asked))
        assert.strictEqual(error.reason, "StoreFailed")
        assert.include(error.message, "expected a directory, found a file")
      }
      const below = yield* storeIn({ path: path.join(file, "below"), create: true })
      const error = yield* Effect.flip(below.list)
      assert.include(error.message, "a file in the place of a directory")
      const unmounted = path.join(folder, "unmounted")
      const missing = yield* storeIn({ path: unmounted, create: false })
      // Where copies should be, nothing is not the same as no copies.
      for (const asked of [missing.list, Effect.scoped(missing.lock("test"))]) {
        const refused = yield* Effect.flip(Effect.asVoid(asked))
        assert.include(refused.message, "Check the path, and that it is mounted")
      }
      assert.isFalse(existsSync(unmounted))
    })
  )

  it.scopedLive("tells its free space", () =>
    Effect.gen(function* () {
      const { store } = yield* bench
      const free = Effect.flatMap(store.describe, (place) => place.free)
      assert.isUndefined(yield* free)
      yield* publish(store, "content")
      assert.isAbove((yield* free) ?? 0, 0)
    })
  )
})

if (Tmpfs.isPermitted()) {
  describe("A file system mounted for the test", () => {
    it.scopedLive("that fills up is told as a full disk, and nothing is left", () =>
      Effect.gen(function* () {
        const { folder } = yield* bench
        const disk = path.join(folder, "disk")
        yield* Tmpfs.make(disk, "size=64k")
        const store = yield* storeIn({ path: path.join(disk, "b"), create: true })
        const name = yield* publish(store, "content")
        writeFileSync(path.join(disk, "filler"), Buffer.alloc(40 * 1024))
        // Room for the payload, none for its manifest.
        const text = "x".repeat(16 * 1024)
        const error = yield* Effect.flip(publish(store, text, record(text, start + 1)))
        assert.strictEqual(error.reason, "DiskFull")
        assert.include(error.message, "Free some space")
        assert.deepStrictEqual(readdirSync(path.join(disk, "b")), [name, Manifest.fileOf(name)])
        assert.isUndefined((yield* store.list)[0]?.problem)
      })
    )

    it.scopedLive("that is read-only lists, and says why it takes nothing", () =>
      Effect.gen(function* () {
        const { folder } = yield* bench
        const disk = path.join(folder, "disk")
        yield* Tmpfs.make(disk, "size=1m")
        const store = yield* storeIn({ path: disk, create: true })
        const name = yield* publish(store, "content")
        execFileSync("mount", ["-o", "remount,ro", disk])
        assert.deepStrictEqual(
          (yield* store.list).map((stored) => stored.name),
          [name]
        )
        const error = yield* Effect.flip(Effect.scoped(store.lock("test")))
        assert.strictEqual(error.reason, "StoreFailed")
        assert.include(error.message, "a read-only file system")
      })
    )
  })
}
