import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { readdirSync, rmSync } from "node:fs"
import * as path from "node:path"
import * as Backup from "../../src/Backup/Backup.js"
import { type BackupStep, steps } from "../../src/Backup/BackupStep.js"
import * as BackupStore from "../../src/Backup/BackupStore.js"
import { BackupStrategy } from "../../src/Backup/BackupStrategy/Strategy.js"
import type { Order, Work } from "../support/backup/program.js"
import * as Runner from "../support/backup/Runner.js"
import * as Scripted from "../support/backup/scripted.js"
import * as TempDir from "../support/TempDir.js"
import { storeIn } from "./bench.js"

const before: Scripted.Content = { users: ["ann", "bob"], orders: ["1"] }
const after: Scripted.Content = { users: ["ann", "bob", "cy"], orders: ["1", "2"] }

/** A database with two backups of `before`, and `after` in it by now. */
const bench = (parts = false) =>
  Effect.gen(function* () {
    const folder = yield* TempDir.make("faults")
    const runner = yield* Runner.make
    const order = {
      database: path.join(folder, "bot.json"),
      directory: path.join(folder, "backups"),
      parts
    }
    yield* Scripted.write(order.database, before)
    yield* runner.run({ ...order, work: "create" })
    yield* runner.run({ ...order, work: "create" })
    yield* Scripted.write(order.database, after)
    const backup = Backup.layer({ app: "Bot", keep: 2, lockPatience: 0 }).pipe(
      Layer.provide(BackupStore.layerDirectory({ path: order.directory })),
      Layer.provide(
        Layer.succeed(BackupStrategy, Scripted.make({ file: order.database, directory: parts }))
      )
    )
    const inHere = <A, E>(use: (service: typeof Backup.Backup.Service) => Effect.Effect<A, E>) =>
      Effect.flatMap(Backup.Backup, use).pipe(Effect.provide(backup))
    return { order, runner, inHere }
  })

type Bench = Effect.Effect.Success<ReturnType<typeof bench>>

/** What holds after any fault: nothing is lost, and no name is of a broken backup. */
const intact = ({ inHere, order }: Bench, context: string) =>
  Effect.gen(function* () {
    const content = yield* Scripted.read(order.database)
    assert.include(
      [JSON.stringify(before), JSON.stringify(after)],
      JSON.stringify(content),
      context
    )
    const { backups } = yield* inHere((backup) => backup.list)
    assert.isAtLeast(backups.length, context.includes("prune") ? 1 : 2, context)
    for (const stored of backups) {
      assert.isUndefined(stored.problem, `${context}: ${stored.name}`)
      assert.strictEqual(stored.manifest._tag, "Some", `${context}: ${stored.name}`)
    }
    const verified = yield* inHere((backup) => backup.verify())
    assert.lengthOf(verified, backups.length, context)
    for (const { name, problem } of verified) assert.isUndefined(problem, `${context}: ${name}`)
  })

/** The next run works, and leaves nothing but backups with their manifests. */
const recovers = ({ inHere, order }: Bench, context: string) =>
  Effect.gen(function* () {
    const created = yield* inHere((backup) => backup.create())
    assert.deepStrictEqual(created.warnings, [], context)
    // One more, so that there is something to prune again.
    yield* inHere((backup) => backup.create())
    const names = readdirSync(order.directory)
    assert.deepStrictEqual(
      names.filter((name) => name.startsWith(".")),
      [],
      context
    )
    const backups = names.filter((name) => !name.endsWith(".manifest.json"))
    assert.deepStrictEqual(
      names.toSorted(),
      backups.flatMap((name) => [name, `${name}.manifest.json`]).toSorted(),
      context
    )
    const saved = backups.filter((name) => name.includes("_pre_restore_"))
    assert.isAtMost(backups.length - saved.length, 2, context)
    // Of this run and of one before the first fault. All of a day stay, so here they are taken away.
    assert.isAtMost(saved.length, 2, context)
    for (const name of saved) {
      rmSync(path.join(order.directory, name), { recursive: true })
      rmSync(path.join(order.directory, `${name}.manifest.json`))
    }
  })

interface Stop {
  readonly work: Work
  readonly step: BackupStep
}

const allSteps: ReadonlyArray<Stop> = [
  ...steps.create.map((step): Stop => ({ work: "create", step: `create/${step}` })),
  ...steps.restore.map((step): Stop => ({ work: "restore", step: `restore/${step}` })),
  ...steps.prune.map((step): Stop => ({ work: "prune", step: `prune/${step}` }))
]

/** A pre-restore backup goes through the steps of a backup. */
const inRestore = (["space", "dump", "verify", "publish"] as const).map(
  (step): Stop => ({ work: "restore", step: `create/${step}` })
)

const orderOf = (bench: Bench, work: Work): Order => ({ ...bench.order, work })

