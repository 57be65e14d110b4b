/**
 * What the monitor remembers of each check, and whom it tells when something is added to it.
 *
 * @internal
 */
import { type Clock, Option } from "effect"
import type { RegisteredCheck } from "../../Check/CheckRegistry.js"
import type { CheckResult } from "../../Check/CheckResult.js"
import { HealthEvent } from "../HealthEvent.js"
import * as HealthState from "../HealthState.js"
import type { Entry } from "../StatusSummary.js"
import type { Staleness } from "./Staleness.js"
import { monotonicMillis } from "../../Check/Deadlines.js"

export class Memory {
  /** While the heartbeat is running. */
  staleness = Option.none<Staleness<RegisteredCheck>>()
  // By the registration and not by the name: a check that left and came back starts afresh.
  private readonly states = new WeakMap<RegisteredCheck, HealthState.HealthState>()

  constructor(
    private readonly clock: Clock.Clock,
    readonly tell: (event: HealthEvent) => void
  ) {}

  now(): number {
    return monotonicMillis(this.clock)
  }

  stateOf(check: RegisteredCheck): HealthState.HealthState {
    return this.states.get(check) ?? HealthState.initial
  }

  entries(checks: ReadonlyArray<RegisteredCheck>): ReadonlyArray<Entry> {
    return checks.map((check) => ({ check, state: this.stateOf(check) }))
  }

  note(check: RegisteredCheck, result: CheckResult): void {
    const before = this.stateOf(check)
    const after = HealthState.next(before, result, check.policy)
    this.states.set(check, after)
    if (Option.isSome(this.staleness)) this.staleness.value.noteResult(check, result, this.now())
    this.tell(
      HealthEvent.Checked({ check, result, change: HealthState.changeBetween(before, after) })
    )
  }
}
