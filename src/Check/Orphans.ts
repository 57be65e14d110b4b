/**
 * The fibers that were given up and have not ended: they ignore their interruption. Nothing can stop
 * them, so they are counted, and the runner starts no more than it can afford to lose.
 *
 * @internal
 */
import { Duration, Effect, type Fiber } from "effect"
import type * as Deadlines from "./Deadlines.js"

/** How long one may take to end that is interrupted before its time was over. */
const grace = Duration.millis(250)

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

export interface Orphans {
  readonly counts: () => ReadonlyMap<string, number>
  readonly count: (name: string) => number
  /** For a fiber that is past its deadline: interrupts it and counts it until it ends. */
  readonly overdue: (name: string, fiber: AnyFiber) => void
  /** For one that nobody waits for any more: the same, but it counts only if it takes its time. */
  readonly unwanted: (name: string, fiber: AnyFiber, now: number) => Effect.Effect<void>
}

export const make = (deadlines: Deadlines.Deadlines): Orphans => {
  const byName = new Map<string, number>()
  const count = (name: string) => byName.get(name) ?? 0

  const countUntilItEnds = (name: string, fiber: AnyFiber) => {
    byName.set(name, count(name) + 1)
    fiber.addObserver(() => {
      const left = count(name) - 1
      if (left === 0) byName.delete(name)
      else byName.set(name, left)
    })
  }

  return {
    counts: () => new Map(byName),
    count,
    overdue: (name, fiber) => {
      countUntilItEnds(name, fiber)
      fiber.unsafeInterruptAsFork(fiber.id())
    },
    unwanted: (name, fiber, now) => {
      // One that has ended by then is counted for no moment at all.
      deadlines.insert(now, grace, () => countUntilItEnds(name, fiber))
      fiber.unsafeInterruptAsFork(fiber.id())
      return deadlines.ensureAwake(now)
    }
  }
}
