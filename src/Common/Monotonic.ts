/**
 * Time for measuring.
 *
 * @internal
 */
import type { Clock } from "effect"

/** Milliseconds that no change of the system's time can bend. */
export const monotonicMillis = (clock: Clock.Clock): number =>
  Number(clock.unsafeCurrentTimeNanos() / 1000n) / 1000
