import { assert, describe, it } from "@effect/vitest"
import { Chunk, DateTime, Effect, Exit, Fiber, Option, Scope, TestClock } from "effect"
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import promises from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import * as path from "node:path"
import type { BackupError } from "../../src/Backup/BackupError.js"
import * as BackupLock from "../../src/Backup/BackupLock.js"
import * as Directory from "../../src/Backup/BackupStore/Directory.js"
import * as ProcessIdentity from "../../src/System/ProcessIdentity.js"
import * as TempDir from "../support/TempDir.js"
import * as Tmpfs from "../support/Tmpfs.js"

const now = "2026-11-26T12:00:00Z"

/** A folder, at noon. */
const bench = Effect.gen(function* () {
  yield* TestClock.setTime(DateTime.unsafeMake(now))
  const folder = yield* TempDir.make("lock")
  return {
    folder,
    me: yield* ProcessIdentity.self,
    locks: () => readdirSync(folder),
    take: acquire(folder)
  }
})

const acquire = (folder: string) =>
  Effect.flatMap(Directory.make({ path: folder, create: true }), (objects) =>
    BackupLock.acquire(objects, "create a backup")
  )

/** A lock that somebody else left, quiet for a while. */
const leave = (
  folder: string,
  owner: ProcessIdentity.ProcessIdentity,
  quietSeconds = 0,
  number = 1,
  id = `other-${number}`
) => {
  const file = path.join(folder, `.holter-lock-${number}`)
  const since = "2026-11-26T11:00:00.000Z"
  writeFileSync(file, JSON.stringify({ id, owner, purpose: "dream", since }))
  const seconds = DateTime.unsafeMake(now).epochMillis / 1000 - quietSeconds
  utimesSync(file, seconds, seconds)
}

/** Of a process that ended: the highest number there can be is nobody's here. */
const nobody = 4_194_304

