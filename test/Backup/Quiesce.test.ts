/** A program that has the database open holds its own writes while a restore keeps others from it. */
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import {
  Context,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Schedule,
  type Scope,
  Stream,
  SubscriptionRef
} from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { gunzipSync } from "node:zlib"
import * as Backup from "../../src/Backup/Backup.js"
import * as BackupStore from "../../src/Backup/BackupStore.js"
import { BackupStrategy } from "../../src/Backup/BackupStrategy/Strategy.js"
import { fill, inDatabase, strategy, value } from "../support/SqliteBackup.js"
import * as TempDir from "../support/TempDir.js"
import * as Bench from "./bench.js"

/** A program that inserts all the time, one at a time, over a connection that waits for locks in SQLite. */
const program = (file: string) =>
  Effect.gen(function* () {
    const turn = yield* Effect.makeSemaphore(1)
    const database = yield* Effect.acquireRelease(
      Effect.sync(() => new Sqlite(file, { timeout: 5000 })),
      (open) => Effect.sync(() => open.close())
    )
    database.pragma("synchronous = OFF")
    const insert = database.prepare("INSERT INTO written (id) VALUES (?)")
    const seen = { inserted: 0, failed: 0, isHeld: false }
    const inserts = yield* SubscriptionRef.make(0)
    const write = Effect.sync(() => {
      try {
        insert.run(seen.inserted + 1)
        seen.inserted += 1
      } catch {
        seen.failed += 1
      }
    })
    yield* turn
      .withPermits(1)(write)
      .pipe(
        Effect.zipRight(Effect.suspend(() => SubscriptionRef.set(inserts, seen.inserted))),
        Effect.repeat(Schedule.spaced("10 millis")),
        Effect.forkScoped
      )
    /** Waits until it has inserted so many more. */
    const goesOn = (more: number) =>
      Effect.suspend(() => {
        const enough = seen.inserted + more
        return Stream.runDrain(Stream.takeUntil(inserts.changes, (inserted) => inserted >= enough))
      })
    const quiesce = Effect.asVoid(
      Effect.acquireRelease(
        Effect.zipRight(
          turn.take(1),
          Effect.sync(() => {
            seen.isHeld = true
            return seen.inserted
          })
        ),
        () =>
          Effect.zipRight(
            Effect.sync(() => {
              seen.isHeld = false
            }),
            turn.release(1)
          )
      )
    )
    return { seen, quiesce, goesOn }
  })

const made = (mode: "wal" | "delete") =>
  Effect.gen(function* () {
    const file = path.join(yield* TempDir.make("sqlite"), "bot.db")
    const store = path.join(yield* TempDir.make("backups"), "store")
    inDatabase(file, (database) => {
      database.pragma(`journal_mode = ${mode}`)
      database.exec("CREATE TABLE written (id INTEGER PRIMARY KEY)")
      fill(database, 5000)
    })
    const backup = yield* Layer.build(
      Backup.layer({ app: "Bot" }).pipe(
        Layer.provide(BackupStore.layerDirectory({ path: store })),
        Layer.provide(Layer.effect(BackupStrategy, strategy(file)))
      )
    ).pipe(Effect.map(Context.get(Backup.Backup)))
    yield* backup.create()
    return { backup, file, store }
  })

const rows = (file: string) =>
  inDatabase(file, (database) => Number(value(database, "SELECT count(*) FROM written")))

describe("Backup.restore({ quiesce })", () => {
  for (const mode of ["wal", "delete"] as const) {
    it.scopedLive(`lets no insert of the program fail, and loses none, ${mode}`, () =>
      Effect.gen(function* () {
        const { backup, file, store } = yield* made(mode)
        const { goesOn, quiesce, seen } = yield* program(file)
        let heldAt = 0
        const restored = yield* backup.restore(
          { _tag: "Latest" },
          {
            quiesce: Effect.tap(quiesce, () =>
              Effect.sync(() => {
                heldAt = seen.inserted
              })
            )
          }
        )
        // While the backup was unpacked and checked the program went on.
        assert.isAbove(heldAt, 0)
        yield* goesOn(5)
        assert.strictEqual(seen.failed, 0)
        const copied = path.join(store, "pre.db")
        fs.writeFileSync(
          copied,
          gunzipSync(fs.readFileSync(path.join(store, restored?.preRestore ?? "")))
        )
        assert.strictEqual(rows(copied), heldAt)
      })
    )
  }

  it.scopedLive("lets the program write again where the restore fails", () =>
    Effect.gen(function* () {
      const { backup, file } = yield* made("wal")
      const { goesOn, quiesce, seen } = yield* program(file)
      const asked = { quiesce, onSaved: () => Effect.die("no") }
      assert.isTrue(Exit.isFailure(yield* Effect.exit(backup.restore({ _tag: "Latest" }, asked))))
      assert.isFalse(seen.isHeld)
      yield* goesOn(5)
      assert.strictEqual(seen.failed, 0)
    })
  )

  it.scopedLive("lets the program write again where the restore is interrupted", () =>
    Effect.gen(function* () {
      const { backup, file } = yield* made("wal")
      const { goesOn, quiesce, seen } = yield* program(file)
      const saved = yield* Deferred.make<void>()
      const stuck = yield* Effect.fork(
        backup.restore(
          { _tag: "Latest" },
          {
            quiesce,
            onSaved: () => Effect.zipRight(Deferred.succeed(saved, undefined), Effect.never)
          }
        )
      )
      yield* Deferred.await(saved)
      assert.isTrue(seen.isHeld)
      yield* Fiber.interrupt(stuck)
      assert.isFalse(seen.isHeld)
      yield* goesOn(5)
      assert.strictEqual(seen.failed, 0)
    })
  )

  it.scoped("is asked by Backup itself where the strategy holds nobody", () =>
    Effect.gen(function* () {
      const { run } = yield* Bench.make()
      yield* run((backup) => backup.create())
      const moments: Array<string> = []
      const note = (moment: string) => Effect.sync(() => void moments.push(moment))
      const quiesce: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
        note("held"),
        () => note("released")
      )
      yield* run((backup) =>
        backup.restore({ _tag: "Latest" }, { quiesce, onSaved: () => note("saved") })
      )
      assert.deepStrictEqual(moments, ["held", "saved", "released"])
    })
  )
})
