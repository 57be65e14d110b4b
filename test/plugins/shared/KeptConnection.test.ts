import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope, TestClock } from "effect"
import { HealthMonitor } from "../../../src/Monitor/HealthMonitor.js"
import * as KeptConnection from "../../../src/plugins/shared/KeptConnection.js"
import * as scripted from "../../Check/scripted.js"

const { check, ok, program, runCheck, ScriptedError } = scripted

const down = new ScriptedError({ reason: "Down" })

/** A server that counts what is opened and closed; each connection has a number. */
const scriptedServer = Effect.gen(function* () {
  const server = {
    isUp: true,
    opened: 0,
    closed: 0,
    attempts: 0,
    /** How the last connection that was closed took its leave. */
    farewell: "none" as "none" | "goodbye" | "at once",
    /** What happens between the connection's being acquired and its being ready. */
    handshake: Effect.void as Effect.Effect<void, scripted.ScriptedError>
  }
  const open = Effect.zipRight(
    Effect.suspend(() => {
      server.attempts += 1
      return server.isUp ? Effect.void : Effect.fail(down)
    }),
    Effect.acquireRelease(
      Effect.sync(() => ++server.opened),
      (_, exit) =>
        Effect.sync(() => {
          server.closed += 1
          server.farewell = Exit.isInterrupted(exit) ? "at once" : "goodbye"
        })
    )
  ).pipe(Effect.tap(() => server.handshake))
  const connection = yield* KeptConnection.make(open)
  return { server, connection }
})

const settle = Effect.repeatN(Effect.yieldNow(), 30)

