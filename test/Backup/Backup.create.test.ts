import { assert, describe, it } from "@effect/vitest"
import { Chunk, DateTime, Effect, Fiber, Option, TestClock } from "effect"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import promises from "node:fs/promises"
import * as path from "node:path"
import * as Backup from "../../src/Backup/Backup.js"
import * as BackupStore from "../../src/Backup/BackupStore.js"
import { steps } from "../../src/Backup/BackupStep.js"
import { version } from "../../src/Common/Version.js"
import * as Bench from "./bench.js"

const content = { users: ["ann", "bob"], orders: ["1"] }

describe("Backup.create", () => {
  it.scoped("makes a verified backup with its manifest, named by app, engine and time", () =>
    Effect.gen(function* () {
      const { directory, files, run, steps: walked } = yield* Bench.make()
      const created = yield* run((backup) => backup.create())
      const name = "bot_scripted_20261126_120000_000.db"
      assert.strictEqual(created.name, name)
      assert.strictEqual(created.store, `directory ${directory}`)
      assert.deepStrictEqual(created.warnings, [])
      assert.deepStrictEqual(files(), [name, `${name}.manifest.json`])
      for (const file of files()) {
        assert.strictEqual(statSync(path.join(directory, file)).mode & 0o777, 0o600)
      }
      const { app, dump, holter, purpose, startedAt, verified } = created.manifest
      assert.deepStrictEqual(
        { app, holter, purpose, tables: dump.tables, startedAt: DateTime.formatIso(startedAt) },
        {
          app: "Bot",
          holter: version,
          purpose: "backup",
          tables: [
            { name: "users", rows: 2 },
            { name: "orders", rows: 1 }
          ],
          startedAt: "2026-11-26T12:00:00.000Z"
        }
      )
      assert.strictEqual(verified?.depth, "quick")
      const done = steps.create.filter((step) => step !== "copy").map((step) => `create/${step}`)
      assert.deepStrictEqual<ReadonlyArray<string>>(walked, done)
    })
  )

  it.scoped("gives two backups of one millisecond two names", () =>
    Effect.gen(function* () {
      const { run } = yield* Bench.make()
      const names = yield* Effect.forEach([1, 2, 3], () =>
        Effect.map(
          run((backup) => backup.create()),
          ({ name }) => name
        )
      )
      assert.deepStrictEqual(names, [
        "bot_scripted_20261126_120000_000.db",
        "bot_scripted_20261126_120000_001.db",
        "bot_scripted_20261126_120000_002.db"
      ])
    })
  )

  it.scoped("keeps as many as told, and what it did not make", () =>
    Effect.gen(function* () {
      const { backup, files, python } = yield* Bench.make()
      const old = python("bot_scripted_20251211_120000_123.db", content)
      const created = yield* Effect.forEach([1, 2, 3, 4, 5], () => backup(content))
      assert.deepStrictEqual<ReadonlyArray<string | undefined>>(created[4]?.pruned ?? [], [
        created[1]?.name
      ])
      const left = created.slice(2).map((one) => one.name)
      assert.deepStrictEqual(
        files().filter((name) => !name.endsWith(".json")),
        [old, ...left].toSorted()
      )
    })
  )

  it.scoped("keeps the backups of another database, app or engine in the same directory", () =>
    Effect.gen(function* () {
      const { as, run } = yield* Bench.make({ options: { keep: 1 } })
      const others = [
        { options: { app: "Other", keep: 1 } },
        { scripted: { database: { name: "other.json" } }, options: { keep: 1 } },
        { scripted: { engine: "another" }, options: { keep: 1 } }
      ]
      for (const other of others) yield* as(other)((backup) => backup.create())
      for (let round = 0; round < 3; round++) {
        yield* TestClock.adjust("1 hour")
        yield* run((backup) => backup.create())
      }
      const { backups, own } = yield* run((backup) => backup.list)
      assert.lengthOf(backups, 4)
      assert.lengthOf(own, 1)
    })
  )

  it.scoped(
    "keeps the backups of another machine with the same database in a shared directory",
    () =>
      Effect.gen(function* () {
        const { as, files } = yield* Bench.make()
        const on = (host: string | undefined) => {
          const one = as({ options: { keep: 1, host } })
          const hour = TestClock.adjust("1 hour")
          const create = Effect.zipRight(
            hour,
            one((backup) => backup.create())
          )
          const backups = Effect.map(
            one((backup) => backup.list),
            ({ own }) => own
          )
          const latest = Effect.map(
            one((it) => it.plan(Bench.latest)),
            ({ name }) => name
          )
          return { create, backups, latest }
        }
        const [one, two] = [on("web1"), on("web2")]
        const mine = yield* one.create
        assert.strictEqual(mine.manifest.dump.database.host, "web1")
        const theirs = yield* Effect.replicateEffect(two.create, 3)
        assert.deepStrictEqual(
          files().filter((name) => name.endsWith(".db")),
          [mine.name, theirs[2]?.name]
        )
        assert.lengthOf(yield* one.backups, 1)
        assert.strictEqual(yield* one.latest, mine.name)
        assert.strictEqual(yield* two.latest, theirs[2]?.name)
      })
  )

  it.scoped("rotates and restores what was made before manifests named their machine", () =>
    Effect.gen(function* () {
      const { as, directory, files } = yield* Bench.make()
      const one = as({ options: { keep: 1, host: "web1" } })
      const old = yield* one((backup) => backup.create())
      const record = path.join(directory, `${old.name}.manifest.json`)
      const named = /,\s*"host": "web1"/
      assert.match(readFileSync(record, "utf8"), named)
      writeFileSync(record, readFileSync(record, "utf8").replace(named, ""))
      const plan = yield* one((backup) => backup.plan(Bench.latest))
      assert.deepStrictEqual([plan.name, plan.warnings], [old.name, []])
      yield* TestClock.adjust("1 hour")
      const next = yield* one((backup) => backup.create())
      assert.deepStrictEqual(next.pruned, [old.name])
      assert.deepStrictEqual(files(), [next.name, `${next.name}.manifest.json`])
    })
  )

  it.scoped("says when the database shrank or lost rows", () =>
    Effect.gen(function* () {
      const { backup } = yield* Bench.make()
      yield* backup({
        users: Array.from({ length: 100 }, (_, index) => `user ${index}`),
        orders: ["1"]
      })
      const { manifest, warnings } = yield* backup({ users: ["ann"], orders: [] })
      assert.lengthOf(warnings, 4)
      assert.deepStrictEqual(manifest.dump.warnings, warnings.slice(0, 3))
      assert.deepStrictEqual(manifest.suspect, warnings.slice(0, 2))
      assert.match(warnings[0] ?? "", /^The database shrank from \S+ k?B to \S+ k?B since/)
      assert.strictEqual(
        warnings[1],
        "All tables together have 1 rows; they had 101 in the last good backup"
      )
      assert.strictEqual(warnings[2], "Table orders has no rows; it had 1 in the last good backup")
      assert.include(warnings[3], "--accept-loss")
    })
  )

  const lost = { users: ["ann"], orders: [] }

  for (const [what, accept] of [
    ["the data are back", undefined],
    ["the loss is accepted", "flag"],
    ["one of them is pinned", "pin"]
  ] as const) {
    it.scoped(`says so night after night, and keeps the last good ones, until ${what}`, () =>
      Effect.gen(function* () {
        const { as, backup, copies, directory, files, run, write } = yield* Bench.make({
          options: { keep: 2 },
          copies: 1
        })
        const good = yield* Effect.forEach([1, 2], () => backup(content))
        const nights = yield* Effect.forEach([1, 2, 3, 4, 5], () => backup(lost))
        for (const { warnings } of nights) assert.deepStrictEqual(warnings, nights[0]?.warnings)
        const left = (where?: string) => files(where).filter((name) => name.endsWith(".db"))
        const stay = [...good, ...nights.slice(3)].map(({ name }) => name)
        assert.deepStrictEqual(left(), stay)
        assert.deepStrictEqual(left(copies[0]), stay)
        // Nor does a run by hand remove them.
        assert.deepStrictEqual((yield* run((it) => it.prune())).removed, [])
        const plan = yield* run((it) => it.plan(Bench.latest))
        assert.strictEqual(plan.name, nights[4]?.name)
        assert.include(plan.warnings.join(), `${plan.name} may not hold all: Table orders`)
        assert.include(plan.warnings.join(), `without such a doubt is ${good[1]?.name}`)

        if (accept === "pin") {
          const record = path.join(directory, `${nights[4]?.name}.manifest.json`)
          const text = readFileSync(record, "utf8")
          writeFileSync(record, text.replace('"pinned": false', '"pinned": true'))
        }
        yield* TestClock.adjust("1 hour")
        yield* write(accept === undefined ? content : lost)
        const acceptLoss = accept === "flag"
        const last = yield* as({})((it) => it.create({ acceptLoss }))
        assert.isUndefined(last.manifest.suspect)
        assert.lengthOf(last.warnings, acceptLoss ? 1 : 0)
        const after = yield* backup(accept === undefined ? content : lost)
        assert.deepStrictEqual(after.warnings, [])
        const pinned = accept === "pin" ? [nights[4]?.name] : []
        assert.deepStrictEqual(left(), [...pinned, last.name, after.name])
      })
    )
  }

  it.scoped("measures the first backup of a new directory by the copies of those before", () =>
    Effect.gen(function* () {
      const { backup, copies, directory, files } = yield* Bench.make({
        options: { keep: 2 },
        copies: 1
      })
      const good = yield* Effect.forEach([1, 2], () => backup(content))
      // The disk with the database and its backups is gone, and both are begun anew.
      rmSync(directory, { recursive: true })
      mkdirSync(directory, { mode: 0o700 })
      writeFileSync(path.join(directory, ".holter-store"), "")
      const nights = yield* Effect.forEach([1, 2, 3, 4], () => backup(lost))
      for (const { manifest } of nights) assert.isDefined(manifest.suspect)
      const left = files(copies[0]).filter((name) => name.endsWith(".db"))
      assert.deepStrictEqual(
        left,
        [...good, ...nights.slice(2)].map(({ name }) => name)
      )
    })
  )

  it.scoped("measures each copy by those beside it, also where they were away at first", () =>
    Effect.gen(function* () {
      const { as, backup, copies, directory, files, write } = yield* Bench.make({
        options: { keep: 2 },
        copies: 1
      })
      const good = yield* Effect.forEach([1, 2], () => backup(content))
      const store = copies[0] ?? ""
      renameSync(store, `${store}.away`)
      rmSync(directory, { recursive: true })
      assert.isUndefined((yield* backup(lost)).manifest.suspect)
      renameSync(`${store}.away`, store)
      const nights = yield* Effect.forEach([1, 2, 3], () => backup(lost))
      for (const { warnings } of nights) {
        assert.include(warnings.join(), `Beside what is in directory ${store}: Table orders`)
        assert.include(warnings.join(), "--accept-loss")
      }
      const left = () => files(store).filter((name) => name.endsWith(".db"))
      assert.deepStrictEqual(
        left(),
        [...good, ...nights.slice(1)].map(({ name }) => name)
      )
      yield* TestClock.adjust("1 hour")
      yield* write(lost)
      const accepted = yield* as({})((it) => it.create({ acceptLoss: true }))
      const after = yield* backup(lost)
      assert.deepStrictEqual(after.warnings, [])
      assert.deepStrictEqual(left(), [accepted.name, after.name])
    })
  )

  it.scoped("refuses before any work when there is no room, and leaves nothing", () =>
    Effect.gen(function* () {
      const { files, run, steps: walked } = yield* Bench.make({ scripted: { estimate: 1e18 } })
      const error = yield* Effect.flip(run((backup) => backup.create()))
      assert.strictEqual(error.reason, "DiskFull")
      assert.include(error.message, "1000 PB free for a new backup")
      assert.notInclude(walked, "create/dump")
      assert.deepStrictEqual(files(), [])
      const spare = yield* Bench.make({ options: { minimumFree: 1e18 } })
      assert.strictEqual((yield* Effect.flip(spare.run((it) => it.create()))).reason, "DiskFull")
    })
  )

  it.scoped("refuses an empty dump, and one that does not pass", () =>
    Effect.gen(function* () {
      const { as, backup, files } = yield* Bench.make()
      const good = yield* backup(content)
      const before = files()
      const empty = as({
        strategy: (strategy) => ({
          ...strategy,
          dump: (options) => Effect.map(strategy.dump(options), (dump) => ({ ...dump, bytes: 0 }))
        })
      })
      assert.include(
        (yield* Effect.flip(empty((it) => it.create()))).message,
        "expected a dump, found an empty file"
      )
      const cut = as({
        strategy: (strategy) => ({
          ...strategy,
          dump: (options) =>
            Effect.tap(strategy.dump(options), () =>
              Effect.sync(() => writeFileSync(options.path, "half of it"))
            )
        })
      })
      assert.strictEqual((yield* Effect.flip(cut((it) => it.create()))).reason, "Corrupt")
      assert.deepStrictEqual(files(), before)
      assert.include(before, good.name)
    })
  )

  for (const step of ["lock", "sweep", "space", "dump", "verify", "publish"] as const) {
    it.scoped(`that fails at ${step} removes nothing, and the next one works`, () =>
      Effect.gen(function* () {
        const { backup, failAt, files, heal } = yield* Bench.make({ options: { keep: 1 } })
        yield* backup(content)
        const before = files()
        for (let round = 0; round < 5; round++) {
          failAt(`create/${step}`)
          const error = yield* Effect.flip(backup(content))
          assert.strictEqual(error.subject, `create/${step}`)
          assert.deepStrictEqual(files(), before)
        }
        heal()
        const { pruned, swept } = yield* backup(content)
        assert.deepStrictEqual([pruned.length, swept], [1, []])
      })
    )
  }

  it.scoped("is done though pruning failed, and says so", () =>
    Effect.gen(function* () {
      const { failAt, files, run } = yield* Bench.make()
      failAt("create/prune")
      const { name, warnings } = yield* run((backup) => backup.create())
      assert.include(files(), name)
      assert.match(warnings[0] ?? "", /^Nothing pruned: create\/prune/)
    })
  )

  it.scoped("leaves nothing when it is interrupted, not even its lock", () =>
    Effect.gen(function* () {
      const { as, files, run } = yield* Bench.make()
      let reached = (): void => undefined
      const dumped = Effect.async<void>((resume) => {
        reached = () => resume(Effect.void)
      })
      const hanging = as({
        strategy: (strategy) => ({
          ...strategy,
          verify: () =>
            Effect.zipRight(
              Effect.sync(() => reached()),
              Effect.never
            )
        })
      })
      const waiting = yield* Effect.fork(dumped)
      yield* Effect.yieldNow()
      const fiber = yield* Effect.fork(hanging((backup) => backup.create()))
      yield* Fiber.join(waiting)
      assert.lengthOf(files(), 2)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(files(), [])
      yield* run((backup) => backup.create())
    })
  )
})

