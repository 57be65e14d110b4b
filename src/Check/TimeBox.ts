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
export interface Task<A, E, B> {
  /** The name of the check, under which a fiber is counted that does not end. */
  readonly name: string
  readonly limit: Duration.Duration
  readonly startedAt: number
  /** The same clock that told `startedAt`. */
  now(): number
  ended(exit: Exit.Exit<A, E>): B
  timedOut(): B
  /** Asked when nobody waits any more: whether that is so because a time box around this is over. */
  isOverdue(): boolean
}

/** An interruption of the caller is passed on to the effect, and not waited for. */
export const run = <A, E, B>(
  effect: Effect.Effect<A, E>,
  watch: Watch,
  task: Task<A, E, B>
): Effect.Effect<B> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(Effect.interruptible(effect)), (fiber) => {
      const box = new TimeBox(fiber, watch, task)
      const answer = Effect.async<B>((resume) => {
        box.listen((answered) => resume(Effect.succeed(answered)))
      })
      return Effect.zipRight(
        watch.deadlines.ensureAwake(task.startedAt),
        // Outside of `restore`: an interruption that comes before the wait begins counts too.
        Effect.catchAllCause(restore(answer), (cause) =>
          Effect.zipRight(box.leave(), Effect.failCause(cause))
        )
      )
    })
  )

/**
 * The same without a fiber that waits: `listener` is called with the answer, from wherever it comes.
 * The effect that is returned stands for an interruption of the caller.
 */
export const start = <A, E, B>(
  effect: Effect.Effect<A, E>,
  watch: Watch,
  task: Task<A, E, B>,
  listener: (answer: B) => void
): Effect.Effect<Effect.Effect<void>> =>
  Effect.flatMap(Effect.forkDaemon(Effect.interruptible(effect)), (fiber) => {
    const box = new TimeBox(fiber, watch, task)
    box.listen(listener)
    const leave = Effect.suspend(() => box.leave())
    return watch.deadlines.isAwake()
      ? Effect.succeed(leave)
      : Effect.as(watch.deadlines.ensureAwake(task.startedAt), leave)
  })

/** From its start until there is an answer: from the effect or from the deadline. */
class TimeBox<A, E, B> {
  private answered: { readonly answer: B } | undefined
  private listener: ((answer: B) => void) | undefined
  private isLeft = false
  private readonly cancel: () => void

  constructor(
    private readonly fiber: Fiber.RuntimeFiber<A, E>,
    private readonly watch: Watch,
    private readonly task: Task<A, E, B>
  ) {
    this.cancel = watch.deadlines.insert(task.startedAt, task.limit, () => this.expire())
    fiber.addObserver((exit) => {
      if (this.isOver) return
      this.cancel()
      this.settle(task.ended(exit))
    })
  }

  /** As soon as there is an answer. */
  listen(listener: (answer: B) => void): void {
    if (this.answered === undefined) this.listener = listener
    else listener(this.answered.answer)
  }

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

  private settle(answer: B): void {
    this.answered = { answer }
    this.listener?.(answer)
  }
}
