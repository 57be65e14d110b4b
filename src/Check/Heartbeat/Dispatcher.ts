/**
 * Starts the beats that are due. One fiber for all checks: a beat is no more than the fiber of its
 * probe, and between two beats of a check there is an entry in a list.
 *
 * @internal
 */
import { Cause, type Clock, Duration, Effect, Either, Random } from "effect"
import type { RegisteredCheck } from "../CheckRegistry.js"
import type { CheckResult } from "../CheckResult.js"
import type { CheckRunner } from "../CheckRunner.js"
import * as Deadlines from "../Deadlines.js"
import { Pulse } from "./Pulse.js"
import * as Rhythm from "./Rhythm.js"

/** What a heartbeat is made of. */
export interface Parts {
  readonly alarm: Deadlines.Deadlines
  readonly clock: Clock.Clock
  readonly runner: typeof CheckRunner.Service
  readonly spread: Duration.Duration
  readonly onResult: (check: RegisteredCheck, result: CheckResult) => void
}

/**
 * Checks come one after the other, some microseconds apart. Beats that are due together are started
 * together: one timer, and warm caches.
 */
const onGrid = (now: number): number => Math.ceil(now / Rhythm.grid) * Rhythm.grid

/** A check that beats. */
interface Member {
  readonly pulse: Pulse
  /** Takes its next beat off the list. */
  cancel: () => void
  /** Interrupts the beat under way. */
  interrupt: Effect.Effect<void>
  isGone: boolean
}

export class Dispatcher {
  private readonly members = new Map<RegisteredCheck, Member>()
  private due: Array<Member> = []
  private readonly defects: Array<unknown> = []
  private isPoked = false
  private wake: (() => void) | undefined

  constructor(private readonly parts: Parts) {}

  get pulses(): ReadonlyArray<Pulse> {
    return [...this.members.values()].map(({ pulse }) => pulse)
  }

  /** Starts and ends beating as checks come and go. */
  follow(checks: ReadonlyArray<RegisteredCheck>): Effect.Effect<void> {
    const registered = new Set(checks)
    const gone = [...this.members].filter(([check]) => !registered.has(check))
    const come = checks.filter((check) => !this.members.has(check))
    return Effect.zipRight(
      Effect.forEach(gone, ([check, member]) => this.remove(check, member), { discard: true }),
      Effect.forEach(come, (check) => this.add(check), { discard: true })
    )
  }

  /** Until it is interrupted. Nothing that a beat does ends it. */
  readonly run: Effect.Effect<never> = Effect.suspend(() => {
    const due = this.due
    this.due = []
    return Effect.zipRight(
      Effect.forEach(due, (member) => this.begin(member), { discard: true }),
      Effect.suspend(() => Effect.zipRight(this.tellDefects(), this.rest))
    )
  }).pipe(Effect.forever)

  private add(check: RegisteredCheck): Effect.Effect<void> {
    return Effect.map(Random.next, (random) => {
      const rhythm = Rhythm.make(check.name, check.policy, onGrid(this.now()), this.parts.spread)
      const pulse = new Pulse(check, rhythm, random)
      const member = { pulse, cancel: () => {}, interrupt: Effect.void, isGone: false }
      this.members.set(check, member)
      this.schedule(member, this.now())
    })
  }

  private remove(check: RegisteredCheck, member: Member): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.members.delete(check)
      member.isGone = true
      member.cancel()
      return member.interrupt
    })
  }

  /** Broken is what should not: the runner is total. The check goes on with its next beat. */
  private begin(member: Member): Effect.Effect<void> {
    if (member.isGone) return Effect.void
    const { pulse } = member
    const started = Effect.catchAllCause(
      Effect.map(
        this.parts.runner.start(pulse.check, (result) => this.end(member, result)),
        (interrupt) => {
          member.interrupt = interrupt
        }
      ),
      (cause) => {
        this.end(member, undefined)
        return Effect.logError(`A beat of ${pulse.check.name} broke`, cause)
      }
    )
    if (!pulse.hasJitter) return started
    return Effect.flatMap(Random.next, (random) => {
      pulse.random = random
      return started
    })
  }

  /** Called from wherever the result comes, so it must not throw. */
  private end(member: Member, result: CheckResult | undefined): void {
    if (member.isGone) return
    // It holds on to all of the beat, which must not grow old with the check.
    member.interrupt = Effect.void
    const now = this.now()
    member.pulse.ended(result, now)
    this.schedule(member, now)
    if (result === undefined) return
    const told = Either.try({
      try: () => this.parts.onResult(member.pulse.check, result),
      catch: (defect) => defect
    })
    if (Either.isRight(told)) return
    this.defects.push(told.left)
    this.poke()
  }

  private schedule(member: Member, now: number): void {
    const { alarm } = this.parts
    const delay = Duration.millis(Math.max(0, member.pulse.next.at - now))
    member.cancel = alarm.insert(now, delay, () => {
      this.due.push(member)
      this.poke()
    })
    if (!alarm.isAwake()) this.poke()
  }

  private poke(): void {
    if (this.wake === undefined) this.isPoked = true
    else this.wake()
    this.wake = undefined
  }

  /** Until something is due or has to be told. */
  private readonly rest: Effect.Effect<void> = Effect.suspend(() =>
    Effect.zipRight(
      this.parts.alarm.ensureAwake(this.now()),
      Effect.async<void>((resume) => {
        if (this.isPoked) {
          this.isPoked = false
          resume(Effect.void)
        } else this.wake = () => resume(Effect.void)
      })
    )
  )

  private tellDefects(): Effect.Effect<void> {
    if (this.defects.length === 0) return Effect.void
    return Effect.forEach(
      this.defects.splice(0),
      (defect) => Effect.logError("A subscriber to results failed", Cause.die(defect)),
      { discard: true }
    )
  }

  private now(): number {
    return Deadlines.monotonicMillis(this.parts.clock)
  }
}