describe("BackupLock", () => {
  it.scoped("is one run's, and gone with its scope", () =>
    Effect.gen(function* () {
      const { folder, locks, me, take } = yield* bench
      yield* Effect.scoped(
        Effect.gen(function* () {
          const held = yield* take
          assert.deepStrictEqual(locks(), [".holter-lock-1"])
          yield* held.check
          const error = yield* Effect.flip(Effect.scoped(take))
          assert.strictEqual(error.reason, "Locked")
          assert.strictEqual(
            error.message,
            `${folder}: expected no other run on it, found one to create a backup by process ` +
              `${me.pid} on ${me.host}, since 2026-11-26T12:00:00.000Z. ` +
              `Wait until it ends, or end process ${me.pid} on ${me.host}.`
          )
        })
      )
      assert.deepStrictEqual(locks(), [])
      yield* Effect.scoped(take)
    })
  )

  for (const [name, change] of [
    ["ended", { pid: nobody }],
    ["had this number before", { started: "1" }],
    ["ran before the system was started", { boot: "of yesterday" }]
  ] as const) {
    it.scoped(`is taken over at once from a process that ${name}`, () =>
      Effect.gen(function* () {
        const { folder, locks, me, take } = yield* bench
        leave(folder, { ...me, ...change })
        yield* Effect.scoped(
          Effect.tap(take, () => assert.deepStrictEqual(locks(), [".holter-lock-2"]))
        )
        assert.deepStrictEqual(locks(), [])
      })
    )
  }

  for (const [name, change] of [
    ["another machine", { host: "other", boot: "other" }],
    ["another container", { pidNamespace: "pid:[1]" }],
    ["a system that tells little", { boot: null }]
  ] as const) {
    it.scoped(`of ${name} is taken over after two minutes without a sign of life`, () =>
      Effect.gen(function* () {
        const { folder, locks, me, take } = yield* bench
        // By a clock that is ahead of this one, it was touched in an hour from now.
        leave(folder, { ...me, pid: nobody, ...change }, -3600)
        const taking = Effect.scoped(
          Effect.tap(take, () => assert.deepStrictEqual(locks(), [".holter-lock-2"]))
        )
        const { end, seconds } = yield* whileTimePasses(taking)
        assert.isTrue(Exit.isSuccess(end))
        assert.isAtLeast(seconds, 120)
      })
    )

    it.scoped(
      `of ${name} is left to it when it gives a sign of life, whatever its clock says`,
      () =>
        Effect.gen(function* () {
          const { folder, locks, me, take } = yield* bench
          // By a clock that is behind this one, it was last touched an hour ago.
          leave(folder, { ...me, pid: nobody, ...change }, 3600)
          const { end, seconds } = yield* whileTimePasses(Effect.scoped(take), (seconds) => {
            if (seconds !== 90) return
            appendFileSync(path.join(folder, ".holter-lock-1"), "\n")
            utimesSync(path.join(folder, ".holter-lock-1"), 0, 0)
          })
          assert.isTrue(Exit.isFailure(end))
          assert.include(String(end), "one to dream by process 4194304")
          assert.isAtLeast(seconds, 90)
          assert.deepStrictEqual(locks(), [".holter-lock-1"])
        })
    )
  }

  it.scoped("that is released while it is watched is taken", () =>
    Effect.gen(function* () {
      const { folder, me, take } = yield* bench
      leave(folder, { ...me, host: "other", boot: "other" })
      const { end } = yield* whileTimePasses(Effect.scoped(take), (seconds) => {
        if (seconds === 30) rmSync(path.join(folder, ".holter-lock-1"))
      })
      assert.isTrue(Exit.isSuccess(end))
    })
  )

  it.scoped("gives a sign of life, which changes nothing that it says", () =>
    Effect.gen(function* () {
      const { folder, take } = yield* bench
      const { check } = yield* take
      const file = path.join(folder, ".holter-lock-1")
      const text = readFileSync(file, "utf8")
      yield* TestClock.adjust("15 seconds")
      while (readFileSync(file, "utf8") === text) yield* pass
      assert.strictEqual(readFileSync(file, "utf8"), `${text}\n`)
      yield* check
    })
  )

  it.scoped("that does not tell its owner is watched as well", () =>
    Effect.gen(function* () {
      const { folder, take } = yield* bench
      writeFileSync(path.join(folder, ".holter-lock-7"), "")
      const taking = Effect.scoped(
        Effect.tap(take, () => assert.deepStrictEqual(readdirSync(folder), [".holter-lock-8"]))
      )
      const { end, seconds } = yield* whileTimePasses(taking)
      assert.isTrue(Exit.isSuccess(end))
      assert.isAtLeast(seconds, 120)
      assert.deepStrictEqual(readdirSync(folder), [])
    })
  )

  it.scoped("tells a run that it lost the lock", () =>
    Effect.gen(function* () {
      const { folder, me, take } = yield* bench
      const held = yield* take
      yield* held.check
      leave(folder, { ...me, host: "other" })
      const error = yield* Effect.flip(held.check)
      assert.strictEqual(error.reason, "Locked")
      assert.include(error.message, "another run has taken it over")
    })
  )

  it.scoped("that was lost is left to its new owner", () =>
    Effect.gen(function* () {
      const { folder, locks, me, take } = yield* bench
      const scope = yield* Scope.make()
      yield* Scope.extend(take, scope)
      leave(folder, { ...me, host: "other" })
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(locks(), [".holter-lock-1"])
    })
  )

  it.scoped("gives way to a run that took the stale lock over and went, and to the next one", () =>
    Effect.gen(function* () {
      const { folder, locks, me, take } = yield* bench
      leave(folder, { ...me, pid: nobody })
      // Between the look at the stale lock and the claim, two others come, and one goes.
      yield* beforeLink(() => {
        rmSync(path.join(folder, ".holter-lock-1"))
        leave(folder, me, 0, 1, "another id")
      })
      const error = yield* Effect.flip(Effect.scoped(take))
      assert.include(error.message, "found one to dream")
      assert.deepStrictEqual(locks(), [".holter-lock-1"])
    })
  )

  it.scoped("is never held twice, however many meet, with stale locks or without", () =>
    Effect.gen(function* () {
      const { folder, me, take } = yield* bench
      let holders = 0
      let taken = 0
      const run = (index: number) =>
        Effect.gen(function* () {
          yield* take
          assert.strictEqual(++holders, 1)
          taken++
          for (let pause = 0; pause < index % 4; pause++) yield* pass
          // As if the last run had been killed.
          const number = 2 + (index % 7)
          const isFree = !readdirSync(folder).includes(`.holter-lock-${number}`)
          if (index % 3 === 0 && isFree) leave(folder, { ...me, pid: nobody }, 0, number)
          holders--
        }).pipe(Effect.scoped, Effect.catchAll(refused))
      yield* Effect.forEach(
        Array.from({ length: 16 }, (_, index) => index),
        (start) =>
          Effect.forEach(
            Array.from({ length: 60 }, (_, index) => start + index),
            run
          ),
        { concurrency: "unbounded" }
      )
      assert.isAbove(taken, 20)
      yield* Effect.scoped(take)
      assert.deepStrictEqual(readdirSync(folder), [])
    })
  )
})

