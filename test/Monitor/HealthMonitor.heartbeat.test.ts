import { assert, describe, it } from "@effect/vitest"
import {
  Chunk,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Option,
  Queue,
  Ref,
  Schema,
  Scope,
  Stream,
  TestClock
} from "effect"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import type { Status } from "../../src/Check/CheckResult.js"
import * as Outcome from "../../src/Check/Outcome.js"
import type { HealthEvent } from "../../src/Monitor/HealthEvent.js"
import * as HealthMonitor from "../../src/Monitor/HealthMonitor.js"
import type { Change } from "../../src/Monitor/HealthState.js"
import * as StatusSummary from "../../src/Monitor/StatusSummary.js"
import { bentClock } from "../Check/beating.js"
import { check, ok, type Probe, ScriptedError, type Script } from "../Check/scripted.js"

const monitored = (
  checks: Layer.Layer<never, unknown, CheckRegistry.CheckRegistry>,
  options: HealthMonitor.Options & CheckRunner.Options = {}
) =>
  Effect.provide(
    Layer.mergeAll(
      HealthMonitor.layerWith({ spread: "0 seconds", ...options }),
      Layer.orDie(checks)
    ).pipe(Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer(options))))
  )

const down = new ScriptedError({ reason: "Down" })

/** Answers with each status in turn; the last one stays. */
const scripted = (name: string, statuses: ReadonlyArray<Status>, script: Script = {}) => {
  let run = 0
  const probe: Probe = Effect.suspend(() => {
    const status = statuses[Math.min(run++, statuses.length - 1)]
    if (status === "healthy") return Effect.succeed(ok)
    if (status === "degraded") return Effect.succeed(Outcome.degraded("slow"))
    return Effect.fail(status === "unknown" ? new ScriptedError({ reason: "Absent" }) : down)
  })
  return check(name, probe, { statuses: { Absent: "unknown" }, ...script })
}

const H = "healthy"
const U = "unhealthy"

/** A function that is told of changes, and what it was told. */
const recorder = Effect.sync(() => {
  const calls: Array<string> = []
  const callback = ({ previous, result }: Change) =>
    Effect.sync(() => {
      calls.push(`${result.service}: ${previous?.status ?? "nothing"} > ${result.status}`)
    })
  return { calls, callback }
})

const logged = (lines: Array<string>) =>
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ cause, message }) => {
      lines.push(`${String(message)} ${cause.toString()}`)
    })
  )

