import { assert, describe, it } from "@effect/vitest"
import { Context, DateTime, Duration, Effect, Either, Layer, Logger, Ref, TestClock } from "effect"
import * as Backup from "../../src/Backup/Backup.js"
import { BackupError } from "../../src/Backup/BackupError.js"
import * as BackupSchedule from "../../src/Backup/BackupSchedule.js"
import type { Stored } from "../../src/Backup/Store.js"
import { manifest, stored } from "./manifests.js"

const at = (time: string) => DateTime.unsafeMake(time).epochMillis

interface Given {
  readonly now: string
  readonly create: string
  readonly drill?: string
  readonly zone?: string
  readonly own?: ReadonlyArray<Stored>
  /** How long a backup takes. */
  readonly takes?: Duration.DurationInput
  readonly fails?: Effect.Effect<never, BackupError>
  /** Nobody is told how a run ended. */
  readonly alone?: boolean
}

/** A schedule at work on backups that only note when they were asked for. */
const bench = (given: Given) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(at(given.now))
    const log = yield* Ref.make<ReadonlyArray<string>>([])
    const ended = yield* Ref.make<ReadonlyArray<BackupSchedule.Ended>>([])
    const note = (what: string) =>
      Effect.flatMap(DateTime.now, (now) =>
        Ref.update(log, (all) => [...all, `${what} ${DateTime.formatIso(now).slice(5, 16)}`])
      )
    const unused = Effect.dieMessage("not for a schedule")
    const backup: Context.Tag.Service<Backup.Backup> = {
      create: () =>
        note("create").pipe(
          Effect.zipRight(Effect.sleep(given.takes ?? Duration.zero)),
          Effect.zipRight(
            given.fails ??
              Effect.succeed({
                name: "a",
                store: "here",
                manifest: manifest({ startedAt: 0 }),
                copies: [],
                pruned: [],
                swept: [],
                warnings: []
              })
          )
        ),
      drill: () =>
        Effect.as(note("drill"), { name: "a", tables: [], took: Duration.zero, warnings: [] }),
      list: Effect.succeed({ backups: given.own ?? [], own: given.own ?? [], setAside: [] }),
      verify: () => unused,
      plan: () => unused,
      restore: () => unused,
      prune: () => unused
    }
    const cron = (expression: string) =>
      Either.getOrThrow(BackupSchedule.parse(expression, given.zone))
    yield* Layer.build(
      BackupSchedule.layer({
        create: cron(given.create),
        drill: given.drill === undefined ? undefined : cron(given.drill),
        onEnd: given.alone === true ? undefined : (end) => Ref.update(ended, (all) => [...all, end])
      }).pipe(Layer.provide(Layer.succeed(Backup.Backup, backup)))
    )
    yield* TestClock.adjust(0)
    return { log: Ref.get(log), ended: Ref.get(ended) }
  })

const backupAt = (time: string, drilled?: string) =>
  stored({
    startedAt: at(time),
    ...(drilled === undefined ? {} : { drilledAt: at(drilled) })
  })

