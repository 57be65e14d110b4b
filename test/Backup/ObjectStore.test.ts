/** What every store of objects promises, and backups in stores that are no directories. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Deferred, Effect, Fiber, Layer, Option, Stream, TestClock } from "effect"
import { createHash } from "node:crypto"
import { mkdirSync, promises, readdirSync, rmSync, writeFileSync } from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import * as path from "node:path"
import * as Backup from "../../src/Backup/Backup.js"
import { BackupError } from "../../src/Backup/BackupError.js"
import * as BackupStore from "../../src/Backup/BackupStore.js"
import * as Directory from "../../src/Backup/BackupStore/Directory.js"
import { BackupStrategy } from "../../src/Backup/BackupStrategy/Strategy.js"
import * as LocalObject from "../../src/Backup/LocalObject.js"
import * as Manifest from "../../src/Backup/Manifest.js"
import * as ObjectStore from "../../src/Backup/ObjectStore.js"
import * as ProcessIdentity from "../../src/System/ProcessIdentity.js"
import * as MaskedStore from "../support/backup/MaskedStore.js"
import * as MemoryStore from "../support/backup/MemoryStore.js"
import * as Scripted from "../support/backup/scripted.js"
import * as TempDir from "../support/TempDir.js"
import * as Bench from "./bench.js"

const inDirectory = Effect.flatMap(TempDir.make("objects"), (folder) =>
  Directory.make({ path: path.join(folder, "objects"), create: true })
)

const stores = [
  ["A directory", inDirectory],
  ["Memory", Effect.sync(() => MemoryStore.make().objects)],
  ["A store that encrypts", Effect.map(inDirectory, MaskedStore.make)]
] as const

const all: ObjectStore.Wanted = { keys: () => true, texts: (key) => key.endsWith(".json") }
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

const content = (text: string, recorded = text): ObjectStore.Content => ({
  parts: [{ ...part("", text), bytes: recorded.length, sha256: sha256(recorded) }]
})

const part = (at: string, text: string): ObjectStore.Part => ({
  path: at,
  bytes: text.length,
  sha256: sha256(text),
  content: Stream.make(new TextEncoder().encode(text))
})

/** What an object consists of by now. */
const read = (store: ObjectStore.ObjectStore, key: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const found = yield* store.get(key)
      if (Option.isNone(found)) return undefined
      return yield* Effect.forEach(found.value.parts, (one) =>
        Effect.map(Stream.mkString(Stream.decodeText(one.content)), (text) => [one.path, text])
      )
    })
  )

const keys = (store: ObjectStore.ObjectStore) =>
  Effect.map(store.list(all), (entries) => entries.map(({ key }) => key).toSorted())

const refused = new BackupError({ reason: "Locked", subject: "x", expected: "a", found: "b" })

