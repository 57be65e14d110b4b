/** Backups as a bot has them, of a real database, beside the parts that end with the program. */
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import {
  Context,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Option,
  Scope,
  TestClock
} from "effect"
import * as path from "node:path"
import { Backup } from "../../src/Backup/Backup.js"
import type { BackupError } from "../../src/Backup/BackupError.js"
import type { Ended } from "../../src/Backup/BackupSchedule.js"
import * as BackupStrategy from "../../src/Backup/BackupStrategy.js"
import * as Holter from "../../src/Holter.js"
import * as Beacon from "../../src/Lifecycle/Beacon.js"
import * as Lifecycle from "../../src/Lifecycle/Lifecycle.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as FaultyChannel from "../../src/testing/FaultyChannel.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"
import * as TempDir from "../support/TempDir.js"

const lifecycle = Layer.provideMerge(Beacon.layer(), Lifecycle.layer())

const build = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  Layer.build(Layer.provideMerge(layer, Layer.merge(lifecycle, NodeContext.layer)))

const database = Effect.map(TempDir.make("bot"), (cwd) => {
  const file = path.join(cwd, "bot.db")
  const bot = new Sqlite(file)
  bot.exec("CREATE TABLE prices (item TEXT); INSERT INTO prices VALUES ('knife')")
  bot.close()
  return { url: `sqlite:///${file}`, directory: path.join(cwd, "backups") }
})

describe("Holter.layerBackups", () => {
  it.scopedLive("makes the first backup at once, and begins none once the program stops", () =>
    Effect.gen(function* () {
      const { directory, url } = yield* database
      const first = yield* Deferred.make<Ended>()
      const services = yield* build(
        Holter.layerBackups({
          app: "my bot",
          url,
          directory,
          schedule: "0 3 * * *",
          onEnd: (ended) => Deferred.succeed(first, ended)
        })
      )
      const ended = yield* Deferred.await(first)
      const exit: Exit.Exit<unknown, BackupError> = ended.exit
      yield* exit
      const { own } = yield* Context.get(services, Backup).list
      assert.lengthOf(own, 1)
      assert.match(own[0]?.name ?? "", /^my_bot_sqlite_/)

      const stopped = yield* Context.get(services, Lifecycle.Lifecycle).shutdown
      assert.deepInclude(
        stopped.entries.map(({ ended: how, hook, phase }) => ({ how, hook, phase })),
        { how: "completed", hook: "scheduled backups", phase: "intake" }
      )
      const { track } = Context.get(services, Beacon.Beacon)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(track("backup")(Effect.void))))
      const backup = Context.get(services, Backup)
      const reasonOf = (asked: Effect.Effect<unknown, BackupError>) =>
        Effect.map(Effect.flip(asked), ({ reason }) => reason)
      assert.strictEqual(yield* reasonOf(backup.create()), "ShuttingDown")
      assert.strictEqual(yield* reasonOf(backup.restore({ _tag: "Latest" })), "ShuttingDown")
    })
  )

  it.scopedLive("does not start where an option would remove backups, or means nothing", () =>
    Effect.gen(function* () {
      const { directory, url } = yield* database
      const refused = (options: Partial<Holter.Backups>) =>
        Effect.map(
          Effect.flip(build(Holter.layerBackups({ app: "bot", url, directory, ...options }))),
          ({ message }) => message.split("\n").slice(1)
        )
      assert.deepStrictEqual(
        yield* refused({ app: "", keep: -3, daily: Number.NaN, timeZone: "Mars/Olympus" }),
        [
          '  app: expected the name of the program, found ""',
          "  keep: expected a whole number of at least 1, found -3",
          "  daily: expected a whole number of at least 0, found NaN",
          '  timeZone: expected a time zone such as Europe/Berlin, found "Mars/Olympus"'
        ]
      )
      assert.deepStrictEqual(yield* refused({ lockPatience: -1 }), [
        '  lockPatience: expected a duration such as "10 seconds", or "0 seconds", found -1'
      ])
      yield* build(
        Holter.layerBackups({
          ...{ app: "bot", url, directory },
          copyPatience: 300_000,
          lockPatience: Duration.infinity
        })
      )
    })
  )

  it.scopedLive("takes the strategy of another package in the place of a URL", () =>
    Effect.gen(function* () {
      const { directory, url } = yield* database
      const strategy = BackupStrategy.layerUrl(url)
      const services = yield* build(Holter.layerBackups({ app: "bot", url: strategy, directory }))
      const backup = Context.get(services, Backup)
      yield* backup.create()
      assert.lengthOf((yield* backup.list).own, 1)
    })
  )

  it.scopedLive("does not start with a schedule that names no time", () =>
    Effect.gen(function* () {
      const { directory, url } = yield* database
      const error = yield* Effect.flip(
        build(Holter.layerBackups({ app: "bot", url, directory, schedule: "0 0 31 2 *" }))
      )
      assert.strictEqual(error._tag, "BackupScheduleError")
      assert.include(error.message, "a time that never comes")
    })
  )
})