describe("the heartbeat", () => {
  const beats = Effect.map(
    Effect.flatMap(HealthMonitor.HealthMonitor, ({ heartbeat }) => heartbeat),
    Option.map((report) => report.beats.get("a")?.beats)
  )

  it.effect("is started once and stopped once, however often it is asked for", () =>
    Effect.gen(function* () {
      const { startHeartbeat, stopHeartbeat } = yield* HealthMonitor.HealthMonitor
      yield* stopHeartbeat
      assert.isTrue(Option.isNone(yield* beats))
      yield* startHeartbeat
      yield* TestClock.adjust("20 seconds")
      yield* startHeartbeat
      yield* TestClock.adjust("45 seconds")
      // The second start began no rhythm of its own.
      assert.deepStrictEqual(Option.getOrNull(yield* beats), 3)
      yield* stopHeartbeat
      yield* stopHeartbeat
      yield* TestClock.adjust("5 minutes")
      assert.isTrue(Option.isNone(yield* beats))
      yield* startHeartbeat
      yield* TestClock.adjust("35 seconds")
      assert.deepStrictEqual(Option.getOrNull(yield* beats), 2)
    }).pipe(monitored(scripted("a", [H])))
  )

  it.effect("is stopped at once: a beat under way is interrupted and leaves no result", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const hanging = Effect.onInterrupt(Effect.never, () =>
        Deferred.succeed(interrupted, undefined)
      )
      yield* Effect.gen(function* () {
        const monitor = yield* HealthMonitor.HealthMonitor
        yield* monitor.startHeartbeat
        yield* TestClock.adjust("1 second")
        yield* monitor.stopHeartbeat // the clock stands still
        yield* Deferred.await(interrupted)
        const { failure_counts, services } = yield* monitor.statusSummary
        assert.deepStrictEqual(failure_counts, { a: 0 })
        assert.strictEqual(services["a"]?.last_check, null)
      }).pipe(monitored(check("a", hanging)))
    })
  )

  it.effect("as a layer beats for as long as that lives", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(HealthMonitor.layerHeartbeat, scope)
      yield* TestClock.adjust("35 seconds")
      assert.deepStrictEqual(Option.getOrNull(yield* beats), 2)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Option.isNone(yield* beats))
    }).pipe(monitored(scripted("a", [H])))
  )

  it.effect("ends with the monitor's layer", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0)
      yield* Effect.gen(function* () {
        yield* Effect.flatMap(HealthMonitor.HealthMonitor, ({ startHeartbeat }) => startHeartbeat)
        yield* TestClock.adjust("35 seconds")
      }).pipe(
        monitored(
          check(
            "a",
            Effect.as(
              Ref.update(runs, (n) => n + 1),
              ok
            )
          )
        )
      )
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* Ref.get(runs), 2)
    })
  )

  it.effect("its results are those that the status is made of", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      yield* monitor.startHeartbeat
      yield* TestClock.adjust("65 seconds")
      assert.strictEqual(yield* monitor.overallStatus, U)
      const summary = yield* monitor.statusSummary
      assert.deepStrictEqual(summary.success_counts, { a: 3, b: 0 })
      assert.deepStrictEqual(summary.failure_counts, { a: 0, b: 2 })
      assert.deepStrictEqual(summary.heartbeat, { stale: [], skipped_beats: { a: 0, b: 0 } })
      assert.deepStrictEqual(
        Schema.decodeUnknownSync(StatusSummary.StatusSummary)(JSON.parse(JSON.stringify(summary))),
        summary
      )
      yield* monitor.stopHeartbeat
      assert.notProperty(yield* monitor.statusSummary, "heartbeat")
    }).pipe(monitored(Layer.merge(scripted("a", [H]), scripted("b", [H, U]))))
  )
})

describe("results and changes", () => {
  it.effect("every result is told, of beats and of single runs", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const told = yield* Effect.fork(Stream.runCollect(Stream.take(monitor.results, 4)))
      yield* TestClock.adjust(0)
      yield* monitor.runCheck("a")
      yield* monitor.startHeartbeat
      yield* TestClock.adjust("65 seconds")
      const statuses = Chunk.map(yield* Fiber.join(told), ({ status }) => status)
      assert.deepStrictEqual(Chunk.toReadonlyArray(statuses), [H, U, H, U])
    }).pipe(monitored(scripted("a", [H, U, H, U])))
  )

  it.effect("a change is told when its threshold is reached, with the result before", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const told = yield* Effect.fork(Stream.runCollect(Stream.take(monitor.changes, 2)))
      yield* monitor.startHeartbeat
      yield* TestClock.adjust("5 minutes")
      const changes = Chunk.toReadonlyArray(yield* Fiber.join(told))
      assert.deepStrictEqual(
        changes.map(({ previous, result }) => [previous?.status, result.status]),
        [
          [H, U],
          [U, H]
        ]
      )
      const seconds = changes.map(({ result }) => result.lastCheck.epochMillis / 1000)
      assert.deepStrictEqual(seconds, [90, 150])
    }).pipe(monitored(scripted("a", [H, U, U, U, H, H])))
  )

  it.scoped("thresholds are each check's own", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const { callback, calls } = yield* recorder
      yield* monitor.registerAlertCallback(callback)
      yield* monitor.startHeartbeat
      yield* TestClock.adjust("35 seconds")
      assert.deepStrictEqual(calls, ["quick: healthy > unhealthy"])
    }).pipe(
      monitored(
        Layer.merge(
          scripted("quick", [H, U], { failureThreshold: 1 }),
          scripted("patient", [H, U], { failureThreshold: 4 })
        )
      )
    )
  )

  it.scoped("no beat waits for a subscriber: a slow one loses the oldest, which is counted", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const slow = yield* monitor.subscribe
      const quick = yield* Ref.make(0)
      yield* Effect.forkScoped(
        Stream.runForEach(monitor.results, () => Ref.update(quick, (n) => n + 1))
      )
      yield* monitor.startHeartbeat
      yield* TestClock.adjust("285 seconds")
      const report = Option.getOrThrow(yield* monitor.heartbeat)
      assert.strictEqual(report.beats.get("a")?.beats, 10)
      assert.strictEqual(report.lostEvents, 6)
      assert.strictEqual(yield* Ref.get(quick), 10)
      const [waiting] = yield* slow.takeAll
      const seconds = Chunk.map(waiting, (event) =>
        event._tag === "Checked" ? event.result.lastCheck.epochMillis / 1000 : Number.NaN
      )
      assert.deepStrictEqual(Chunk.toReadonlyArray(seconds), [180, 210, 240, 270])
    }).pipe(monitored(scripted("a", [H]), { capacity: 4 }))
  )
})

