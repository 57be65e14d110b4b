/** Work in flight, by name: what a shutdown waits for, and what it cancels when the wait is over. */
import { type Clock, Context, Duration, Effect, Fiber, Layer, Schema } from "effect"
import { Lifecycle } from "./Lifecycle.js"
import type { PlanError } from "./PlanError.js"
import * as Format from "../Common/Format.js"

/** New work, after the program began to stop. */
export class BeaconRefused extends Schema.TaggedError<BeaconRefused>(
  "holter/Lifecycle/BeaconRefused"
)("BeaconRefused", {
  reason: Schema.Literal("ShuttingDown"),
  beacon: Schema.String
}) {
  override get message(): string {
    return `${this.beacon} was not started: the program is shutting down. Try again when it is back`
  }
}

export interface InFlight {
  readonly name: string
  readonly age: Duration.Duration
}

export class Beacon extends Context.Tag("holter/Lifecycle/Beacon")<
  Beacon,
  {
    /**
     * Counts the effect as work in flight while it runs. Once the program stops, new work is
     * refused; what is part of work that was tracked before goes on.
     */
    readonly track: (
      name: string
    ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | BeaconRefused, R>
    /** The oldest first. */
    readonly inFlight: Effect.Effect<ReadonlyArray<InFlight>>
    /** Refuses new work from now on. */
    readonly refuse: Effect.Effect<void>
    /** Waits until nothing is in flight. */
    readonly idle: Effect.Effect<void>
    /** Interrupts what is in flight, and waits for its end. */
    readonly cancel: Effect.Effect<void>
  }
>() {}

/** Without a shutdown around it: `refuse`, `idle` and `cancel` are the caller's to call. */
export const make: Effect.Effect<Beacon["Type"]> = Effect.map(Effect.clock, (clock) =>
  makeUntil(clock, () => false)
)

export interface Options {
  /** How long a shutdown waits for what is in flight. Default a third of the grace. */
  readonly drainTimeout?: Duration.DurationInput | undefined
}

/**
 * Beacons that follow the phases: refused from `intake` on, waited for in `drain`, interrupted in
 * `cancel`. `launch` has them.
 */
export const layer = (options: Options = {}): Layer.Layer<Beacon, PlanError, Lifecycle> =>
  Layer.scoped(
    Beacon,
    Effect.gen(function* () {
      const lifecycle = yield* Lifecycle
      const beacon = makeUntil(yield* Effect.clock, () => lifecycle.hasBegun("intake"))
      const { grace } = yield* lifecycle.plan
      const first = true
      const timeout = options.drainTimeout ?? Duration.times(grace, 1 / 3)
      yield* lifecycle.on("drain", "work in flight", drain(beacon, lifecycle), { first, timeout })
      yield* lifecycle.on("cancel", "work in flight", cancel(beacon, lifecycle), { first })
      return beacon
    })
  )

const drain = (beacon: Beacon["Type"], lifecycle: Lifecycle["Type"]) =>
  Effect.gen(function* () {
    const waiting = yield* beacon.inFlight
    if (waiting.length > 0) yield* lifecycle.note(`waited for ${listed(waiting)}`)
    yield* beacon.idle
  })

const cancel = (beacon: Beacon["Type"], lifecycle: Lifecycle["Type"]) =>
  Effect.gen(function* () {
    const cancelled = yield* beacon.inFlight
    if (cancelled.length === 0) return
    yield* lifecycle.note(`cancelled ${listed(cancelled)}`)
    yield* Effect.logWarning(`shutdown: cancelled ${listed(cancelled)}`)
    yield* beacon.cancel
  })

const mostListed = 10

const listed = (all: ReadonlyArray<InFlight>): string => {
  const shown = all.slice(0, mostListed).map(({ age, name }) => `${name} (${Format.measured(age)})`)
  const more = all.length > mostListed ? [`${all.length - mostListed} more`] : []
  return [...shown, ...more].join(", ")
}

/** Set for what runs inside a beacon: it belongs to work that was accepted. */
class IsTracked extends Context.Reference<IsTracked>()("holter/Lifecycle/Beacon/IsTracked", {
  defaultValue: () => false
}) {}

interface Entry {
  readonly name: string
  readonly since: number
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
}

const makeUntil = (clock: Clock.Clock, isOver: () => boolean): Beacon["Type"] => {
  const entries = new Set<Entry>()
  const waiting = new Set<() => void>()
  let isRefusing = false

  const watch = (name: string, fiber: Fiber.RuntimeFiber<unknown, unknown>): void => {
    const entry = { name, since: clock.unsafeCurrentTimeMillis(), fiber }
    entries.add(entry)
    fiber.addObserver(() => {
      entries.delete(entry)
      if (entries.size > 0) return
      for (const resume of waiting) resume()
      waiting.clear()
    })
  }

  return {
    // In a fiber of its own, so that to cancel the work does not end its caller's loop.
    track:
      (name) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.flatMap(
          IsTracked,
          (isTracked): Effect.Effect<A, E | BeaconRefused, R> =>
            (isRefusing || isOver()) && !isTracked
              ? new BeaconRefused({ reason: "ShuttingDown", beacon: name })
              : Effect.uninterruptibleMask((restore) =>
                  Effect.flatMap(
                    Effect.fork(restore(Effect.provideService(effect, IsTracked, true))),
                    (fiber) => {
                      watch(name, fiber)
                      return Effect.onInterrupt(restore(Fiber.join(fiber)), () =>
                        Fiber.interrupt(fiber)
                      )
                    }
                  )
                )
        ),
    inFlight: Effect.sync(() =>
      [...entries].map(({ name, since }) => ({
        name,
        age: Duration.millis(clock.unsafeCurrentTimeMillis() - since)
      }))
    ),
    refuse: Effect.sync(() => {
      isRefusing = true
    }),
    idle: Effect.async<void>((resume) => {
      if (entries.size === 0) return resume(Effect.void)
      const done = () => resume(Effect.void)
      waiting.add(done)
      return Effect.sync(() => waiting.delete(done))
    }),
    cancel: Effect.suspend(() => Fiber.interruptAll([...entries].map(({ fiber }) => fiber)))
  }
}
