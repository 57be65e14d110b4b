import { assert, describe, it } from "@effect/vitest"
import { DateTime, Deferred, Effect, Fiber, Option, TestClock } from "effect"
import { copyFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import type * as Backup from "../../src/Backup/Backup.js"
import { BackupError } from "../../src/Backup/BackupError.js"
import { steps } from "../../src/Backup/BackupStep.js"
import type { RestoreOptions as StrategyOptions } from "../../src/Backup/BackupStrategy/Strategy.js"
import * as Manifest from "../../src/Backup/Manifest.js"
import * as Bench from "./bench.js"

const monday = { users: ["ann"], orders: ["1"] }
const tuesday = { users: ["ann", "bob"], orders: ["1", "2"] }
const today = { users: ["ann", "bob", "cy"], orders: ["1", "2", "3"] }

/** Backups of two days, and today's content. */
const bench = (given: Bench.Given = {}) =>
  Effect.gen(function* () {
    const made = yield* Bench.make(given)
    const first = yield* made.backup(monday)
    const second = yield* made.backup(tuesday)
    yield* made.write(today)
    yield* TestClock.adjust("1 hour")
    made.steps.length = 0
    return { ...made, first: first.name, second: second.name }
  })

const isSaved = (name: string) => name.includes("_pre_restore_") && name.endsWith(".db")

describe("Backup.restore", () => {
  it.scoped("puts the latest in the place of the present, which is saved first", () =>
    Effect.gen(function* () {
      const { files, read, run, second, steps: walked } = yield* bench()
      const restored = yield* run((backup) => backup.restore(Bench.latest))
      assert.deepStrictEqual(yield* read, tuesday)
      assert.strictEqual(restored?.name, second)
      assert.strictEqual(restored?.preRestore, "bot_pre_restore_scripted_20261126_150000_000.db")
      assert.deepStrictEqual(restored?.warnings, [])
      assert.include(files(), restored?.preRestore)
      const own = walked.filter((step) => step.startsWith("restore/"))
      assert.deepStrictEqual<ReadonlyArray<string>>(
        own,
        steps.restore.map((step) => `restore/${step}`)
      )
      // And back again.
      yield* run((backup) => backup.restore(Bench.file(restored?.preRestore ?? "")))
      assert.deepStrictEqual(yield* read, today)
    })
  )

  it.scoped(
    "never takes a pre-restore backup, one unverified or one of the future for the latest",
    () =>
      Effect.gen(function* () {
        const { backup, directory, first, run, second } = yield* bench()
        yield* run((it) => it.restore(Bench.latest))
        const change = (name: string, to: Partial<Manifest.Manifest>) =>
          Effect.gen(function* () {
            const record = path.join(directory, Manifest.fileOf(name))
            const known = yield* Manifest.fromJson(readFileSync(record, "utf8"))
            writeFileSync(record, yield* Manifest.toJson({ ...known, ...to }))
          })
        yield* change(second, { verified: null })
        const future = yield* backup(today)
        yield* change(future.name, { startedAt: DateTime.unsafeMake("2099-01-01T00:00:00Z") })
        const plan = yield* run((it) => it.plan(Bench.latest))
        assert.strictEqual(plan.name, first)
      })
  )

  it.scoped("plans without changing anything", () =>
    Effect.gen(function* () {
      const { files, first, read, run } = yield* bench()
      const before = files()
      const plan = yield* run((backup) => backup.plan(Bench.file(first)))
      assert.strictEqual(plan.name, first)
      assert.strictEqual(plan.present._tag, "Readable")
      assert.isDefined(plan.preRestore)
      assert.deepStrictEqual(files(), before)
      assert.deepStrictEqual(yield* read, today)
    })
  )

  it.scoped("shows its plan, and ends there when told no", () =>
    Effect.gen(function* () {
      const { files, read, run } = yield* bench()
      const before = files()
      const plan = yield* run((backup) => backup.plan(Bench.latest))
      const answer = yield* run((backup) =>
        backup.restore(Bench.latest, {
          confirm: (shown) => {
            assert.deepStrictEqual(shown, plan)
            return Effect.succeed(false)
          }
        })
      )
      assert.isUndefined(answer)
      assert.deepStrictEqual(files(), before)
      assert.deepStrictEqual(yield* read, today)
    })
  )

  it.scoped("says that there is nothing to save where no database is yet", () =>
    Effect.gen(function* () {
      const { database, files, read, run } = yield* bench()
      rmSync(database)
      const restored = yield* run((backup) => backup.restore(Bench.latest))
      assert.deepStrictEqual(yield* read, tuesday)
      assert.isUndefined(restored?.preRestore)
      assert.deepStrictEqual(restored?.warnings, [
        "There is no database yet, so there is no pre-restore backup"
      ])
      assert.lengthOf(files().filter(isSaved), 0)
    })
  )

  it.scoped("replaces what cannot be saved only when told to", () =>
    Effect.gen(function* () {
      const { database, read, run } = yield* bench()
      writeFileSync(database, "no database any more")
      const error = yield* Effect.flip(run((backup) => backup.restore(Bench.latest)))
      assert.strictEqual(error.reason, "Damaged")
      assert.include(error.message, "--replace-damaged")
      assert.strictEqual(readFileSync(database, "utf8"), "no database any more")
      const restored = yield* run((backup) =>
        backup.restore(Bench.latest, { replaceDamaged: true })
      )
      assert.deepStrictEqual(yield* read, tuesday)
      assert.isUndefined(restored?.preRestore)
    })
  )

  it.scoped("takes a backup of the Python script, with a warning", () =>
    Effect.gen(function* () {
      const { python, read, run } = yield* bench()
      const name = python("bot_scripted_20251211_120000_123.db", monday)
      const restored = yield* run((backup) => backup.restore(Bench.file(name)))
      assert.deepStrictEqual(yield* read, monday)
      assert.lengthOf(restored?.warnings ?? [], 1)
      assert.include(restored?.warnings[0], "no manifest")
    })
  )

  it.scoped("takes a file from anywhere, with the manifest beside it", () =>
    Effect.gen(function* () {
      const { directory, files, first, folder, read, run } = yield* bench()
      const elsewhere = path.join(folder, "any name at all.db")
      copyFileSync(path.join(directory, first), elsewhere)
      const bare = yield* run((backup) => backup.restore(Bench.file(elsewhere)))
      assert.isUndefined(bare?.manifest)
      assert.deepStrictEqual(yield* read, monday)
      const moved = path.join(folder, first)
      copyFileSync(path.join(directory, first), moved)
      copyFileSync(path.join(directory, Manifest.fileOf(first)), Manifest.fileOf(moved))
      const plan = yield* run((backup) => backup.plan(Bench.file(moved)))
      assert.strictEqual(plan.manifest?.name, first)
      assert.deepStrictEqual(plan.warnings, [])
      // The store's own, by its path.
      const own = path.join(directory, first)
      assert.strictEqual((yield* run((it) => it.plan(Bench.file(own)))).manifest?.name, first)
      // The same name in another place is another file.
      writeFileSync(moved, "cut")
      const error = yield* Effect.flip(run((it) => it.plan(Bench.file(moved))))
      assert.strictEqual(error.reason, "Corrupt")
      assert.isTrue(files().includes(first))
    })
  )

  it.scoped("by a directory that is reached through a link", () =>
    Effect.gen(function* () {
      const { directory, first, folder, run } = yield* bench()
      symlinkSync(directory, path.join(folder, "link"))
      const linked = path.join(folder, "link", first)
      assert.strictEqual((yield* run((it) => it.plan(Bench.file(linked)))).name, first)
    })
  )

  it.scoped("takes a backup from another place for the latest only when told to", () =>
    Effect.gen(function* () {
      const { as, files, read, second } = yield* bench()
      const moved = as({ scripted: { database: { location: "/new/place" } } })
      const before = files()
      const planned = yield* Effect.flip(
        Effect.asVoid(moved((backup) => backup.plan(Bench.latest)))
      )
      const refused = yield* Effect.flip(
        Effect.asVoid(moved((backup) => backup.restore(Bench.latest)))
      )
      assert.strictEqual(refused.reason, "WrongDatabase")
      assert.strictEqual(refused.message, planned.message)
      assert.include(refused.message, "/new/place")
      assert.include(refused.message, second)
      assert.include(refused.message, "--allow-other")
      assert.deepStrictEqual(files(), before)
      assert.deepStrictEqual(yield* read, today)
      const allowed = yield* moved((it) => it.plan(Bench.latest, { allowOther: true }))
      assert.strictEqual(allowed.name, second)
      assert.include(allowed.warnings[0], "not at /new/place")
      // By its name it is meant, and reading it harms nothing.
      assert.strictEqual((yield* moved((it) => it.plan(Bench.file(second)))).name, second)
      const drilled = yield* moved((it) => it.drill())
      assert.strictEqual(drilled.name, second)
      assert.include(drilled.warnings[0], `${second} is of a bot.json at /`)
    })
  )

  it.scoped("takes the latest of a database of another name where there is only that one", () =>
    Effect.gen(function* () {
      const { as, second } = yield* bench()
      const other = as({ scripted: { database: { name: "practice.json" } } })
      const latest = other((it) => it.plan(Bench.latest, { allowOther: true }))
      assert.strictEqual((yield* latest).name, second)
      yield* as({ scripted: { database: { name: "third.json" } } })((it) => it.create())
      const refused = yield* Effect.flip(latest)
      assert.strictEqual(refused.reason, "NotFound")
      assert.include(refused.message, "3 of them of other databases")
    })
  )

  it.scoped("takes the latest of the Python script, where there is no other", () =>
    Effect.gen(function* () {
      const { as, backup, python, read, run, write } = yield* Bench.make()
      const tried = run((it) => it.plan(Bench.latest))
      // Of another app, another engine, from before a restore, and cut off in the middle of its name.
      python("other_scripted_20261126_100000_000.db", today)
      python("bot_sqlite_20261126_100000_000.db", today)
      python("bot_pre_restore_scripted_20261126_100000_000.db", today)
      assert.strictEqual((yield* Effect.flip(tried)).reason, "NotFound")
      python("bot_scripted_20261124.db", today)
      const old = python("bot_scripted_20261125_120000_123.db", monday)
      yield* write(today)
      const drilled = yield* run((it) => it.drill())
      assert.strictEqual(drilled.name, old)
      assert.lengthOf(drilled.warnings, 1)
      assert.include(drilled.warnings[0], "no manifest")
      const [verified] = yield* run((it) => it.verify({ choice: Bench.latest }))
      assert.strictEqual(verified?.name, old)
      const restored = yield* run((it) => it.restore(Bench.latest))
      assert.strictEqual(restored?.name, old)
      assert.include(restored?.warnings.join(), "no manifest")
      assert.deepStrictEqual(yield* read, monday)
      // One that Holter has verified is trusted more; that another is newer is told.
      const made = yield* backup(tuesday)
      assert.strictEqual((yield* tried).name, made.name)
      assert.deepStrictEqual((yield* tried).warnings, [])
      yield* TestClock.adjust("1 day")
      const newer = python("bot_scripted_20261127_100000_000.db", today)
      const plan = yield* as({})((it) => it.plan(Bench.latest))
      assert.strictEqual(plan.name, made.name)
      assert.include(plan.warnings[0], `${newer} is newer, but has no manifest`)
    })
  )

  it.scoped("keeps the last three that were saved, and of what was set aside", () =>
    Effect.gen(function* () {
      const { database, files, folder, run } = yield* bench()
      const saved: Array<string> = []
      for (let round = 0; round < 5; round++) {
        yield* TestClock.adjust("1 day")
        const restored = yield* run((backup) => backup.restore(Bench.latest))
        saved.push(restored?.preRestore ?? "")
        assert.lengthOf(restored?.pruned ?? [], round < 3 ? 0 : 2)
      }
      assert.deepStrictEqual(files().filter(isSaved), saved.slice(2))
      const asides = files(folder).filter((name) => name.startsWith(`${path.basename(database)}_`))
      assert.lengthOf(asides, 3)
      const { setAside } = yield* run((backup) => backup.list)
      assert.lengthOf(setAside, 3)
      assert.lengthOf(
        files().filter((name) => name.endsWith(".db") && !isSaved(name)),
        2
      )
    })
  )

  it.scoped("does not prune the one that it restores", () =>
    Effect.gen(function* () {
      const { files, run } = yield* bench()
      const restore = (choice: typeof Bench.latest) =>
        Effect.zipRight(
          TestClock.adjust("1 hour"),
          run((backup) => backup.restore(choice))
        )
      const oldest = yield* restore(Bench.latest)
      yield* restore(Bench.latest)
      yield* restore(Bench.latest)
      const name = oldest?.preRestore ?? ""
      yield* restore(Bench.file(name))
      assert.include(files(), name)
      assert.lengthOf(files().filter(isSaved), 4)
      yield* restore(Bench.latest)
      assert.include(files(), name)
      yield* TestClock.adjust("1 day")
      yield* restore(Bench.latest)
      assert.notInclude(files(), name)
    })
  )

  it.scoped("keeps what the first of many restores saved, for a day", () =>
    Effect.gen(function* () {
      const { files, run } = yield* bench()
      const restore = run((backup) => backup.restore(Bench.latest))
      const first = yield* restore
      yield* Effect.repeatN(Effect.zipRight(TestClock.adjust("5 minutes"), restore), 7)
      assert.include(files(), first?.preRestore)
      assert.lengthOf(files().filter(isSaved), 9)
    })
  )

  for (const step of steps.restore) {
    it.scoped(`that fails at ${step} leaves all as it was, or is done`, () =>
      Effect.gen(function* () {
        const { failAt, files, heal, read, run } = yield* bench()
        failAt(`restore/${step}`)
        const before = files()
        const end = yield* Effect.either(run((backup) => backup.restore(Bench.latest)))
        if (step === "prune") {
          assert.strictEqual(end._tag, "Right")
          assert.deepStrictEqual(yield* read, tuesday)
        } else {
          assert.strictEqual(end._tag, "Left")
          assert.deepStrictEqual(yield* read, today)
        }
        if (step !== "restore" && step !== "prune") assert.deepStrictEqual(files(), before)
        heal()
        yield* run((backup) => backup.restore(Bench.latest))
        assert.deepStrictEqual(yield* read, tuesday)
      })
    )
  }

  it.scoped("names the pre-restore backup in every error after it was made", () =>
    Effect.gen(function* () {
      const busy = new BackupError({
        reason: "Busy",
        subject: "bot.json",
        expected: "a lock",
        found: "none"
      })
      const { as, failAt, files, heal, run } = yield* bench()
      const told: Array<string> = []
      const onSaved = (name: string) => Effect.sync(() => told.push(name))
      failAt("restore/restore")
      const atStep = yield* Effect.flip(run((it) => it.restore(Bench.latest, { onSaved })))
      heal()
      const failing = as({ strategy: (one) => ({ ...one, restore: () => Effect.fail(busy) }) })
      const inStrategy = yield* Effect.flip(failing((it) => it.restore(Bench.latest, { onSaved })))
      assert.strictEqual(inStrategy.reason, "Busy")
      const saved = files().filter(isSaved)
      assert.lengthOf(saved, 2)
      assert.deepStrictEqual([atStep.preRestore, inStrategy.preRestore], saved)
      assert.deepStrictEqual(told, saved)
      assert.include(inStrategy.message, `The content before is saved as ${saved[1]}.`)
      failAt("restore/pre-restore")
      assert.isUndefined((yield* Effect.flip(run((it) => it.restore(Bench.latest)))).preRestore)
    })
  )

  const stopping = Effect.fn(function* (
    reached: (options: StrategyOptions, replace: Effect.Effect<void>) => Effect.Effect<unknown>
  ) {
    const made = yield* bench()
    const told: Array<Backup.Stopped> = []
    const begun = yield* Deferred.make<void>()
    const hanging = made.as({
      strategy: (one) => ({
        ...one,
        restore: (payload, options) =>
          reached(options, Effect.orDie(Effect.asVoid(one.restore(payload, options)))).pipe(
            Effect.zipRight(Deferred.succeed(begun, undefined)),
            Effect.zipRight(Effect.never)
          )
      })
    })
    const fiber = yield* Effect.fork(
      hanging((it) =>
        it.restore(Bench.latest, {
          onInterrupted: (stopped) => Effect.sync(() => told.push(stopped))
        })
      )
    )
    yield* Deferred.await(begun)
    yield* Fiber.interrupt(fiber)
    return { ...made, told, saved: made.files().filter(isSaved) }
  })

  it.scoped("that is interrupted says once what has become of the database", () =>
    Effect.gen(function* () {
      const early = yield* stopping(() => Effect.void)
      assert.lengthOf(early.told, 1)
      assert.deepStrictEqual(early.told[0]?.outcome, { _tag: "Unchanged" })
      assert.deepStrictEqual([early.told[0]?.preRestore], early.saved)
      const amid = yield* stopping(
        ({ onOutcome }) => onOutcome?.({ _tag: "Unknown" }) ?? Effect.void
      )
      assert.deepStrictEqual(amid.told[0]?.outcome, { _tag: "Unknown" })
      const late = yield* stopping(({ onOutcome }, replace) =>
        Effect.zipRight(
          replace,
          onOutcome?.({ _tag: "Replaced", setAside: "bot_aside" }) ?? Effect.void
        )
      )
      assert.deepStrictEqual(yield* late.read, tuesday)
      assert.lengthOf(late.told, 1)
      assert.deepStrictEqual(late.told[0]?.outcome, { _tag: "Replaced", setAside: "bot_aside" })
      assert.strictEqual(late.told[0]?.plan.name, late.second)
      assert.deepStrictEqual([late.told[0]?.preRestore], late.saved)
      // What was saved is a backup like any other.
      yield* late.run((it) => it.restore(Bench.file(late.saved[0] ?? "")))
      assert.deepStrictEqual(yield* late.read, today)
    })
  )

  it.scoped("that is interrupted while it tidies up says that it was done", () =>
    Effect.gen(function* () {
      const { as, read } = yield* bench()
      const tidying = yield* Deferred.make<void>()
      const told: Array<Backup.Stopped> = []
      const hanging = as({
        strategy: (one) => ({
          ...one,
          setAside: Effect.zipRight(Deferred.succeed(tidying, undefined), Effect.never),
          restore: (payload, options) =>
            Effect.tap(
              one.restore(payload, options),
              ({ setAside }) => options.onOutcome?.({ _tag: "Replaced", setAside }) ?? Effect.void
            )
        })
      })
      const onInterrupted = (stopped: Backup.Stopped) => Effect.sync(() => told.push(stopped))
      const fiber = yield* Effect.fork(hanging((it) => it.restore(Bench.latest, { onInterrupted })))
      yield* Deferred.await(tidying)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(
        told.map(({ outcome }) => outcome._tag),
        ["Replaced"]
      )
      assert.deepStrictEqual(yield* read, tuesday)
    })
  )

  for (const [what, step] of [
    ["restored into the database", "restore/restore"],
    ["published", "create/publish"]
  ] as const) {
    it.scoped(`that lost its lock to another run is not ${what}`, () =>
      Effect.gen(function* () {
        const { directory, files, loseLockAt, read, run } = yield* bench()
        loseLockAt(step)
        const before = files()
        const error = yield* Effect.flip(run((it) => it.restore(Bench.latest)))
        assert.strictEqual(error.reason, "Locked")
        assert.include(error.message, "another run has taken it over")
        assert.deepStrictEqual(yield* read, today)
        if (step === "create/publish") {
          rmSync(path.join(directory, ".holter-lock-1"))
          assert.deepStrictEqual(files(), before)
        }
      })
    )
  }

  it.scoped("is not begun when the present cannot be saved", () =>
    Effect.gen(function* () {
      const { failAt, read, run, steps: walked } = yield* bench()
      failAt("create/publish")
      yield* Effect.flip(run((backup) => backup.restore(Bench.latest)))
      assert.notInclude(walked, "restore/restore")
      assert.deepStrictEqual(yield* read, today)
    })
  )
})

describe("A restore that is refused changes nothing", () => {
  const refused = (
    name: string,
    reason: BackupError["reason"],
    spoil: (made: Effect.Effect.Success<ReturnType<typeof bench>>) => {
      readonly choice?: typeof Bench.latest
      readonly given?: Bench.Given
    }
  ) =>
    it.scoped(name, () =>
      Effect.gen(function* () {
        const made = yield* bench()
        const { choice = Bench.file(made.second), given = {} } = spoil(made)
        const before = made.files()
        const ask = made.as(given)
        const planned = yield* Effect.flip(ask((backup) => backup.plan(choice)))
        const error = yield* Effect.flip(ask((backup) => backup.restore(choice)))
        assert.strictEqual(error.message, planned.message)
        assert.strictEqual(error.reason, reason)
        assert.deepStrictEqual(made.files(), before)
        assert.deepStrictEqual(yield* made.read, today)
      })
    )

  refused("from a file that is cut off", "Corrupt", ({ directory, second }) => {
    writeFileSync(path.join(directory, second), "{")
    return {}
  })
  refused("from a file with another content of the same size", "Corrupt", (made) => {
    const file = path.join(made.directory, made.second)
    writeFileSync(file, readFileSync(file, "utf8").replace("bob", "bab"))
    return {}
  })
  refused("from an empty file", "Corrupt", ({ directory, second }) => {
    writeFileSync(path.join(directory, second), "")
    return {}
  })
  refused("from a symbolic link", "NotFound", ({ directory }) => {
    const name = "bot_scripted_20261126_000000_000.db"
    symlinkSync("/etc/hostname", path.join(directory, name))
    return { choice: Bench.file(name) }
  })
  refused("from nothing", "NotFound", () => ({ choice: Bench.file("no such file") }))
  refused("from a backup of another engine", "WrongEngine", () => ({
    given: { scripted: { engine: "another" } }
  }))
  refused("from a backup of another database", "WrongDatabase", () => ({
    given: { scripted: { database: { name: "other.json" } } }
  }))
  refused("from the latest of a database that has none", "NotFound", () => ({
    choice: Bench.latest,
    given: { scripted: { database: { name: "other.json" } } }
  }))

  it.scoped("and one of another database is taken when told to", () =>
    Effect.gen(function* () {
      const { as, read, second } = yield* bench()
      const other = as({ scripted: { database: { name: "other.json" } } })
      const restored = yield* other((backup) =>
        backup.restore(Bench.file(second), { allowOther: true })
      )
      assert.deepStrictEqual(yield* read, tuesday)
      assert.deepStrictEqual(restored?.warnings, [
        `${second} is a backup of bot.json, not of other.json`
      ])
    })
  )
})

describe("Backup.verify", () => {
  it.scoped("reads all of this database, and records when", () =>
    Effect.gen(function* () {
      const { as, directory, first, python, run, second } = yield* bench()
      yield* as({ scripted: { database: { name: "other.json" } } })((it) => it.create())
      const old = python("bot_scripted_20251211_120000_123.db", monday)
      writeFileSync(path.join(directory, first), "{")
      yield* TestClock.adjust("1 hour")
      const verified = yield* run((backup) => backup.verify({ deep: true }))
      assert.deepStrictEqual(
        verified.map(({ name, problem }) => [name, problem?.reason]),
        [
          [second, undefined],
          [first, "Corrupt"],
          [old, undefined]
        ]
      )
      const { backups } = yield* run((backup) => backup.list)
      const known = backups.find(({ name }) => name === second)?.manifest ?? Option.none()
      const at = Option.getOrThrow(known).verified
      assert.strictEqual(at?.depth, "deep")
      assert.strictEqual(
        DateTime.formatIso(at?.at ?? DateTime.unsafeMake(0)),
        "2026-11-26T16:00:00.000Z"
      )
    })
  )

  it.scoped("takes its trust from one that turns out to be damaged", () =>
    Effect.gen(function* () {
      const { directory, first, run, second } = yield* bench()
      const file = path.join(directory, second)
      writeFileSync(file, readFileSync(file, "utf8").replace("bob", "bab"))
      assert.strictEqual((yield* run((it) => it.plan(Bench.file(first)))).name, first)
      const [result] = yield* run((it) => it.verify({ choice: Bench.latest }))
      assert.strictEqual(result?.problem?.reason, "Corrupt")
      assert.strictEqual((yield* run((it) => it.plan(Bench.latest))).name, first)
    })
  )

  it.scoped("of another engine is a problem, and of nothing a failure", () =>
    Effect.gen(function* () {
      const { as, run, second } = yield* bench()
      const other = as({ scripted: { engine: "another" } })
      const [result] = yield* other((it) => it.verify({ choice: Bench.file(second) }))
      assert.strictEqual(result?.problem?.reason, "WrongEngine")
      const error = yield* Effect.flip(run((it) => it.verify({ choice: Bench.file("nothing") })))
      assert.strictEqual(error.reason, "NotFound")
    })
  )

  it.scoped("does not tell of a backup that was pruned in the meantime", () =>
    Effect.gen(function* () {
      const { as, directory, first, second } = yield* bench()
      const pruning = as({
        strategy: (strategy) => ({
          ...strategy,
          verify: (payload, options) =>
            Effect.tap(strategy.verify(payload, options), () =>
              Effect.sync(() => {
                rmSync(path.join(directory, first), { force: true })
                rmSync(path.join(directory, Manifest.fileOf(first)), { force: true })
              })
            )
        })
      })
      const verified = yield* pruning((backup) => backup.verify())
      assert.deepStrictEqual(
        verified.map(({ name }) => name),
        [second]
      )
    })
  )
})

describe("Backup.drill", () => {
  it.scoped("proves the latest, and records when", () =>
    Effect.gen(function* () {
      const { as, read, second } = yield* bench()
      const slow = as({
        strategy: (strategy) => ({
          ...strategy,
          drill: (payload, options) =>
            Effect.tap(strategy.drill(payload, options), () => TestClock.adjust("3 minutes"))
        })
      })
      const drilled = yield* slow((backup) => backup.drill())
      assert.strictEqual(drilled.name, second)
      assert.strictEqual(drilled.took.pipe(String), "Duration(3m)")
      assert.deepStrictEqual(drilled.tables, [
        { name: "users", rows: 2 },
        { name: "orders", rows: 2 }
      ])
      const { own } = yield* slow((backup) => backup.list)
      const known = Option.getOrThrow(own[0]?.manifest ?? Option.none())
      assert.strictEqual(
        DateTime.formatIso(known.drilled?.at ?? DateTime.unsafeMake(0)),
        "2026-11-26T15:03:00.000Z"
      )
      assert.deepStrictEqual(yield* read, today)
    })
  )
})