describe("registerAlertCallback", () => {
  it.scoped("calls once for each change, not on every beat, in order", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const { callback, calls } = yield* recorder
      yield* monitor.registerAlertCallback(callback)
      yield* monitor.startHeartbeat
      yield* TestClock.adjust("6 minutes")
      assert.deepStrictEqual(calls, [
        "a: healthy > unhealthy",
        "a: unhealthy > healthy",
        "a: healthy > unhealthy"
      ])
    }).pipe(monitored(scripted("a", [H, U, U, U, H, H, U, U, U])))
  )

  it.scoped("tells of a check that is down from its start; that it is healthy is no news", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const { callback, calls } = yield* recorder
      yield* monitor.registerAlertCallback(callback)
      yield* monitor.startHeartbeat
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(calls, ["down: nothing > unhealthy"])
    }).pipe(monitored(Layer.merge(scripted("down", [U]), scripted("sound", [H]))))
  )

  it.effect("until the scope ends in which it was registered", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const { callback, calls } = yield* recorder
      const scope = yield* Scope.make()
      yield* Scope.extend(monitor.registerAlertCallback(callback), scope)
      yield* monitor.startHeartbeat
      yield* TestClock.adjust("70 seconds")
      assert.lengthOf(calls, 1)
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("5 minutes")
      assert.lengthOf(calls, 1)
      assert.strictEqual(yield* monitor.overallStatus, H)
    }).pipe(monitored(scripted("a", [U, U, U, H])))
  )

  it.scoped("one that throws, fails, dies or interrupts itself is logged and called again", () => {
    const lines: Array<string> = []
    return Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const { callback, calls } = yield* recorder
      yield* monitor.registerAlertCallback(() => {
        throw new Error("thrown")
      })
      yield* monitor.registerAlertCallback(() => Effect.fail("refused"))
      yield* monitor.registerAlertCallback(() => Effect.die("dead"))
      yield* monitor.registerAlertCallback(() => Effect.interrupt)
      yield* monitor.registerAlertCallback(callback)
      yield* monitor.startHeartbeat
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(calls, ["a: nothing > unhealthy", "a: unhealthy > healthy"])
      assert.lengthOf(lines, 8)
      for (const what of ["thrown", "refused", "dead", "interrupted"]) {
        const told = lines.filter((line) => line.includes(what))
        assert.lengthOf(told, 2, lines.join("\n"))
        assert.include(told[0], "An alert callback for a failed")
      }
    }).pipe(monitored(scripted("a", [U, U, U, H])), Effect.provide(logged(lines)))
  })

  it.scoped(
    "one that hangs holds up no beat, no other callback, no other check; it is given up",
    () => {
      const lines: Array<string> = []
      return Effect.gen(function* () {
        const monitor = yield* HealthMonitor.HealthMonitor
        const { callback, calls } = yield* recorder
        const hung = yield* Queue.unbounded<string>()
        yield* monitor.registerAlertCallback(({ result }) =>
          Effect.gen(function* () {
            yield* Queue.offer(hung, `${result.service} ${result.status}`)
            if (result.service === "a") return yield* Effect.uninterruptible(Effect.never)
          })
        )
        yield* monitor.registerAlertCallback(callback)
        yield* monitor.startHeartbeat
        yield* TestClock.adjust("100 seconds")
        assert.deepStrictEqual(calls.toSorted(), [
          "a: nothing > unhealthy",
          "b: nothing > unhealthy"
        ])
        const { beats } = Option.getOrThrow(yield* monitor.heartbeat)
        assert.deepInclude(beats.get("a"), { beats: 4, skipped: 0 })
        assert.strictEqual(Duration.toMillis(beats.get("a")?.latestBy ?? Duration.infinity), 0)
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Queue.takeAll(hung)).toSorted(), [
          `a ${U}`,
          `b ${U}`
        ])
        // A minute after its call it is given up; then comes the change that waited behind it.
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Queue.takeAll(hung)).toSorted(), [
          `a ${H}`,
          `b ${H}`
        ])
        assert.isTrue(lines.some((line) => line.includes("did not end")))
      }).pipe(
        monitored(Layer.merge(scripted("a", [U, U, U, H]), scripted("b", [U, U, U, H]))),
        Effect.provide(logged(lines))
      )
    }
  )
})