for (const [name, make] of stores) {
  describe(name, () => {
    it.scopedLive("gives back what it was given, and nothing of what is not there", () =>
      Effect.gen(function* () {
        const store = yield* make
        yield* store.describe
        assert.deepStrictEqual(yield* keys(store), [])
        assert.isTrue(yield* store.putIfAbsent("one", content("content")))
        assert.isTrue(yield* store.putIfAbsent("one.json", ObjectStore.ofText("{}")))
        assert.deepStrictEqual(yield* read(store, "one"), [["", "content"]])
        assert.deepStrictEqual(
          (yield* store.list(all)).map(({ bytes, key, problem, text }) => [
            key,
            bytes,
            problem,
            text?._tag === "Right" ? text.right : undefined
          ]),
          [
            ["one", 7, undefined, undefined],
            ["one.json", 2, undefined, "{}"]
          ]
        )
        for (const key of ["two", "..", ".", "", "../objects", "/etc/hostname"]) {
          assert.isUndefined(yield* read(store, key), key)
          yield* store.delete(key)
        }
        yield* store.delete("one")
        assert.isUndefined(yield* read(store, "one"))
        assert.deepStrictEqual(yield* keys(store), ["one.json"])
      })
    )

    it.scopedLive("looks at nothing that is not wanted", () =>
      Effect.gen(function* () {
        const store = yield* make
        yield* store.putIfAbsent("one", content("content"))
        yield* store.putIfAbsent("two.json", ObjectStore.ofText("{}"))
        const wanted = { keys: (key: string) => key === "two.json", texts: () => false }
        const [entry, ...others] = yield* store.list(wanted)
        assert.deepStrictEqual([entry?.key, entry?.text, others], ["two.json", undefined, []])
      })
    )

    it.scopedLive("gives a name once, and to one of those that ask at the same time", () =>
      Effect.gen(function* () {
        const store = yield* make
        for (const of of [content, ObjectStore.ofText]) {
          const key = of === content ? "one" : "one.json"
          const given = yield* Effect.forEach(
            ["a", "b", "c", "d"],
            (text) =>
              Effect.map(store.putIfAbsent(key, of(text)), (isOurs) => (isOurs ? [text] : [])),
            { concurrency: "unbounded" }
          )
          assert.lengthOf(given.flat(), 1)
          assert.deepStrictEqual(yield* read(store, key), [["", given.flat()[0]]])
          assert.isFalse(yield* store.putIfAbsent(key, of("e")))
          assert.deepStrictEqual(yield* read(store, key), [["", given.flat()[0]]])
        }
        assert.deepStrictEqual(yield* keys(store), ["one", "one.json"])
      })
    )

    it.scopedLive("names nothing before the last look, and nothing where that fails", () =>
      Effect.gen(function* () {
        const store = yield* make
        const before: Array<unknown> = []
        const beforeCommit = Effect.flatMap(read(store, "one"), (found) =>
          Effect.sync(() => before.push(found))
        )
        assert.isTrue(yield* store.putIfAbsent("one", content("content"), { beforeCommit }))
        assert.deepStrictEqual(before, [undefined])
        const error = yield* Effect.flip(
          store.putIfAbsent("two", content("content"), { beforeCommit: refused })
        )
        assert.strictEqual(error.reason, "Locked")
        assert.deepStrictEqual(yield* keys(store), ["one"])
      })
    )

    it.scopedLive("leaves nothing of what breaks off", () =>
      Effect.gen(function* () {
        const store = yield* make
        const broken = { ...part("", "content"), content: Stream.fail(refused) }
        yield* Effect.flip(store.putIfAbsent("one", { parts: [broken] }))
        const started = yield* Deferred.make<void>()
        const endless = Stream.concat(
          Stream.make(new Uint8Array(10)),
          Stream.fromEffect(Effect.zipRight(Deferred.succeed(started, undefined), Effect.never))
        )
        const putting = yield* Effect.fork(
          store.putIfAbsent("two", { parts: [{ ...broken, content: endless }] })
        )
        yield* Deferred.await(started)
        yield* Fiber.interrupt(putting)
        assert.deepStrictEqual(yield* keys(store), [])
      })
    )

    it.scopedLive("changes a text only where it reads as expected, and makes none anew", () =>
      Effect.gen(function* () {
        const store = yield* make
        const key = "one.json"
        assert.isFalse(yield* store.put(key, "new", ""))
        yield* store.putIfAbsent(key, ObjectStore.ofText("old"))
        assert.isFalse(yield* store.put(key, "new", "other"))
        const versions = new Set<string | undefined>()
        const look = Effect.map(store.list(all), ([entry]) => versions.add(entry?.version))
        yield* look
        for (const [over, text] of [
          ["old", "older"],
          ["older", "new"]
        ] as const) {
          assert.isTrue(yield* store.put(key, text, over))
          assert.deepStrictEqual(Option.getOrNull(yield* ObjectStore.textOf(store, key)), text)
          yield* look
        }
        assert.strictEqual(versions.size, 3)
        yield* store.delete(key)
        assert.isFalse(yield* store.put(key, "newer", "new"))
        assert.deepStrictEqual(yield* keys(store), [])
      })
    )
  })
}