describe("the end of a program with the front door", () => {
  it.scoped("stops the heartbeat, writes, sends what is owed, and closes the journal last", () =>
    Effect.gen(function* () {
      const redis = yield* ScriptedCheck.make([ScriptedCheck.healthy()], { name: "redis" })
      const services = yield* build(Holter.layer({ checks: redis.layer }))
      const { phases } = yield* Context.get(services, Lifecycle.Lifecycle).plan
      assert.deepStrictEqual(
        phases.flatMap(({ hooks, name }) => hooks.map((hook) => `${name}: ${hook.name}`)),
        [
          "monitoring: heartbeat",
          "state: results and alert state",
          "drain: work in flight",
          "cancel: work in flight",
          "bot: unsent alerts",
          "bot: alerting",
          "connections: channels",
          "connections: checks",
          "database: journal"
        ]
      )
      assert.isTrue(Option.isNone(Context.getOption(services, Backup)))
    })
  )

  it.scoped("ends with its own scope where the program goes on, and leaves no hook behind", () =>
    Effect.gen(function* () {
      const redis = yield* ScriptedCheck.make([ScriptedCheck.fail("Down")], {
        name: "redis",
        failureThreshold: 1
      })
      const ops = yield* RecordingChannel.make("ops")
      const program = yield* Layer.build(lifecycle)
      const own = yield* Scope.make()
      const order: Array<string> = []
      const journal = Layer.tap(Journal.layerMemory, () =>
        Effect.addFinalizer(() => Effect.sync(() => order.push("the journal closed")))
      )
      yield* Holter.layer({
        checks: redis.layer,
        channels: ops.layer,
        journal,
        heartbeat: { spread: 0 },
        // The outage is open and not sent yet when the part ends.
        policy: { groupWindow: "10 minutes", startGrace: 0 }
      }).pipe(Layer.buildWithScope(own), Effect.provide(program))
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* ops.alerts, 0)
      yield* Scope.close(own, Exit.void)
      order.push("its scope closed")
      const runs = yield* redis.runs
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* redis.runs, runs)
      assert.deepStrictEqual(order, ["the journal closed", "its scope closed"])
      const { phases } = yield* Context.get(program, Lifecycle.Lifecycle).plan
      assert.deepStrictEqual(
        phases.flatMap(({ hooks }) => hooks.map(({ name }) => name)),
        ["work in flight", "work in flight"]
      )
    })
  )

  it.scoped("waits for a channel that hangs no longer than a shutdown would", () =>
    Effect.gen(function* () {
      const redis = yield* ScriptedCheck.make([ScriptedCheck.fail("Down")], {
        name: "redis",
        failureThreshold: 1
      })
      const stuck = yield* FaultyChannel.make([FaultyChannel.hang], {
        name: "ops",
        timeout: "1 hour"
      })
      const program = yield* Layer.build(lifecycle)
      const own = yield* Scope.make()
      yield* Holter.layer({
        checks: redis.layer,
        channels: stuck.layer,
        heartbeat: { spread: 0 },
        policy: { groupWindow: 0, startGrace: 0 }
      }).pipe(Layer.buildWithScope(own), Effect.provide(program))
      yield* TestClock.adjust("1 minute")
      yield* stuck.awaitAttempts(1)
      const closing = yield* Effect.fork(Scope.close(own, Exit.void))
      // The grace of 30 seconds has a sixth for it.
      yield* TestClock.adjust("6 seconds")
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(closing)))
    })
  )
})