describe("BackupSchedule", () => {
  it.scoped("runs at its times", () =>
    Effect.gen(function* () {
      const { log } = yield* bench({
        now: "2026-11-26T12:00:00Z",
        create: "0 3 * * *",
        own: [backupAt("2026-11-26T03:00:00.004Z")]
      })
      assert.deepStrictEqual(yield* log, [])
      yield* TestClock.adjust("3 days")
      assert.deepStrictEqual(yield* log, [
        "create 11-27T03:00",
        "create 11-28T03:00",
        "create 11-29T03:00"
      ])
    })
  )

  it.scoped("catches up once with what was missed while it was stopped", () =>
    Effect.gen(function* () {
      const { log } = yield* bench({
        now: "2026-11-26T12:00:00Z",
        create: "0 3 * * *",
        own: [backupAt("2026-11-20T03:00:00Z"), backupAt("2026-11-19T03:00:00Z")]
      })
      assert.deepStrictEqual(yield* log, ["create 11-26T12:00"])
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(yield* log, ["create 11-26T12:00", "create 11-27T03:00"])
    })
  )

  it.scoped("makes the first backup at once", () =>
    Effect.gen(function* () {
      const { log } = yield* bench({ now: "2026-11-26T12:00:00Z", create: "0 3 * * *" })
      assert.deepStrictEqual(yield* log, ["create 11-26T12:00"])
    })
  )

  it.scoped("is not kept waiting by a backup that is dated in the future", () =>
    Effect.gen(function* () {
      const { log } = yield* bench({
        now: "2026-11-26T12:00:00Z",
        create: "0 3 * * *",
        own: [backupAt("2099-01-01T00:00:00Z"), backupAt("2026-11-20T03:00:00Z")]
      })
      assert.deepStrictEqual(yield* log, ["create 11-26T12:00"])
    })
  )

  it.scoped("waits longer than a timer can", () =>
    Effect.gen(function* () {
      const { log } = yield* bench({
        now: "2026-01-05T00:00:00Z",
        create: "0 3 1 * *",
        own: [backupAt("2026-01-01T03:00:00Z")]
      })
      yield* TestClock.adjust("28 days")
      assert.deepStrictEqual(yield* log, ["create 02-01T03:00"])
    })
  )

  it.scoped("reports a failure, a defect too, and goes on", () =>
    Effect.gen(function* () {
      const messages: Array<unknown> = []
      const logger = Logger.make(({ message }) => messages.push(message))
      for (const fails of [
        new BackupError({ reason: "DiskFull", subject: "x", expected: "room", found: "none" }),
        Effect.dieMessage("a defect")
      ]) {
        const { ended, log } = yield* Effect.provide(
          bench({ now: "2026-11-26T12:00:00Z", create: "0 * * * *", fails }),
          Logger.replace(Logger.defaultLogger, logger)
        )
        yield* TestClock.adjust("2 hours")
        // Again and again before its next time, ever later, and then at its times only.
        const times = ["12:00", "12:05", "12:15", "12:35", "13:00", "14:00"]
        assert.deepStrictEqual(
          yield* log,
          times.map((time) => `create 11-26T${time}`)
        )
        assert.isTrue((yield* ended).every(({ exit }) => exit._tag === "Failure"))
        assert.lengthOf(yield* ended, 6)
      }
      // Who is told of it tells others: it is not said twice.
      assert.deepStrictEqual(messages, [])
    })
  )

  it.scoped("is back at its times once a try has gone well", () =>
    Effect.gen(function* () {
      let left = 2
      const error = new BackupError({ reason: "Locked", subject: "x", expected: "a", found: "b" })
      const { log } = yield* bench({
        now: "2026-11-26T02:00:00Z",
        create: "0 3 * * *",
        own: [backupAt("2026-11-25T03:00:00Z")],
        fails: Effect.suspend(() => (left-- > 0 ? error : Effect.interrupt))
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
      yield* TestClock.adjust("70 minutes")
      assert.deepStrictEqual(yield* log, ["create 11-26T03:00", "create 11-26T03:05"])
      yield* TestClock.adjust("1 day")
      assert.include(yield* log, "create 11-26T03:15")
    })
  )

  it.scoped("logs a failure where nobody is told how a run ended", () =>
    Effect.gen(function* () {
      const messages: Array<unknown> = []
      const logger = Logger.make(({ message }) => messages.push(message))
      const fails = Effect.dieMessage("a defect")
      yield* Effect.provide(
        bench({ now: "2026-11-26T12:00:00Z", create: "0 * * * *", fails, alone: true }),
        Logger.replace(Logger.defaultLogger, logger)
      )
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(messages, 5)
      assert.include(String(messages[0]), "The scheduled backup failed")
    })
  )

  it.scoped("does not make up for times that passed during a run", () =>
    Effect.gen(function* () {
      const { log } = yield* bench({
        now: "2026-11-26T12:00:00Z",
        create: "*/10 * * * *",
        takes: "25 minutes"
      })
      yield* TestClock.adjust("65 minutes")
      assert.deepStrictEqual(yield* log, [
        "create 11-26T12:00",
        "create 11-26T12:30",
        "create 11-26T13:00"
      ])
    })
  )

  it.scoped("drills at its own times, after a backup that is being made", () =>
    Effect.gen(function* () {
      const { log } = yield* bench({
        now: "2026-11-26T12:00:00Z",
        create: "0 3 * * *",
        drill: "5 3 * * *",
        takes: "10 minutes",
        own: [backupAt("2026-11-26T03:00:00Z", "2026-11-26T03:05:00Z")]
      })
      yield* TestClock.adjust("16 hours")
      assert.deepStrictEqual(yield* log, ["create 11-27T03:00", "drill 11-27T03:10"])
    })
  )

  for (const [name, own, expected] of [
    ["missed since the last one", [backupAt("2026-11-26T03:00:00Z", "2026-11-01T05:00:00Z")], 1],
    ["never done though there were backups", [backupAt("2026-11-15T03:00:00Z")], 1],
    ["not due yet", [backupAt("2026-11-26T03:00:00Z", "2026-11-22T05:00:01Z")], 0],
    ["of which there was none to do", [], 0]
  ] as const) {
    it.scoped(`catches up with a drill ${name}: ${expected}`, () =>
      Effect.gen(function* () {
        const { log } = yield* bench({
          now: "2026-11-26T12:00:00Z",
          create: "0 3 * * *",
          drill: "0 5 * * 0",
          own
        })
        const drills = (yield* log).filter((text) => text.startsWith("drill"))
        assert.lengthOf(drills, expected)
      })
    )
  }
})

describe("BackupSchedule, where clocks change", () => {
  const berlin = (now: string, create: string) =>
    bench({ now, create, zone: "Europe/Berlin", own: [stored({ startedAt: at(now) - 1 })] })

  it.scoped("keeps the time of day of its zone", () =>
    Effect.gen(function* () {
      const { log } = yield* berlin("2026-03-28T12:00:00Z", "0 4 * * *")
      yield* TestClock.adjust("2 days")
      assert.deepStrictEqual(yield* log, ["create 03-29T02:00", "create 03-30T02:00"])
    })
  )

  it.scoped("runs once on the day that lacks its time", () =>
    Effect.gen(function* () {
      // 02:30 does not exist on 29 March.
      const { log } = yield* berlin("2026-03-28T12:00:00Z", "30 2 * * *")
      yield* TestClock.adjust("36 hours")
      assert.lengthOf(
        (yield* log).filter((text) => text.startsWith("create 03-29")),
        1
      )
      yield* TestClock.adjust("12 hours")
      assert.include(yield* log, "create 03-30T00:30")
    })
  )

  it.scoped("runs at least once, and twice at the most, on the day that has its time twice", () =>
    Effect.gen(function* () {
      // 02:30 is at 00:30 and at 01:30 UTC on 25 October.
      const { log } = yield* berlin("2026-10-24T12:00:00Z", "30 2 * * *")
      yield* TestClock.adjust("24 hours")
      assert.deepStrictEqual(yield* log, ["create 10-25T00:30"])
      yield* TestClock.adjust("24 hours")
      assert.deepStrictEqual(yield* log, ["create 10-25T00:30", "create 10-26T01:30"])
    })
  )
})

describe("A schedule's expression", () => {
  for (const [expression, zone, reason] of [
    ["", undefined, "Malformed"],
    ["every night", undefined, "Malformed"],
    ["0 3 * *", undefined, "Malformed"],
    ["61 3 * * *", undefined, "Malformed"],
    ["0 3 * * *", "Europe/Nowhere", "Malformed"],
    ["0 3 30 2 *", undefined, "Never"]
  ] as const) {
    it(`is refused with a word on what is wrong: ${expression} ${zone ?? ""}`, () => {
      const error = Either.getOrThrow(Either.flip(BackupSchedule.parse(expression, zone)))
      assert.strictEqual(error.reason, reason)
      assert.include(error.message, JSON.stringify(expression))
    })
  }

  it("may be of a day that is in few years", () => {
    assert.isTrue(Either.isRight(BackupSchedule.parse("0 3 29 2 *")))
  })
})
