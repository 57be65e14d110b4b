/**
 * Durations as an operator reads them.
 *
 * @internal
 */
import { Duration } from "effect"

/** `350 ms`, `2 s`, `29.75 s`. */
export const text = (span: Duration.Duration): string => {
  const millis = Math.round(Duration.toMillis(span))
  return millis < 1000 ? `${millis} ms` : `${Number((millis / 1000).toFixed(2))} s`
}