describe("A process that is killed", () => {
  it.scopedLive(
    "at any step loses nothing, and the next run sweeps",
    () =>
      Effect.gen(function* () {
        const subject = yield* bench()
        for (const { step, work } of [...allSteps, ...inRestore]) {
          // Copies are walked with SQLite, in Faults.sqlite.test.ts.
          if (step === "create/copy") continue
          yield* Scripted.write(subject.order.database, after)
          const report = yield* subject.runner.run({
            ...orderOf(subject, work),
            at: step,
            fault: "SIGKILL"
          })
          assert.isUndefined(report, `${step} of ${work} was not reached`)
          yield* intact(subject, step)
          yield* recovers(subject, step)
        }
      }),
    120_000
  )

  for (const parts of [false, true]) {
    for (const work of ["create", "restore", "prune"] as const) {
      it.scopedLive(
        `at any call to the file system in ${work} of a ${parts ? "directory" : "file"} loses nothing`,
        () =>
          Effect.gen(function* () {
            const subject = yield* bench(parts)
            const whole = yield* subject.runner.run(orderOf(subject, work))
            assert.isUndefined(whole?.reason ?? whole?.defect)
            assert.isAbove(whole?.calls ?? 0, 10)
            yield* walk(subject, work, "SIGKILL", strides[work] * (parts ? 2 : 1))
          }),
        300_000
      )
    }
  }
})

/** All calls take four minutes: a usual run tries some of them, a soak every one. */
const strides = { create: 16, restore: 16, prune: 5 }
const isSoak = process.env.HOLTER_TEST_SOAK === "1"

/** One run for each call, until one gets through without meeting the fault. */
const walk = (subject: Bench, work: Work, fault: "SIGKILL" | "EIO" | "ENOSPC", stride: number) =>
  Effect.gen(function* () {
    for (let at = 1; ; at += isSoak ? 1 : stride) {
      const context = `${fault} at call ${at} of ${work}`
      yield* Scripted.write(subject.order.database, after)
      const report = yield* subject.runner.run({ ...orderOf(subject, work), at, fault })
      assert.isUndefined(report?.defect, context)
      yield* intact(subject, context)
      yield* recovers(subject, context)
      if (report !== undefined && report.calls < at) return
    }
  })

describe("A file system that fails", () => {
  for (const fault of ["EIO", "ENOSPC"] as const) {
    for (const work of ["create", "restore", "prune"] as const) {
      it.scopedLive(
        `with ${fault} at any call in ${work} is a typed error, and loses nothing`,
        () => Effect.flatMap(bench(), (subject) => walk(subject, work, fault, 7)),
        300_000
      )
    }
  }
})

describe("A second run at the same moment", () => {
  for (const work of ["create", "restore", "prune"] as const) {
    it.scopedLive(`is refused while another process is at ${work}, and works after its kill`, () =>
      Effect.gen(function* () {
        const subject = yield* bench()
        const { inHere, order, runner } = subject
        const last = work === "prune" ? "prune/remove" : `${work}/prune`
        const other = yield* runner.start({ ...orderOf(subject, work), at: last, fault: "hold" })
        yield* other.awaitOutput(/holding/)
        const names = readdirSync(order.directory)
        for (const attempt of [
          inHere((backup) => Effect.asVoid(backup.create())),
          inHere((backup) => Effect.asVoid(backup.prune())),
          inHere((backup) => Effect.asVoid(backup.restore({ _tag: "Latest" })))
        ]) {
          const error = yield* Effect.flip(attempt)
          assert.strictEqual(error.reason, "Locked")
          assert.include(error.message, `by process ${other.pid} on `)
        }
        // What only reads is let through.
        yield* inHere((backup) => backup.plan({ _tag: "Latest" }))
        yield* inHere((backup) => backup.verify())
        assert.sameMembers(readdirSync(order.directory), names)
        yield* other.signal("SIGKILL")
        yield* other.exit
        yield* intact(subject, work)
        yield* recovers(subject, work)
      })
    )
  }

  it.scopedLive("does not sweep what a process is at work on", () =>
    Effect.gen(function* () {
      const subject = yield* bench()
      const { order, runner } = subject
      const other = yield* runner.start({
        ...orderOf(subject, "create"),
        at: "create/verify",
        fault: "hold"
      })
      yield* other.awaitOutput(/holding/)
      const partials = () =>
        readdirSync(order.directory).filter((name) => name.startsWith(".partial-"))
      assert.lengthOf(partials(), 1)
      const store = yield* storeIn({ path: order.directory, create: true })
      assert.deepStrictEqual(yield* store.sweep, [])
      assert.lengthOf(partials(), 1)
      yield* other.signal("SIGKILL")
      yield* other.exit
      assert.lengthOf(yield* store.sweep, 1)
    })
  )
})
