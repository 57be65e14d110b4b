/**
 * The service that bots talk to: runs the registered checks, once or again and again, remembers what
 * came out, and tells of it.
 */
import {
  Context,
  DateTime,
  Effect,
  FiberHandle,
  Layer,
  Mailbox,
  Option,
  type Scope,
  Stream,
  SubscriptionRef
} from "effect"
import { Vital, Vitals } from "../Alert/Vitals.js"
import { UnknownCheckError } from "../Check/CheckError.js"
import { CheckRegistry, type RegisteredCheck } from "../Check/CheckRegistry.js"
import type { CheckResult, Status } from "../Check/CheckResult.js"
import { CheckRunner } from "../Check/CheckRunner.js"
import * as Heartbeat from "../Check/Heartbeat.js"
import type { HealthEvent } from "./HealthEvent.js"
import * as AlertCallbacks from "./HealthMonitor/AlertCallbacks.js"
import * as Broadcast from "./HealthMonitor/Broadcast.js"
import * as Events from "./HealthMonitor/Events.js"
import { Memory } from "./HealthMonitor/Memory.js"
import * as StaleWatch from "./HealthMonitor/StaleWatch.js"
import type { Change } from "./HealthState.js"
import * as StatusSummary from "./StatusSummary.js"

export type { HealthEvent } from "./HealthEvent.js"
export type { Change } from "./HealthState.js"
export { StatusSummary } from "./StatusSummary.js"

export interface Options extends Heartbeat.Options {
  /**
   * How many events may wait for a subscriber; of more, the oldest are lost, and counted. No beat
   * waits for a subscriber. 4096 by default.
   */
  readonly capacity?: number | undefined
}

/** What there is to say of the heartbeat while it is running. */
export interface HeartbeatReport {
  readonly beats: ReadonlyMap<string, Heartbeat.Beats>
  /** Checks without a result for three of their intervals. */
  readonly stale: ReadonlyArray<string>
  /** Events that were lost because a subscriber was too slow. */
  readonly lostEvents: number
}

/** A function of a bot, called with each change of a confirmed status. */
export type AlertCallback<E = never, R = never> = AlertCallbacks.AlertCallback<E, R>

export class HealthMonitor extends Context.Tag("holter/Monitor/HealthMonitor")<
  HealthMonitor,
  {
    /** Runs every check at the same time; the results by name, in the order of registration. */
    readonly runAllChecks: Effect.Effect<ReadonlyMap<string, CheckResult>>
    /** The registered checks, in the order of registration. */
    readonly checks: Effect.Effect<ReadonlyArray<RegisteredCheck>>
    readonly runCheck: (name: string) => Effect.Effect<CheckResult, UnknownCheckError>
    /** Beats from now on, until it is stopped or the monitor's layer ends. Once is enough. */
    readonly startHeartbeat: Effect.Effect<void>
    /**
     * Ends the heartbeat at once: a beat under way is interrupted and leaves no result, so that a
     * shutdown waits for no timeout of a check.
     */
    readonly stopHeartbeat: Effect.Effect<void>
    /** Whether it is running, now and whenever that changes: no result is due while it is not. */
    readonly beating: Stream.Stream<boolean>
    /** Nothing while it is not running. */
    readonly heartbeat: Effect.Effect<Option.Option<HeartbeatReport>>
    /** From the last results; nothing is run. */
    readonly overallStatus: Effect.Effect<Status>
    readonly statusSummary: Effect.Effect<StatusSummary.StatusSummary>
    /** Every result, of beats and of single runs, from when the stream is run. */
    readonly results: Stream.Stream<CheckResult>
    /** The changes of confirmed statuses, by the thresholds of each check. */
    readonly changes: Stream.Stream<Change>
    /** All events from now on, for as long as the scope is open: none is missed in between. */
    readonly subscribe: Effect.Effect<Mailbox.ReadonlyMailbox<HealthEvent>, never, Scope.Scope>
    /**
     * Has a function called on every change of a confirmed status, for as long as the scope is open:
     * in order for each check, in fibers of its own. One that fails, throws or takes longer than a
     * minute is told of in the log and disturbs nothing.
     */
    readonly registerAlertCallback: <E = never, R = never>(
      callback: AlertCallback<E, R>
    ) => Effect.Effect<void, never, Scope.Scope | R>
  }
>() {}

/**
 * @example
 * import { Effect, Layer } from "effect"
 * import { CheckRegistry, CheckRunner, HealthMonitor } from "holter"
 *
 * export const monitored = HealthMonitor.layerWith({ spread: "1 second" }).pipe(
 *   Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer()))
 * )
 *
 * export const bot = Effect.gen(function* () {
 *   const monitor = yield* HealthMonitor.HealthMonitor
 *   yield* monitor.registerAlertCallback(({ result, service, status }) =>
 *     Effect.log(`${service} is ${status}: ${result.message}`)
 *   )
 *   yield* monitor.startHeartbeat
 *   yield* Effect.never
 * })
 */