describe("a check without a result", () => {
  const stuck = Layer.merge(
    // One at a time: the first beat of `starved` waits for as long as the other takes.
    check("hog", Effect.never, { set: { interval: "10 minutes", timeout: "10 minutes" } }),
    scripted("starved", [H])
  )

  it.scoped("for three intervals is stale: its summary says so, and it is told once", () => {
    const lines: Array<string> = []
    return Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const events = yield* monitor.subscribe
      yield* monitor.startHeartbeat
      const stale = Effect.map(monitor.statusSummary, ({ heartbeat }) => heartbeat?.stale)
      yield* TestClock.adjust("90 seconds")
      assert.deepStrictEqual(yield* stale, [])
      yield* TestClock.adjust("8 minutes")
      assert.deepStrictEqual(yield* stale, ["starved"])
      const [told] = yield* events.takeAll
      const described = (event: HealthEvent) => `${event._tag} ${event.check.name}`
      assert.deepStrictEqual(Chunk.toReadonlyArray(Chunk.map(told, described)), ["Stale starved"])
      assert.lengthOf(
        lines.filter((line) => line.includes("starved")),
        1
      )
      // Its turn comes, and with it a result.
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* stale, [])
    }).pipe(monitored(stuck, { concurrency: 1 }), Effect.provide(logged(lines)))
  })

  it.scoped("because the machine slept is not stale", () =>
    Effect.gen(function* () {
      const { clock, sleepFor } = yield* bentClock
      yield* Effect.gen(function* () {
        const monitor = yield* HealthMonitor.HealthMonitor
        const events = yield* monitor.subscribe
        yield* monitor.startHeartbeat
        yield* TestClock.adjust("45 seconds")
        yield* sleepFor(3_600_000)
        yield* TestClock.adjust("5 minutes")
        const [told] = yield* events.takeAll
        assert.isTrue(Chunk.every(told, ({ _tag }) => _tag === "Checked"))
        assert.strictEqual((yield* monitor.statusSummary).heartbeat?.skipped_beats["a"], 120)
      }).pipe(monitored(scripted("a", [H])), Effect.withClock(clock))
    })
  )
})
