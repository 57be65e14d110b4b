/**
 * Which checks have had no result for too long. Pure, apart from its own memory.
 *
 * It is measured in time awake: a machine that slept for an hour has missed beats, but its checks
 * are not stale when it wakes; they get the time to beat first.
 *
 * @internal
 */
import { Duration } from "effect"
import type { CheckPolicy } from "../../Check/CheckPolicy.js"
import * as Rhythm from "../../Check/Heartbeat/Rhythm.js"
import type { CheckResult } from "../../Check/CheckResult.js"

interface Watched {
  /** In time awake. */
  since: number
  /** How much longer a result may take, because the service asked to be left alone. */
  quiet: number
  isStale: boolean
}

interface Check {
  readonly policy: Pick<CheckPolicy, "interval">
}

export class Staleness<C extends Check> {
  private readonly watched = new Map<C, Watched>()
  private awake = 0
  /** When to look again: at every beat of the quickest check, but no more than once a second. */
  every = shortestLook

  constructor(private lookedAt: number) {}

  noteResult(check: C, { retryAfter }: Pick<CheckResult, "retryAfter">, now: number): void {
    const watched = this.watchedOf(check)
    watched.since = this.awakeAt(now)
    watched.quiet = retryAfter === undefined ? 0 : Duration.toMillis(retryAfter)
    watched.isStale = false
  }

  /** Looks at the checks that there are now, and returns those that have become stale. */
  look(checks: ReadonlyArray<C>, now: number): ReadonlyArray<C> {
    this.awake = this.awakeAt(now)
    this.lookedAt = now
    this.every = Math.max(shortestLook, Math.min(...checks.map(intervalOf), longestLook))
    const registered = new Set(checks)
    for (const check of this.watched.keys()) {
      if (!registered.has(check)) this.watched.delete(check)
    }
    return checks.filter((check) => {
      const watched = this.watchedOf(check)
      if (watched.isStale || !this.isOverdue(check, watched)) return false
      watched.isStale = true
      return true
    })
  }

  isStale(check: C): boolean {
    return this.watched.get(check)?.isStale ?? false
  }

  private watchedOf(check: C): Watched {
    const known = this.watched.get(check)
    if (known !== undefined) return known
    const watched = { since: this.awake, quiet: 0, isStale: false }
    this.watched.set(check, watched)
    return watched
  }

  private isOverdue(check: C, { quiet, since }: Watched): boolean {
    return this.awake - since > Rhythm.allowed(intervalOf(check), quiet)
  }

  /** Who comes to look much too late was asleep meanwhile. */
  private awakeAt(now: number): number {
    return this.awake + Math.min(Math.max(0, now - this.lookedAt), 2 * this.every)
  }
}

const shortestLook = Duration.toMillis("1 second")
const longestLook = Duration.toMillis("5 minutes")

const intervalOf = (check: Check): number => Duration.toMillis(check.policy.interval)
