/**
 * An effect in a fiber of its own, and an answer in time whatever the effect does: what does not end
 * is left to itself, and counted.
 *
 * @internal
 */
import { Duration, Effect, type Exit, type Fiber } from "effect"
import type * as Deadlines from "./Deadlines.js"
import type { Orphans } from "./Orphans.js"

/** What the time boxes of one runner share. */
export interface Watch {
  readonly deadlines: Deadlines.Deadlines
  readonly orphans: Orphans
}

/** What is done with the end of the effect. */
export interface Task<A, E, B, E2> {
  /** The name of the check, under which a fiber is counted that does not end. */
  readonly name: string
  readonly limit: Duration.Duration
  readonly startedAt: number
  /** The same clock that told `startedAt`. */
  now(): number
  ended(exit: Exit.Exit<A, E>): Effect.Effect<B, E2>
  timedOut(): Effect.Effect<B, E2>
  /** Asked when nobody waits any more: whether that is so because a time box around this is over. */
  isOverdue(): boolean
}

/** An interruption of the caller is passed on to the effect, and not waited for. */
export const run = <A, E, B, E2>(
  effect: Effect.Effect<A, E>,
  watch: Watch,
  task: Task<A, E, B, E2>
): Effect.Effect<B, E2> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(Effect.interruptible(effect)), (fiber) => {
      const box = new TimeBox(fiber, watch, task)
      return Effect.zipRight(
        watch.deadlines.ensureAwake(task.startedAt),
        // Outside of `restore`: an interruption that comes before the wait begins counts too.
        Effect.catchAllCause(restore(box.answer), (cause) =>
          Effect.zipRight(box.leave(), Effect.failCause(cause))
        )
      )
    })
  )

/** From its start until there is an answer: from the effect or from the deadline. */
class TimeBox<A, E, B, E2> {
  private answered: Effect.Effect<B, E2> | undefined
  private listener: ((answer: Effect.Effect<B, E2>) => void) | undefined
  private isLeft = false
  private readonly cancel: () => void

  constructor(
    private readonly fiber: Fiber.RuntimeFiber<A, E>,
    private readonly watch: Watch,
    private readonly task: Task<A, E, B, E2>
  ) {
    this.cancel = watch.deadlines.insert(task.startedAt, task.limit, () => this.expire())
    fiber.addObserver((exit) => {
      if (this.isOver) return
      this.cancel()
      this.settle(task.ended(exit))
    })
  }

  /** As soon as there is one. */
  readonly answer: Effect.Effect<B, E2> = Effect.async((resume) => {
    if (this.answered === undefined) this.listener = resume
    else resume(this.answered)
  })

  /** Nobody waits any more, unless because there was an answer. */
  leave(): Effect.Effect<void> {
    if (this.isOver) return Effect.void
    const { limit, name, startedAt } = this.task
    const { orphans } = this.watch
    const now = this.task.now()
    this.isLeft = true
    this.cancel()
    if (!this.task.isOverdue() && now < startedAt + Duration.toMillis(limit)) {
      return orphans.unwanted(name, this.fiber, now)
    }
    orphans.overdue(name, this.fiber)
    return Effect.void
  }

  private get isOver(): boolean {
    return this.isLeft || this.answered !== undefined
  }

  private expire(): void {
    if (this.isOver) return
    const answer = this.task.timedOut()
    this.watch.orphans.overdue(this.task.name, this.fiber)
    this.settle(answer)
  }

  private settle(answer: Effect.Effect<B, E2>): void {
    this.answered = answer
    this.listener?.(answer)
  }
}