/** Until the work is over. */
const whileTimePasses = <A, E>(work: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(work)
    let end = yield* Fiber.poll(fiber)
    while (Option.isNone(end)) {
      yield* Effect.promise(() => promises.stat("/"))
      if (!Chunk.isEmpty(yield* TestClock.sleeps())) yield* TestClock.adjust("31 seconds")
      end = yield* Fiber.poll(fiber)
    }
    return yield* end.value
  })

describe("Copies", () => {
  it.scoped("are the same files in each store, and rotate there as well", () =>
    Effect.gen(function* () {
      const { backup, copies, directory, files } = yield* Bench.make({ copies: 2 })
      for (let round = 0; round < 5; round++) {
        const created = yield* backup(content)
        assert.deepStrictEqual(
          created.copies,
          copies.map((copy) => ({ store: `directory ${copy}`, problem: undefined }))
        )
      }
      assert.lengthOf(files(), 6)
      for (const copy of copies) {
        assert.deepStrictEqual(files(copy), files())
        for (const name of files()) {
          assert.deepStrictEqual(
            readFileSync(path.join(copy, name)),
            readFileSync(path.join(directory, name))
          )
        }
      }
    })
  )

  it.scoped("of a directory have all its parts", () =>
    Effect.gen(function* () {
      const { copies, files, run } = yield* Bench.make({ copies: 1, scripted: { directory: true } })
      const { name } = yield* run((backup) => backup.create())
      const [copy = ""] = copies
      assert.deepStrictEqual(files(copy), files())
      assert.deepStrictEqual(files(path.join(copy, name)), ["content"])
      assert.strictEqual(statSync(path.join(copy, name)).mode & 0o777, 0o700)
    })
  )

  it.scoped(
    "one that fails is told, is not made, and stops neither the others nor the backup",
    () =>
      Effect.gen(function* () {
        const { copies, files, run } = yield* Bench.make({ copies: 3 })
        const [gone = "", inTheWay = "", good = ""] = copies
        rmSync(gone, { recursive: true })
        rmSync(inTheWay, { recursive: true })
        writeFileSync(inTheWay, "a file")
        const created = yield* run((backup) => backup.create())
        assert.deepStrictEqual(
          created.copies.map(({ problem }) => problem?.reason),
          ["StoreFailed", "StoreFailed", undefined]
        )
        assert.lengthOf(created.warnings, 2)
        assert.include(created.warnings[0], "Check the path, and that it is mounted")
        assert.deepStrictEqual(files(good), files())
        assert.isFalse(existsSync(gone))
      })
  )

  it.scoped("tell that the main directory was a disk which is not mounted any more", () =>
    Effect.gen(function* () {
      const { as, backup, copies, directory, files } = yield* Bench.make({ copies: 2 })
      const made = yield* backup(content)
      const disk = `${directory}-elsewhere`
      renameSync(directory, disk)
      const dead = copies[0] ?? ""
      const all = files(copies[1])
      // Its mount point is there, or was on a disk that is gone as well; one place of copies is too.
      rmSync(dead, { recursive: true })
      for (const isThere of [true, false]) {
        if (isThere) mkdirSync(directory)
        for (const work of [
          (it: Backup.Backup["Type"]) => Effect.asVoid(it.create()),
          (it: Backup.Backup["Type"]) => Effect.asVoid(it.list),
          (it: Backup.Backup["Type"]) => Effect.asVoid(it.plan(Bench.latest))
        ]) {
          const error = yield* Effect.flip(as({})(work))
          assert.strictEqual(error.reason, "StoreFailed")
          assert.include(
            error.message,
            `Mount it; if it is a new disk, run mkdir -p -m 700 ${directory} && touch ${directory}/.holter-store to say so.`
          )
        }
        assert.strictEqual(existsSync(directory), isThere)
        assert.deepStrictEqual(files(copies[1]), all)
        if (isThere) rmdirSync(directory)
      }
      // Of another machine it tells nothing.
      yield* as({ host: "web2" })((it) => it.create())
      rmSync(directory, { recursive: true })
      renameSync(disk, directory)
      yield* backup(content)
      // Backups without the mark are no empty mount point; a new disk is what it is said to be.
      rmSync(path.join(directory, ".holter-store"))
      yield* backup(content)
      assert.isTrue(existsSync(path.join(directory, ".holter-store")))
      rmSync(directory, { recursive: true })
      execFileSync("/bin/sh", [
        "-c",
        `mkdir -p -m 700 ${directory} && touch ${directory}/.holter-store`
      ])
      const last = yield* backup(content)
      assert.deepStrictEqual(files(), [last.name, `${last.name}.manifest.json`])
      assert.notInclude(files(), made.name)
    })
  )

  it.scoped("are none, and the main directory is only written to where its disk is mounted", () =>
    Effect.gen(function* () {
      const { as, directory, files } = yield* Bench.make()
      const mounted = as({ mounted: true })
      for (const isThere of [false, true]) {
        if (isThere) mkdirSync(directory)
        const refused = yield* Effect.flip(mounted((it) => it.create()))
        assert.strictEqual(refused.reason, "StoreFailed")
        assert.include(refused.message, `before its first use, run mkdir -p -m 700 ${directory} &&`)
        assert.strictEqual(existsSync(directory), isThere)
      }
      writeFileSync(path.join(directory, ".holter-store"), "")
      const made = yield* mounted((it) => it.create())
      assert.include(files(), made.name)
    })
  )

  it.scoped("do not go into the mount point of a disk that was used and is not mounted", () =>
    Effect.gen(function* () {
      const { backup, copies, files } = yield* Bench.make({ copies: 2 })
      const [unmounted = "", good = ""] = copies
      yield* backup(content)
      const disk = `${unmounted}-elsewhere`
      renameSync(unmounted, disk)
      mkdirSync(unmounted)
      const failed = yield* backup(content)
      const [problem, none] = failed.copies.map((copy) => copy.problem)
      assert.strictEqual(problem?.reason, "StoreFailed")
      assert.include(
        problem?.message,
        `Mount it; if it is a new disk, run touch ${unmounted}/.holter-store to say so.`
      )
      assert.isUndefined(none)
      assert.deepStrictEqual(readdirSync(unmounted), [])
      assert.deepStrictEqual(files(good), files())
      // Mounted again.
      rmdirSync(unmounted)
      renameSync(disk, unmounted)
      assert.isUndefined((yield* backup(content)).copies[0]?.problem)
      // A new disk, and the operator's word for it.
      rmSync(unmounted, { recursive: true })
      mkdirSync(unmounted)
      writeFileSync(path.join(unmounted, ".holter-store"), "")
      const last = yield* backup(content)
      assert.isUndefined(last.copies[0]?.problem)
      // What it lacks is made up for.
      assert.include(files(unmounted), last.name)
      assert.deepStrictEqual(files(unmounted), files())
    })
  )

  it.scoped("are refused to a share that does not answer, and the backup is made", () =>
    Effect.gen(function* () {
      const { copies, files, run } = yield* Bench.make({ copies: 1 })
      // Who opens it waits for a writer that never comes, as for a server that is gone.
      execFileSync("mkfifo", [path.join(copies[0] ?? "", ".holter-store")])
      const created = yield* whileTimePasses(run((backup) => backup.create()))
      assert.include(created.copies[0]?.problem?.message, "no answer, as of a network share")
      assert.deepStrictEqual(files(), [created.name, `${created.name}.manifest.json`])
    })
  )

  it.scoped("are given up where nothing goes on any more, and the backup is made", () =>
    Effect.gen(function* () {
      const { directory, files, layerOf } = yield* Bench.make({ copies: 1 })
      const stores = Effect.map(BackupStore.BackupStore, (made) => ({
        ...made,
        copies: made.copies.map((copy) => ({
          ...copy,
          describe: Effect.succeed({ free: Effect.succeed(undefined), warnings: [] }),
          list: Effect.succeed([]),
          lock: () => Effect.void,
          sweep: Effect.succeed([]),
          publish: () => Effect.never
        }))
      })).pipe(
        Effect.provide(BackupStore.layerDirectory({ path: directory, copies: [`${directory}-x`] }))
      )
      mkdirSync(`${directory}-x`)
      const create = Effect.flatMap(Backup.Backup, (backup) => backup.create()).pipe(
        Effect.provide(layerOf({}, yield* stores))
      )
      const created = yield* whileTimePasses(create)
      assert.include(created.copies[0]?.problem?.message, "no sign of life for 5m")
      assert.deepStrictEqual(files(), [created.name, `${created.name}.manifest.json`])
    })
  )

  it.scoped("are pruned by a prune too, and nothing goes in a dry run", () =>
    Effect.gen(function* () {
      const { as, backup, copies, files } = yield* Bench.make({ copies: 1 })
      for (let round = 0; round < 3; round++) yield* backup(content)
      const tighter = as({ options: { keep: 1 } })
      const before = files()
      const planned = yield* tighter((it) => it.prune({ dryRun: true }))
      assert.deepStrictEqual(files(), before)
      const done = yield* tighter((it) => it.prune())
      assert.deepStrictEqual(done, planned)
      assert.lengthOf(done.removed, 2)
      assert.deepStrictEqual(done.copies[0]?.removed, done.removed)
      assert.deepStrictEqual(
        done.kept.map(({ because }) => because),
        ["the last 1"]
      )
      assert.lengthOf(files(), 2)
      assert.deepStrictEqual(files(copies[0]), files())
    })
  )

  it.scoped("of an earlier time stay though the main directory is lost", () =>
    Effect.gen(function* () {
      const { backup, copies, directory, files, run } = yield* Bench.make({ copies: 1 })
      const { name } = yield* backup(content)
      rmSync(directory, { recursive: true })
      mkdirSync(directory)
      writeFileSync(path.join(directory, ".holter-store"), "")
      yield* TestClock.adjust("1 hour")
      yield* run((it) => it.create())
      assert.include(files(copies[0]), name)
    })
  )
})

describe("A place that others may read", () => {
  it.scoped("is told with each backup", () =>
    Effect.gen(function* () {
      const { directory, run } = yield* Bench.make()
      yield* run((backup) => backup.create())
      chmodSync(directory, 0o755)
      const { warnings } = yield* run((backup) => backup.create())
      assert.deepStrictEqual(warnings, [
        `${directory} is open to other users of this machine; chmod 700 closes it`
      ])
    })
  )
})
