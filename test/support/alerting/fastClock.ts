/**
 * A clock that goes many times as fast as the machine's, and stands where that does not: for a process
 * that is stopped for seconds, hours go by.
 */
import { Clock, Duration, Effect } from "effect"

export const fastClock = (factor: number): Clock.Clock => {
  const wall = Date.now()
  const begun = performance.now()
  const passed = () => (performance.now() - begun) * factor
  const millis = () => wall + Math.floor(passed())
  const nanos = () => BigInt(Math.floor(passed() * 1_000_000))
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: millis,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        // eslint-disable-next-line no-restricted-syntax -- this is the clock that others wait on
        const timer = setTimeout(() => resume(Effect.void), Duration.toMillis(duration) / factor)
        return Effect.sync(() => clearTimeout(timer))
      })
  }
}