for (const [name, make] of stores.slice(0, 2)) {
  describe(`${name}, of what it was not told to expect`, () => {
    it.scopedLive("takes nothing that is not read back as it is known", () =>
      Effect.gen(function* () {
        const store = yield* make
        for (const recorded of ["CONTENT", "content and more"]) {
          const put = store.putIfAbsent("one", content("content", recorded))
          assert.strictEqual((yield* Effect.flip(put)).reason, "Corrupt")
        }
        assert.deepStrictEqual(yield* keys(store), [])
      })
    )

    it.scopedLive("keeps objects of several parts", () =>
      Effect.gen(function* () {
        const store = yield* make
        const parts = [part("blobs/1.dat", "one"), part("toc.dat", "two2")]
        assert.isTrue(yield* store.putIfAbsent("dump", { parts }))
        assert.isFalse(yield* store.putIfAbsent("dump", { parts }))
        assert.deepStrictEqual(yield* read(store, "dump"), [
          ["blobs/1.dat", "one"],
          ["toc.dat", "two2"]
        ])
        const [entry] = yield* store.list(all)
        assert.deepStrictEqual([...(entry?.parts ?? [])].toSorted(), [
          ["blobs/1.dat", 3],
          ["toc.dat", 4]
        ])
        assert.strictEqual(entry?.bytes, 7)
        yield* store.delete("dump")
        assert.deepStrictEqual(yield* keys(store), [])
      })
    )
  })
}

describe("An object that is written to a disk", () => {
  it.scopedLive("has no parts outside of its place", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("parts")
      const target = path.join(folder, "object")
      for (const [index, outside] of ["../other", "a/../../other"].entries()) {
        const error = yield* Effect.flip(
          LocalObject.write(`${target}-${index}`, { parts: [part("in", "x"), part(outside, "x")] })
        )
        assert.strictEqual(error.reason, "Corrupt")
      }
      assert.notInclude(readdirSync(folder), "other")
    })
  )
})

const day = (orders: number): Scripted.Content => ({
  users: ["ann", "bob"],
  orders: Array.from({ length: orders }, (_, index) => `${index}`)
})

/** Backups of a scripted database in any store. */
const backups = (
  main: ObjectStore.ObjectStore,
  given: { readonly copies?: ReadonlyArray<ObjectStore.ObjectStore>; readonly parts?: boolean } = {}
) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(DateTime.unsafeMake("2026-11-26T12:00:00Z"))
    const folder = yield* TempDir.make("anywhere")
    const staging = path.join(folder, "staging")
    mkdirSync(staging)
    const database = path.join(folder, "bot.json")
    const strategy = Scripted.make({ file: database, directory: given.parts === true })
    const layer = Backup.layer({ app: "Bot", keep: 2 }).pipe(
      Layer.provide(BackupStore.layer({ main, copies: given.copies, staging })),
      Layer.provide(Layer.succeed(BackupStrategy, strategy))
    )
    const run = <A, E>(use: (backup: typeof Backup.Backup.Service) => Effect.Effect<A, E>) =>
      Effect.provide(Effect.flatMap(Backup.Backup, use), layer)
    return {
      run,
      staging,
      staged: () => readdirSync(staging),
      read: Scripted.read(database),
      create: (content: Scripted.Content) =>
        Effect.gen(function* () {
          yield* TestClock.adjust("1 hour")
          yield* Scripted.write(database, content)
          return yield* run((it) => it.create())
        })
    }
  })