describe("KeptConnection", () => {
  it.scoped("is opened when it is first needed, and kept", () =>
    Effect.gen(function* () {
      const { connection, server } = yield* scriptedServer
      assert.strictEqual(server.attempts, 0)
      assert.deepStrictEqual(yield* connection.get, 1)
      assert.strictEqual(yield* connection.use((id) => Effect.succeed(id)), 1)
      assert.deepInclude(server, { attempts: 1, opened: 1, closed: 0 })
    })
  )

  it.scoped("fibers that ask at the same time wait for the same one", () =>
    Effect.gen(function* () {
      const { connection, server } = yield* scriptedServer
      server.handshake = Effect.sleep("1 second")
      const fibers = yield* Effect.forkAll(Array.from({ length: 50 }, () => connection.get))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(new Set(yield* Fiber.join(fibers)), new Set([1]))
      assert.deepInclude(server, { attempts: 1, opened: 1, closed: 0 })
    })
  )

  it.scoped("after a failure to open, the next use tries anew; nothing half open is left", () =>
    Effect.gen(function* () {
      const { connection, server } = yield* scriptedServer
      server.isUp = false
      for (const attempt of [1, 2, 3]) {
        assert.strictEqual(yield* Effect.flip(connection.get), down)
        assert.strictEqual(server.attempts, attempt)
      }
      server.isUp = true
      server.handshake = Effect.fail(down)
      yield* Effect.flip(connection.get)
      yield* settle
      assert.deepInclude(server, { opened: 1, closed: 1 })
      server.handshake = Effect.void
      assert.strictEqual(yield* connection.get, 2)
      assert.deepInclude(server, { opened: 2, closed: 1 })
    })
  )

  it.scoped("a use that breaks it drops it: by failure, defect, interruption", () =>
    Effect.gen(function* () {
      const { connection, server } = yield* scriptedServer
      let expected = 0
      for (const [use, farewell] of [
        [Effect.fail(down), "goodbye"],
        [Effect.die("dead"), "goodbye"],
        [Effect.interrupt, "at once"]
      ] as const) {
        yield* Effect.exit(connection.use(() => use))
        expected += 1
        yield* settle
        assert.deepInclude(server, { opened: expected, closed: expected, farewell })
      }
      const hanging = yield* Effect.fork(connection.use(() => Effect.never))
      yield* settle
      yield* Fiber.interrupt(hanging)
      yield* settle
      assert.deepInclude(server, { opened: 4, closed: 4 })
    })
  )

  it.scoped("a failure that does not break it keeps it", () =>
    Effect.gen(function* () {
      const { connection, server } = yield* scriptedServer
      const isBroken = (error: scripted.ScriptedError) => error.reason === "Down"
      yield* Effect.exit(
        connection.use(() => Effect.fail(new ScriptedError({ reason: "Denied" })), isBroken)
      )
      assert.strictEqual(yield* connection.get, 1)
      yield* Effect.exit(connection.use(() => Effect.fail(down), isBroken))
      assert.strictEqual(yield* connection.get, 2)
      yield* settle
      assert.deepInclude(server, { opened: 2, closed: 1 })
    })
  )

  it.scoped("an interruption while it opens closes what was acquired; who waits opens it", () =>
    Effect.gen(function* () {
      const { connection, server } = yield* scriptedServer
      const ready = yield* Deferred.make<void>()
      server.handshake = Deferred.await(ready)
      const first = yield* Effect.fork(connection.get)
      const second = yield* Effect.fork(connection.get)
      yield* settle
      yield* Fiber.interrupt(first)
      yield* settle
      assert.deepInclude(server, { opened: 2, closed: 1 })
      yield* Deferred.succeed(ready, undefined)
      assert.strictEqual(yield* Fiber.join(second), 2)
      assert.deepInclude(server, { opened: 2, closed: 1 })
    })
  )

  it.effect("closes with its owner: as many closes as opens", () =>
    Effect.gen(function* () {
      const owner = yield* Scope.make()
      const { connection, server } = yield* Scope.extend(scriptedServer, owner)
      yield* connection.get
      yield* connection.drop
      yield* connection.get
      yield* Scope.close(owner, Exit.void)
      yield* settle
      assert.deepInclude(server, { opened: 2, closed: 2 })
    })
  )

  it.scoped("a use that ends late does not drop the connection that came after its own", () =>
    Effect.gen(function* () {
      const { connection, server } = yield* scriptedServer
      const late = yield* Deferred.make<void, scripted.ScriptedError>()
      const old = yield* Effect.fork(Effect.exit(connection.use(() => Deferred.await(late))))
      yield* settle
      yield* Effect.exit(connection.use(() => Effect.fail(down)))
      assert.strictEqual(yield* connection.get, 2)
      yield* Deferred.fail(late, down)
      yield* Fiber.join(old)
      yield* settle
      assert.strictEqual(yield* connection.get, 2)
      assert.deepInclude(server, { opened: 2, closed: 1 })
    })
  )

  it.scoped("a drop that is late closes nothing twice", () =>
    Effect.gen(function* () {
      const { connection, server } = yield* scriptedServer
      yield* connection.get
      yield* Effect.all([connection.drop, connection.drop], { concurrency: "unbounded" })
      yield* settle
      assert.deepInclude(server, { opened: 1, closed: 1 })
    })
  )
})

it.scoped("a check over it: down at start, up later, hanging, up again; no connection leaks", () =>
  Effect.gen(function* () {
    const { connection, server } = yield* scriptedServer
    server.isUp = false
    let isHanging = false
    const ask = Effect.suspend(() => (isHanging ? Effect.never : Effect.succeed(ok)))
    const beat = Effect.gen(function* () {
      const fiber = yield* Effect.fork(runCheck("it"))
      yield* TestClock.adjust("10 seconds")
      return (yield* Fiber.join(fiber)).reason
    })
    yield* Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      assert.strictEqual(yield* beat, "Down")
      assert.strictEqual(yield* beat, "Down")
      assert.strictEqual(yield* monitor.overallStatus, "unhealthy")
      server.isUp = true
      for (let count = 0; count < 5; count++) assert.strictEqual(yield* beat, undefined)
      assert.deepInclude(server, { opened: 1, closed: 0 })
      isHanging = true
      for (let count = 0; count < 5; count++) assert.strictEqual(yield* beat, "Timeout")
      isHanging = false
      assert.strictEqual(yield* beat, undefined)
      assert.strictEqual(yield* monitor.overallStatus, "healthy")
      assert.strictEqual(server.opened - server.closed, 1)
    }).pipe(
      Effect.provide(
        program(
          check(
            "it",
            connection.use(() => ask)
          )
        )
      )
    )
  })
)
