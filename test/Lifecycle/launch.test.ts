/** `launch` under the virtual clock, asked to stop as `runMain` asks. */
import { assert, describe, it } from "@effect/vitest"
import { Data, Deferred, Effect, Exit, Fiber, Layer, Logger, TestClock } from "effect"
import * as Beacon from "../../src/Lifecycle/Beacon.js"
import { launch, type Options } from "../../src/Lifecycle/launch.js"
import * as Lifecycle from "../../src/Lifecycle/Lifecycle.js"
import { type Listener, StopRequest } from "../../src/Lifecycle/StopRequest.js"

class StartError extends Data.TaggedError("StartError")<{ readonly message: string }> {}

const sigterm = { _tag: "Signal", signal: "SIGTERM" } as const

/** A program, and the listener that it gives to who runs it. */
const start = <A, E>(
  app: Layer.Layer<A, E, Lifecycle.Lifecycle | Beacon.Beacon>,
  options?: Options
) =>
  Effect.gen(function* () {
    const listening = yield* Deferred.make<Listener>()
    const program = launch(app, options).pipe(
      Effect.provideService(StopRequest, {
        listen: (listener) => Deferred.succeed(listening, listener)
      }),
      Effect.provide(Logger.remove(Logger.defaultLogger))
    )
    const fiber = yield* Effect.fork(program)
    return { fiber, listener: yield* Deferred.await(listening) }
  })

const recorder = () => {
  const log: Array<string> = []
  return { log, mark: (text: string) => Effect.sync(() => void log.push(text)) }
}

describe("launch", () => {
  it.effect("ends with 0 when it was asked to stop and every hook completed", () =>
    Effect.gen(function* () {
      const { log, mark } = recorder()
      const started = yield* Deferred.make<void>()
      const App = Layer.scopedDiscard(
        Effect.gen(function* () {
          const { on } = yield* Lifecycle.Lifecycle
          yield* Effect.addFinalizer(() => mark("layer"))
          yield* on("bot", "bot", mark("bot"))
          yield* on("close", "status endpoint", mark("status endpoint"))
          yield* Deferred.succeed(started, undefined)
        })
      )
      const { fiber, listener } = yield* start(App)
      yield* Deferred.await(started)
      listener.requestStop(sigterm)
      assert.strictEqual(yield* Fiber.join(fiber), 0)
      // The status endpoint is the last hook, and only then are the layers released.
      assert.deepStrictEqual(log, ["bot", "status endpoint", "layer"])
    })
  )

  it.effect("ends with 1 when a layer hangs in its release, which holds nothing up", () =>
    Effect.gen(function* () {
      const App = Layer.scopedDiscard(Effect.addFinalizer(() => Effect.never))
      const { fiber, listener } = yield* start(App)
      yield* TestClock.adjust("1 second")
      listener.requestStop(sigterm)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), 1)
      assert.match(listener.describe(), /close +layers .* overran/)
    })
  )

  it.effect("fails with the error of a layer that fails, and leaves nothing open", () =>
    Effect.gen(function* () {
      const { log, mark } = recorder()
      const Server = Layer.scopedDiscard(Effect.addFinalizer(() => mark("server")))
      const Database = Layer.scopedDiscard(Effect.addFinalizer(() => mark("database"))).pipe(
        Lifecycle.within("database", "sqlite")
      )
      const App = Layer.effectDiscard(new StartError({ message: "port 3000 is taken" })).pipe(
        Layer.provide(Server),
        Layer.provide(Database)
      )
      const { fiber, listener } = yield* start(App)
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(error._tag, "StartError")
      assert.deepStrictEqual(log, ["server", "database"])
      assert.include(listener.describe(), "shutdown by a failed start")
    })
  )

  it.effect(
    "has no report of the end of a program that did not start, but what went wrong then",
    () =>
      Effect.gen(function* () {
        const said: Array<string> = []
        const logger = Logger.make(({ logLevel, message }) => {
          said.push(`${logLevel.label} ${String(message)}`)
        })
        const Database = Layer.scopedDiscard(
          Effect.addFinalizer(() => Effect.zipRight(Effect.logInfo("bye"), Effect.die("a defect")))
        ).pipe(Lifecycle.within("database", "sqlite"))
        const App = Layer.effectDiscard(new StartError({ message: "port 3000 is taken" })).pipe(
          Layer.provide(Database)
        )
        const error = yield* Effect.flip(launch(App)).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger))
        )
        assert.strictEqual(error._tag, "StartError")
        // What the program itself says is its own.
        assert.deepStrictEqual(said, ["INFO bye", "WARN shutdown: database: sqlite died"])
      })
  )

  it.effect("runs the phases when it is interrupted, and is interrupted then", () =>
    Effect.gen(function* () {
      const { log, mark } = recorder()
      const App = Layer.scopedDiscard(
        Effect.flatMap(Lifecycle.Lifecycle, ({ on }) => on("bot", "bot", mark("bot")))
      )
      const { fiber, listener } = yield* start(App)
      yield* TestClock.adjust("1 second")
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isInterrupted(exit))
      assert.deepStrictEqual(log, ["bot"])
      assert.include(listener.describe(), "shutdown by an interruption")
    })
  )

  it.effect("logs with the loggers of the program, and its report before they close", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const Loggers = Layer.merge(
        Logger.add(Logger.make(({ message }) => void lines.push(String(message)))),
        Layer.scopedDiscard(Effect.addFinalizer(() => Effect.sync(() => void lines.push("closed"))))
      )
      const App = Layer.scopedDiscard(
        Effect.flatMap(Lifecycle.Lifecycle, ({ on }) => on("bot", "telegram", Effect.void))
      ).pipe(Layer.provideMerge(Loggers))
      const { fiber, listener } = yield* start(App)
      yield* TestClock.adjust("1 second")
      listener.requestStop(sigterm)
      assert.strictEqual(yield* Fiber.join(fiber), 0)
      assert.include(lines, "shutdown: bot: stop the bot")
      assert.isTrue(lines.some((line) => /^shutdown by SIGTERM: .* completed$/.test(line)))
      assert.strictEqual(lines.at(-1), "closed")
    })
  )

  it.effect("tells what still runs on the first line", () =>
    Effect.gen(function* () {
      const App = Layer.scopedDiscard(
        Effect.flatMap(Lifecycle.Lifecycle, ({ on }) => on("bot", "telegram", Effect.never))
      )
      const { fiber, listener } = yield* start(App)
      yield* TestClock.adjust("1 second")
      listener.requestStop(sigterm)
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(listener.describe().split("\n")[0], "bot: telegram still runs")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), 1)
    })
  )
})