describe("Backups in a store that is no directory", () => {
  for (const parts of [false, true]) {
    it.scoped(
      `of ${parts ? "several files" : "one file"} are made, proved, restored and pruned`,
      () =>
        Effect.gen(function* () {
          const { keys, objects } = MemoryStore.make()
          const copy = yield* TempDir.make("copy")
          const copies = [yield* Directory.make({ path: copy, create: false })]
          const { create, read, run, staged } = yield* backups(objects, { copies, parts })
          const first = yield* create(day(1))
          assert.deepStrictEqual(
            first.copies.map(({ problem }) => problem),
            [undefined]
          )
          const names = [first.name, Manifest.fileOf(first.name)].toSorted()
          assert.deepStrictEqual(keys(), names)
          assert.deepStrictEqual(readdirSync(copy).toSorted(), names)
          const second = yield* create(day(2))
          const { pruned } = yield* create(day(3))
          assert.deepStrictEqual(pruned, [first.name])
          assert.lengthOf(readdirSync(copy), 4)
          for (const { problem } of yield* run((it) => it.verify())) assert.isUndefined(problem)
          yield* run((it) => it.drill())
          yield* run((it) => it.restore({ _tag: "File", file: second.name }))
          assert.deepStrictEqual(yield* read, day(2))
          const { backups: listed } = yield* run((it) => it.list)
          assert.lengthOf(listed, 3)
          assert.isTrue(
            listed.some(({ manifest }) => Option.exists(manifest, (it) => it.drilled !== null))
          )
          for (const { problem } of listed) assert.isUndefined(problem)
          assert.deepStrictEqual(staged(), [])
        })
    )
  }

  for (const [what, isNamed] of [
    ["that gets no name leaves no manifest", false],
    ["that has its name keeps its manifest, whatever happens then", true]
  ] as const) {
    it.scoped(what, () =>
      Effect.gen(function* () {
        const { keys, objects } = MemoryStore.make()
        const failing: ObjectStore.ObjectStore = {
          ...objects,
          putIfAbsent: (key, content, options) => {
            if (!key.endsWith(".db")) return objects.putIfAbsent(key, content, options)
            const before = isNamed
              ? Effect.asVoid(objects.putIfAbsent(key, content, options))
              : (options?.beforeCommit ?? Effect.void)
            return Effect.zipRight(before, Effect.fail(refused))
          }
        }
        const { create } = yield* backups(failing)
        assert.strictEqual((yield* Effect.flip(create(day(1)))).reason, "Locked")
        assert.lengthOf(keys(), isNamed ? 2 : 0)
      })
    )
  }

  it.scoped("take nothing from another that got the name in the meantime", () =>
    Effect.gen(function* () {
      const { keys, objects } = MemoryStore.make()
      const overtaken: ObjectStore.ObjectStore = {
        ...objects,
        putIfAbsent: (key, content, options) =>
          key.endsWith(".db")
            ? Effect.as(
                Effect.forEach([`${key}.manifest.json`, key], (name) =>
                  objects.putIfAbsent(name, ObjectStore.ofText("of another"))
                ),
                false
              )
            : objects.putIfAbsent(key, content, options)
      }
      const { create } = yield* backups(overtaken)
      yield* Effect.flip(create(day(1)))
      assert.lengthOf(keys(), 2)
    })
  )

  it.scoped("leave nothing of a run that was killed where they are staged", () =>
    Effect.gen(function* () {
      const { create, staged, staging } = yield* backups(MemoryStore.make().objects)
      const me = yield* ProcessIdentity.self
      const left = (owner: ProcessIdentity.ProcessIdentity) =>
        `.partial-${ProcessIdentity.format(owner)}-0123456789abcdef`
      const names = [left(me), left({ ...me, started: "1" }), ".partial-download"]
      for (const name of names) writeFileSync(path.join(staging, name), "x")
      const { swept } = yield* create(day(1))
      assert.deepStrictEqual(swept, [left({ ...me, started: "1" })])
      assert.deepStrictEqual(staged().toSorted(), [left(me), ".partial-download"].toSorted())
    })
  )

  it.scoped("that encrypts are brought back by their plain content", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("masked")
      const objects = MaskedStore.make(yield* Directory.make({ path: folder, create: true }))
      const { create, read, run, staged } = yield* backups(objects)
      const { name } = yield* create(day(2))
      assert.include(readdirSync(folder), name)
      yield* create(day(3))
      for (const { problem } of yield* run((it) => it.verify())) assert.isUndefined(problem)
      yield* run((it) => it.restore({ _tag: "File", file: name }))
      assert.deepStrictEqual(yield* read, day(2))
      assert.deepStrictEqual(staged(), [])
    })
  )

  it.scoped("are listed once for a lock, and each manifest is read once", () =>
    Effect.gen(function* () {
      const { asked, objects } = MemoryStore.make()
      const { create } = yield* backups(objects)
      for (let orders = 1; orders <= 3; orders++) yield* create(day(orders))
      asked.length = 0
      const { pruned } = yield* create(day(4))
      assert.lengthOf(pruned, 1)
      assert.lengthOf(
        asked.filter((each) => each === "list"),
        1
      )
      const manifests = asked.filter((each) => each.endsWith(".manifest.json"))
      assert.lengthOf(manifests, 2)
      assert.lengthOf(new Set(manifests), 2)
    })
  )
})

