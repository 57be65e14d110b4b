/**
 * The beats of one check, one after the other: waits for the next, runs the check, tells the result.
 *
 * @internal
 */
import { type Clock, Duration, Effect, Random } from "effect"
import type { RegisteredCheck } from "../CheckRegistry.js"
import type { CheckResult } from "../CheckResult.js"
import * as Deadlines from "../Deadlines.js"
import * as Rhythm from "./Rhythm.js"

/** What the pulses of one heartbeat share. */
export interface Surroundings {
  readonly alarm: Deadlines.Deadlines
  readonly spread: Duration.Duration
  readonly run: (check: RegisteredCheck) => Effect.Effect<CheckResult>
  /** Must be quick: the next beat of the check comes after it. */
  readonly onResult: (check: RegisteredCheck, result: CheckResult) => void
}

export class Pulse {
  beats = 0
  skipped = 0
  latestBy = 0
  private failing = false

  constructor(
    readonly check: RegisteredCheck,
    private readonly around: Surroundings
  ) {}

  /** Until it is interrupted. Nothing that a beat does ends it. */
  readonly run: Effect.Effect<never> = Effect.clockWith((clock) => {
    const { name, policy } = this.check
    const rhythm = Rhythm.make(name, policy, Deadlines.monotonicMillis(clock), this.around.spread)
    const random = rhythm.jitter === 0 ? Effect.succeed(0) : Random.next
    const onward = (beat: Rhythm.Beat): Effect.Effect<never> =>
      Effect.flatMap(this.until(beat.at, clock), () =>
        Effect.flatMap(this.beat, (result) =>
          Effect.flatMap(random, (share) => onward(this.after(rhythm, beat, result, clock, share)))
        )
      )
    return Effect.flatMap(random, (share) => onward(Rhythm.firstBeat(rhythm, share)))
  })

  /** Without a result when something broke that should not: the runner itself, or who was told. */
  private readonly beat: Effect.Effect<CheckResult | undefined> = Effect.suspend(() =>
    Effect.catchAllCause(
      Effect.map(this.around.run(this.check), (result) => {
        this.around.onResult(this.check, result)
        return result
      }),
      (cause) => Effect.as(Effect.logError(`A beat of ${this.check.name} broke`, cause), undefined)
    )
  )

  private after(
    rhythm: Rhythm.Rhythm,
    beat: Rhythm.Beat,
    result: CheckResult | undefined,
    clock: Clock.Clock,
    random: number
  ): Rhythm.Beat {
    const at = Deadlines.monotonicMillis(clock)
    const next = Rhythm.next(rhythm, beat, {
      at,
      retryAfter: result?.retryAfter === undefined ? 0 : Duration.toMillis(result.retryAfter),
      firstFailure: this.isFirstFailure(result),
      random
    })
    const startedAt = result === undefined ? at : at - Duration.toMillis(result.responseTime)
    this.beats++
    this.skipped += next.skipped
    this.latestBy = Math.max(this.latestBy, startedAt - beat.at)
    return next.beat
  }

  private isFirstFailure(result: CheckResult | undefined): boolean {
    if (result === undefined || result.status === "unknown") return false
    const before = this.failing
    this.failing = result.status !== "healthy"
    return this.failing && !before
  }

  private until(at: number, clock: Clock.Clock): Effect.Effect<void> {
    const now = Deadlines.monotonicMillis(clock)
    if (at <= now) return Effect.void
    const { alarm } = this.around
    let isDue = false
    let wake = (): void => {
      isDue = true
    }
    const cancel = alarm.insert(now, Duration.millis(at - now), () => wake())
    const due = Effect.async<void>((resume) => {
      if (isDue) resume(Effect.void)
      else wake = () => resume(Effect.void)
      return Effect.sync(cancel)
    })
    return Effect.zipRight(alarm.ensureAwake(now), due)
  }
}
