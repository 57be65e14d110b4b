/**
 * The last beats of a check in a row of characters: a bar for the response time of one that was
 * healthy or degraded, a mark for one that was not. Pure.
 */
import type { Status } from "../../Check/CheckResult.js"

export interface Beat {
  readonly status: Status
  readonly millis: number
}

/** One character a beat, with the status that it may be coloured by. */
export interface Mark {
  readonly status: Status
  readonly text: string
}

const bars = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

const plain: Readonly<Record<Status, string>> = {
  healthy: ".",
  degraded: "!",
  unhealthy: "x",
  unknown: "?"
}

/** `unicode`: where it shows. Elsewhere a beat is only good or bad. */
export const marks = (beats: ReadonlyArray<Beat>, unicode: boolean): ReadonlyArray<Mark> => {
  const answered = beats.filter(hasAnswered).map(({ millis }) => millis)
  const most = scale(answered)
  return beats.map((beat) => ({
    status: beat.status,
    text: unicode && hasAnswered(beat) ? bar(beat.millis, most) : plain[beat.status]
  }))
}

const hasAnswered = ({ status }: Beat): boolean => status === "healthy" || status === "degraded"

/**
 * What a full bar stands for: the slowest answer, but at least two and a half times the usual one, so
 * that a service with steady answers is a low, even row in which a slow one stands out.
 */
const scale = (answered: ReadonlyArray<number>): number => {
  const ordered = [...answered].sort((one, other) => one - other)
  const usual = ordered[Math.floor(ordered.length / 2)] ?? 0
  return Math.max(usual * 2.5, ordered.at(-1) ?? 0)
}

const bar = (millis: number, most: number): string => {
  const level = most <= 0 ? 0 : Math.floor((millis / most) * bars.length)
  return bars[Math.min(Math.max(level, 0), bars.length - 1)] ?? ""
}
