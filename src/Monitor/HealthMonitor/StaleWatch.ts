/**
 * Looks, as long as the heartbeat is running, whether a check has had no result for too long.
 *
 * @internal
 */
import { DateTime, Duration, Effect, Option } from "effect"
import type { CheckRegistry, RegisteredCheck } from "../../Check/CheckRegistry.js"
import { staleAfter } from "../../Check/Heartbeat/Rhythm.js"
import { HealthEvent } from "../HealthEvent.js"
import type { Memory } from "./Memory.js"
import { Staleness } from "./Staleness.js"

type Registry = typeof CheckRegistry.Service

/** The heartbeat with somebody who watches it. */
export const around = (
  heartbeat: Effect.Effect<never>,
  registry: Registry,
  memory: Memory
): Effect.Effect<never> =>
  Effect.scoped(
    Effect.gen(function* () {
      const staleness = new Staleness<RegisteredCheck>(memory.now())
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          memory.staleness = Option.some(staleness)
        }),
        () =>
          Effect.sync(() => {
            memory.staleness = Option.none()
          })
      )
      yield* Effect.forkScoped(watch(staleness, registry, memory))
      return yield* heartbeat
    })
  )

const watch = (
  staleness: Staleness<RegisteredCheck>,
  registry: Registry,
  memory: Memory
): Effect.Effect<never> =>
  Effect.gen(function* () {
    const stale = staleness.look(yield* registry.all, memory.now())
    if (stale.length > 0) yield* tell(stale, memory)
    yield* Effect.sleep(Duration.millis(staleness.every))
  }).pipe(Effect.forever)

const tell = (stale: ReadonlyArray<RegisteredCheck>, memory: Memory): Effect.Effect<void> =>
  Effect.gen(function* () {
    const noticedAt = yield* DateTime.now
    for (const check of stale) {
      memory.tell(HealthEvent.Stale({ check, last: memory.stateOf(check).last, noticedAt }))
    }
    // One line, for when one thing is the matter with all of them.
    const names = stale.slice(0, mostNamed).map(({ name }) => name)
    const more = stale.length - names.length
    const all = [...names, ...(more === 0 ? [] : [`${more} more`])].join(", ")
    yield* Effect.logWarning(`No result for ${staleAfter} intervals: ${all}`)
  })

const mostNamed = 10
