/**
 * When the beats of one check are due. Pure: times are milliseconds of a clock that only goes on.
 *
 * A rhythm is a row of slots, one interval apart, that never moves: whatever makes a beat late, the
 * next one is back in its place, and what was missed is not made up for.
 *
 * @internal
 */
import { Duration } from "effect"
import type { CheckPolicy } from "../CheckPolicy.js"

export interface Rhythm {
  /** The time of slot 0. */
  readonly first: number
  readonly interval: number
  readonly timeout: number
  readonly jitter: number
  readonly confirm: number | undefined
}

/** A beat that is due. */
export interface Beat {
  readonly slot: number
  readonly at: number
}

/** What the end of a beat has to say about the next. */
export interface End {
  readonly startedAt: number
  readonly at: number
  /** How long the service asked to be left alone. */
  readonly retryAfter: number
  readonly firstFailure: boolean
  /** From 0 to 1, for the jitter of the next beat. */
  readonly random: number
}

export interface Next {
  readonly beat: Beat
  /** Slots that went by while nothing could be started in them. */
  readonly skipped: number
}

/**
 * Start times lie on a grid, so that checks that share one share a timer.
 */
export const grid = 10

/**
 * A service that asks to be left alone for a day would otherwise be out of sight for a day.
 */
const longestRetryAfter = Duration.toMillis("1 hour")

/** A check is stale without a result for so many of its intervals. */
export const staleAfter = 3

/**
 * For how long a check may be without a result, in milliseconds, before it is stale: the one answer for
 * alerts, for the summary and for `holter status`. A service that asks to be left alone gets that on top.
 */
export const allowed = (interval: number, retryAfter: number, intervals = staleAfter): number =>
  intervals * interval + Math.min(retryAfter, longestRetryAfter)

/** The first beat comes within `spread` after the start, sooner where the interval is shorter. */
export const make = (
  name: string,
  policy: Pick<CheckPolicy, "interval" | "timeout" | "jitter" | "confirm">,
  startedAt: number,
  spread: Duration.Duration
): Rhythm => {
  const interval = Duration.toMillis(policy.interval)
  const slots = Math.floor(Math.min(Duration.toMillis(spread), interval) / grid)
  return {
    first: startedAt + (slots === 0 ? 0 : (hash(name) % slots) * grid),
    interval,
    timeout: Duration.toMillis(policy.timeout),
    jitter: policy.jitter === undefined ? 0 : Duration.toMillis(policy.jitter),
    confirm: policy.confirm === undefined ? undefined : Duration.toMillis(policy.confirm)
  }
}

export const firstBeat = (rhythm: Rhythm, random: number): Beat => beatIn(rhythm, 0, random)

export const next = (rhythm: Rhythm, beat: Beat, end: End): Next => {
  const following = beat.slot + 1
  // Who starts late, in the very moment of a later slot, has that one too.
  const open = Math.max(following, slotFrom(rhythm, end.at), slotAfter(rhythm, end.startedAt))
  const skipped = open - following
  if (end.retryAfter > 0) {
    const quietUntil = end.at + Math.min(end.retryAfter, longestRetryAfter)
    const slot = Math.max(open, slotFrom(rhythm, quietUntil))
    return { beat: beatIn(rhythm, slot, end.random), skipped }
  }
  if (end.firstFailure && rhythm.confirm !== undefined) {
    const at = end.at + rhythm.confirm
    // The slot stays the one that is confirmed: the rhythm goes on as if nothing had been between.
    // Where there is no time for a whole run, the next beat is the one that confirms.
    if (at + rhythm.timeout <= timeOf(rhythm, open))
      return { beat: { slot: open - 1, at }, skipped }
  }
  return { beat: beatIn(rhythm, open, end.random), skipped }
}

const timeOf = (rhythm: Rhythm, slot: number): number => rhythm.first + slot * rhythm.interval

const beatIn = (rhythm: Rhythm, slot: number, random: number): Beat => ({
  slot,
  at: timeOf(rhythm, slot) + Math.floor(random * rhythm.jitter)
})

/** The first slot that is not over at a time. */
const slotFrom = (rhythm: Rhythm, at: number): number =>
  Math.ceil((at - rhythm.first) / rhythm.interval)

const slotAfter = (rhythm: Rhythm, at: number): number =>
  Math.floor((at - rhythm.first) / rhythm.interval) + 1

/** FNV-1a, with its bits mixed: names that differ in their last digit must lie far apart. */
const hash = (text: string): number => {
  let bits = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193)
  }
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