/** Five seconds at a time until the work is over; how many passed. */
const whileTimePasses = <A, E>(
  work: Effect.Effect<A, E>,
  at: (seconds: number) => void = () => undefined
) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(work)
    let seconds = 0
    let end = yield* Fiber.poll(fiber)
    while (Option.isNone(end)) {
      yield* pass
      end = yield* Fiber.poll(fiber)
      // At the disk, and not waiting for the clock.
      if (Option.isSome(end) || Chunk.isEmpty(yield* TestClock.sleeps())) continue
      seconds += 5
      at(seconds)
      yield* TestClock.adjust("5 seconds")
    }
    return { end: end.value, seconds }
  })

/** Does something right before the next hard link is made. */
const beforeLink = (act: () => void) => {
  const { link } = promises
  const set = (to: typeof link) => {
    promises.link = to
    syncBuiltinESMExports()
  }
  return Effect.acquireRelease(
    Effect.sync(() =>
      set((...given) => {
        set(link)
        act()
        return link(...given)
      })
    ),
    () => Effect.sync(() => set(link))
  )
}

/** Lets what waits for the disk go on. */
const pass = Effect.promise(() => promises.stat("/"))

const refused = (error: BackupError): Effect.Effect<void> =>
  Effect.sync(() => assert.strictEqual(error.reason, "Locked"))

describe("Owner", () => {
  it.scopedLive("judges this process, and what is no process any more", () =>
    Effect.gen(function* () {
      const me = yield* ProcessIdentity.self
      assert.strictEqual(yield* ProcessIdentity.stateOf(me, me), "alive")
      assert.strictEqual(yield* ProcessIdentity.stateOf({ ...me, pid: nobody }, me), "dead")
      assert.strictEqual(yield* ProcessIdentity.stateOf({ ...me, started: "1" }, me), "dead")
      assert.strictEqual(yield* ProcessIdentity.stateOf({ ...me, host: "other" }, me), "unknown")
      // The first process of the system, which others may not ask.
      const first = yield* ProcessIdentity.stateOf({ ...me, pid: 1, started: null }, me)
      assert.strictEqual(first, "alive")
    })
  )

  it.scopedLive("is the same when it was part of a name", () =>
    Effect.gen(function* () {
      const me = yield* ProcessIdentity.self
      assert.deepStrictEqual(ProcessIdentity.parse(ProcessIdentity.format(me), me), me)
      for (const [change, state] of [
        [{ pid: nobody }, "dead"],
        [{ boot: "other" }, "dead"],
        [{ host: "other", boot: "other" }, "unknown"],
        [{ pidNamespace: "other" }, "unknown"]
      ] as const) {
        const read = ProcessIdentity.parse(ProcessIdentity.format({ ...me, ...change }), me)
        assert.isDefined(read)
        if (read !== undefined) assert.strictEqual(yield* ProcessIdentity.stateOf(read, me), state)
      }
      for (const text of ["", "x", "0-000000-0-0-0", "12"]) {
        assert.isUndefined(ProcessIdentity.parse(text, me))
      }
    })
  )
})

if (Tmpfs.isPermitted()) {
  describe("A lock on a full disk", () => {
    it.scoped("is refused, and leaves nothing", () =>
      Effect.gen(function* () {
        const folder = path.join((yield* bench).folder, "full")
        yield* Tmpfs.make(folder, "size=64k")
        writeFileSync(path.join(folder, "all"), Buffer.alloc(65_536))
        const error = yield* Effect.flip(acquire(folder))
        assert.strictEqual(error.reason, "DiskFull")
        assert.deepStrictEqual(readdirSync(folder), ["all"])
      })
    )
  })
}