/** How often each directory is listed meanwhile. */
const listings = <A, E>(work: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const listed: Array<string> = []
    const { readdir } = promises
    const set = (to: typeof readdir) => {
      promises.readdir = to
      syncBuiltinESMExports()
    }
    const counting = ((...given: Parameters<typeof readdir>) => {
      listed.push(String(given[0]))
      return readdir(...given)
    }) as typeof readdir
    yield* Effect.acquireUseRelease(
      Effect.sync(() => set(counting)),
      () => work,
      () => Effect.sync(() => set(readdir))
    )
    return listed
  })

describe("A directory of backups", () => {
  it.scoped("is listed once for a backup, and once more with its copies for each of them", () =>
    Effect.gen(function* () {
      const { backup, copies, directory, run, write } = yield* Bench.make({ copies: 1 })
      for (let orders = 1; orders <= 3; orders++) yield* backup(day(orders))
      writeFileSync(path.join(directory, ".partial-download"), "of somebody else")
      yield* TestClock.adjust("1 hour")
      yield* write(day(4))
      const listed = yield* listings(run((it) => it.create()))
      assert.deepStrictEqual(listed, [directory, copies[0], copies[0]])
    })
  )

  it.scoped("counts no backup that was taken away by hand while the next one is made", () =>
    Effect.gen(function* () {
      const { as, backup, directory, files } = yield* Bench.make({ options: { keep: 2 } })
      const first = yield* backup(day(1))
      const second = yield* backup(day(2))
      yield* TestClock.adjust("1 hour")
      const losing = as({
        options: { keep: 2 },
        strategy: (strategy) => ({
          ...strategy,
          dump: (options) =>
            Effect.tap(strategy.dump(options), () =>
              Effect.sync(() => {
                rmSync(path.join(directory, second.name))
              })
            )
        })
      })
      const next = yield* losing((it) => it.create())
      assert.deepStrictEqual(next.pruned, [])
      assert.includeMembers(files(), [first.name, next.name])
    })
  )

  it.scoped("goes on pruning where another program has removed the same", () =>
    Effect.gen(function* () {
      const { keys, objects } = MemoryStore.make()
      const removed = new Set<string>()
      let looks = 0
      const { create } = yield* backups({
        ...objects,
        // Seen in the plan, and gone when its turn comes.
        get: (key) =>
          removed.has(key) && ++looks === 2
            ? Effect.zipRight(objects.delete(key), objects.get(key))
            : objects.get(key)
      })
      const first = yield* create(day(1))
      yield* create(day(2))
      removed.add(first.name)
      const last = yield* create(day(3))
      assert.isAtLeast(looks, 2)
      assert.deepStrictEqual(last.warnings, [])
      assert.notInclude(keys(), first.name)
    })
  )

  it.scoped("keeps a backup that somebody pins while the next one is made", () =>
    Effect.gen(function* () {
      const { as, backup, files } = yield* Bench.make({ options: { keep: 1 } })
      const first = yield* backup(day(1))
      const other = yield* Bench.storeIn({
        path: first.store.replace("directory ", ""),
        create: true
      })
      const pin = other.update(first.name, (known) => ({ ...known, pinned: true }))
      yield* TestClock.adjust("1 hour")
      const pinning = as({
        options: { keep: 1 },
        strategy: (strategy) => ({
          ...strategy,
          dump: (options) => Effect.zipLeft(strategy.dump(options), pin)
        })
      })
      const next = yield* pinning((it) => it.create())
      assert.deepStrictEqual(next.pruned, [])
      assert.includeMembers(files(), [first.name, next.name])
    })
  )
})
