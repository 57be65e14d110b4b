/**
 * Many deadlines on one timer.
 *
 * A timer and a fiber for every run cost more than the run of a small check. Deadlines are mostly
 * met and then forgotten, so they wait in a list, sorted by time, and a single sleeping fiber wakes
 * for the first of them. It sleeps on the `Clock`, so the virtual clock of a test rules it.
 *
 * @internal
 */
import { Cause, type Clock, Duration, Effect, Either, type Scope } from "effect"
import { monotonicMillis } from "../Common/Monotonic.js"

export { monotonicMillis } from "../Common/Monotonic.js"

export interface Deadlines {
  /**
   * Calls `expire` when so much time after `now` has passed, unless the returned function is called
   * before. Takes effect with the `ensureAwake` that must follow.
   */
  readonly insert: (now: number, after: Duration.Duration, expire: () => void) => () => void
  /** Sees to it that somebody wakes for the first deadline. Hardly ever anything is to be done. */
  readonly ensureAwake: (now: number) => Effect.Effect<void>
  /** Whether somebody does already. */
  readonly isAwake: () => boolean
}

/**
 * A class and not an object literal: V8 learns from the entries of one literal how long they live. A
 * heartbeat's live for an interval, and V8 would make those of runs old from birth, and with them all
 * that hangs on a run.
 */
class Entry {
  live = true

  constructor(
    readonly at: number,
    readonly expire: () => void,
    public previous: Entry | undefined,
    public next: Entry | undefined
  ) {}
}

export const make: Effect.Effect<Deadlines, never, Scope.Scope> = Effect.gen(function* () {
  const scope = yield* Effect.scope
  const entries = new Entries()
  // When the sleepers wake, the next one last. Each is earlier than those before it.
  const wakes: Array<number> = []

  /** Who woke sleeps again in the same fiber: with each fork of a fork, fibers inherit more. */
  const sleepUntil = (at: number, now: number): Effect.Effect<void> => {
    wakes.push(at)
    const delay = Math.min(Math.max(0, at - now), longestSleep)
    return Effect.zipRight(Effect.sleep(Duration.millis(delay)), Effect.clockWith(wake))
  }

  const wake = (clock: Clock.Clock): Effect.Effect<void> => {
    wakes.pop()
    const now = monotonicMillis(clock)
    const defects = entries.expireUntil(now)
    const rest = isAwake() ? Effect.void : sleepUntil(next(), now)
    return defects.length === 0 ? rest : Effect.zipRight(tell(defects), rest)
  }

  const next = () => entries.first?.at ?? Number.POSITIVE_INFINITY
  /** Whether a sleeper wakes for the first deadline. */
  const isAwake = () => next() >= (wakes.at(-1) ?? Number.POSITIVE_INFINITY)

  const ensureAwake = (now: number): Effect.Effect<void> =>
    isAwake()
      ? Effect.void
      : // `interruptible`: who adds a deadline may be uninterruptible, and a fiber inherits that; the
        // end of the scope would wait until the sleeper wakes.
        Effect.forkIn(Effect.interruptible(sleepUntil(next(), now)), scope)

  return {
    insert: (now, after, expire) => {
      const entry = entries.insert(now + Duration.toMillis(after), expire)
      return () => entries.remove(entry)
    },
    ensureAwake,
    isAwake
  }
})

/** The other deadlines must be kept all the same, so it is told and not thrown. */
const tell = (defects: ReadonlyArray<unknown>): Effect.Effect<void> =>
  Effect.forEach(
    defects,
    (defect) => Effect.logError("The end of a deadline failed", Cause.die(defect)),
    { discard: true }
  )

/** A timer of Node that is set for more than 24 days never fires. Who wakes early sleeps again. */
const longestSleep = Duration.toMillis("1 day")

/** A doubly linked list, soonest first. Runs of one timeout arrive in order, so inserts are short. */
class Entries {
  first: Entry | undefined
  private last: Entry | undefined

  insert(at: number, expire: () => void): Entry {
    let previous = this.last
    while (previous !== undefined && previous.at > at) previous = previous.previous
    const next = previous === undefined ? this.first : previous.next
    const entry = new Entry(at, expire, previous, next)
    if (previous === undefined) this.first = entry
    else previous.next = entry
    if (next === undefined) this.last = entry
    else next.previous = entry
    return entry
  }

  remove(entry: Entry): void {
    if (!entry.live) return
    entry.live = false
    if (entry.previous === undefined) this.first = entry.next
    else entry.previous.next = entry.next
    if (entry.next === undefined) this.last = entry.previous
    else entry.next.previous = entry.previous
    // The collector would keep alive what hangs on an old entry, which is every younger one.
    entry.previous = undefined
    entry.next = undefined
  }

  /**
   * Expires what is due, all of it, and returns what was thrown meanwhile. A timer may fire a
   * fraction of a millisecond early; what is that near is due.
   */
  expireUntil(now: number): ReadonlyArray<unknown> {
    const defects: Array<unknown> = []
    for (let entry = this.first; entry !== undefined && entry.at < now + 1; entry = this.first) {
      this.remove(entry)
      const expired = Either.try({ try: entry.expire, catch: (defect) => defect })
      if (Either.isLeft(expired)) defects.push(expired.left)
    }
    return defects
  }
}