export const layerWith = (
  options: Options
): Layer.Layer<HealthMonitor, never, CheckRegistry | CheckRunner> =>
  Layer.scoped(
    HealthMonitor,
    Effect.gen(function* () {
      const registry = yield* CheckRegistry
      const runner = yield* CheckRunner
      const events = Broadcast.make<HealthEvent>(options.capacity ?? 4096)
      const memory = new Memory(yield* Effect.clock, events.publish)
      const heartbeat = yield* Heartbeat.make(
        (check, result) => memory.note(check, result),
        options
      )
      const running = yield* FiberHandle.make<never>()
      const beating = yield* SubscriptionRef.make(false)
      const beat = Effect.acquireUseRelease(
        SubscriptionRef.set(beating, true),
        () => StaleWatch.around(heartbeat.run, registry, memory),
        () => SubscriptionRef.set(beating, false)
      )

      const run = (check: RegisteredCheck) =>
        Effect.tap(runner.run(check), (result) => Effect.sync(() => memory.note(check, result)))
      const entries = Effect.map(registry.all, (checks) => memory.entries(checks))
      const report = Effect.zipWith(entries, heartbeat.beats, (all, beats) =>
        Option.map(
          memory.staleness,
          (staleness): HeartbeatReport => ({
            beats,
            stale: all
              .filter(({ check }) => staleness.isStale(check))
              .map(({ check }) => check.name),
            lostEvents: events.lost()
          })
        )
      )
      const stream = <A>(pick: (event: HealthEvent) => Option.Option<A>): Stream.Stream<A> =>
        Stream.unwrapScoped(
          Effect.map(events.subscribe, (mailbox) =>
            Stream.fromChannel(Events.picked(mailbox, pick))
          )
        )

      return {
        runAllChecks: Effect.gen(function* () {
          const checks = yield* registry.all
          const results = yield* Effect.forEach(checks, run, { concurrency: "unbounded" })
          return new Map(results.map((result) => [result.service, result]))
        }),
        checks: registry.all,
        runCheck: Effect.fn("HealthMonitor.runCheck")(function* (name: string) {
          const check = yield* registry.find(name)
          if (Option.isSome(check)) return yield* run(check.value)
          const known = yield* registry.all
          return yield* new UnknownCheckError({ name, known: known.map((other) => other.name) })
        }),
        startHeartbeat: Effect.asVoid(FiberHandle.run(running, beat, { onlyIfMissing: true })),
        stopHeartbeat: FiberHandle.clear(running),
        beating: beating.changes,
        heartbeat: report,
        overallStatus: Effect.map(entries, StatusSummary.overall),
        statusSummary: Effect.gen(function* () {
          return StatusSummary.make(yield* entries, yield* DateTime.now, yield* report)
        }),
        results: stream((event) =>
          event._tag === "Checked" ? Option.some(event.result) : Option.none()
        ),
        changes: stream((event) =>
          event._tag === "Checked" ? Option.fromNullable(event.change) : Option.none()
        ),
        subscribe: events.subscribe,
        registerAlertCallback: (callback) =>
          Effect.flatMap(events.subscribe, (mailbox) => AlertCallbacks.register(mailbox, callback))
      }
    })
  )

export const layer: Layer.Layer<HealthMonitor, never, CheckRegistry | CheckRunner> = layerWith({})

/** The heartbeat for as long as the layer lives. */
export const layerHeartbeat: Layer.Layer<never, never, HealthMonitor> = Layer.scopedDiscard(
  Effect.flatMap(HealthMonitor, ({ startHeartbeat, stopHeartbeat }) =>
    Effect.acquireRelease(startHeartbeat, () => stopHeartbeat)
  )
)

/**
 * What `DeadMan` asks: monitoring is alive when its heartbeat is running, the whole is known, and not every
 * check is stale.
 */
export const layerVitals: Layer.Layer<Vitals, never, HealthMonitor> = Layer.effect(
  Vitals,
  Effect.map(HealthMonitor, ({ heartbeat, overallStatus }) => ({
    now: Effect.gen(function* () {
      const report = Option.getOrUndefined(yield* heartbeat)
      if (report === undefined || report.beats.size === 0) return Vital.Quiet()
      if (report.stale.length >= report.beats.size) {
        return Vital.Stuck({ why: "no check has had a result for three of its intervals" })
      }
      const overall = yield* overallStatus
      return overall === "unknown" ? Vital.Quiet() : Vital.Alive({ overall })
    })
  }))
)
