/**
 * Spans and counts in words, for decisions and messages.
 *
 * @internal
 */
import { Duration } from "effect"

/** The two largest units, from a second up: `1h 5m`, `45s`. */
export const span = (duration: Duration.DurationInput): string => {
  const millis = Duration.toMillis(duration)
  if (millis < 1000) return `${Math.round(millis)}ms`
  const { days, hours, minutes, seconds } = Duration.parts(Duration.millis(millis))
  const parts = [
    [days, "d"],
    [hours, "h"],
    [minutes, "m"],
    [seconds, "s"]
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(" ")
}

export const list = (words: ReadonlyArray<string>): string => words.join(", ")

export const times = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? "" : what.endsWith("s") ? "es" : "s"}`
