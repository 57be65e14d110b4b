/**
 * The beats of one check: which is the next, and what became of those before.
 *
 * @internal
 */
import { Duration } from "effect"
import type { RegisteredCheck } from "../CheckRegistry.js"
import type { CheckResult } from "../CheckResult.js"
import * as Thresholds from "../Thresholds.js"
import * as Rhythm from "./Rhythm.js"

export class Pulse {
  beats = 0
  skipped = 0
  latestBy = 0
  next: Rhythm.Beat
  private counts = Thresholds.none

  constructor(
    readonly check: RegisteredCheck,
    private readonly rhythm: Rhythm.Rhythm,
    /** From 0 to 1, for the jitter of the next beat. */
    public random: number
  ) {
    this.next = Rhythm.firstBeat(rhythm, random)
  }

  get hasJitter(): boolean {
    return this.rhythm.jitter > 0
  }

  /** There is no result when something broke that should not: the runner itself. */
  ended(result: CheckResult | undefined, at: number): void {
    const startedAt = result === undefined ? at : at - Duration.toMillis(result.responseTime)
    const next = Rhythm.next(this.rhythm, this.next, {
      startedAt,
      at,
      retryAfter: result?.retryAfter === undefined ? 0 : Duration.toMillis(result.retryAfter),
      firstFailure: this.isFirstFailure(result),
      random: this.random
    })
    this.beats++
    this.skipped += next.skipped
    this.latestBy = Math.max(this.latestBy, startedAt - this.next.at)
    this.next = next.beat
  }

  private isFirstFailure(result: CheckResult | undefined): boolean {
    if (result === undefined || result.status === "unknown") return false
    this.counts = Thresholds.count(this.counts, result.status)
    return this.counts.failures === 1
  }
}
