/**
 * One attempt to deliver, and how long until the next one.
 *
 * @internal
 */
import { Cause, Duration, Effect, Either, Random } from "effect"
import type { Alert } from "../Alert.js"
import { AlertChannelError, shortened } from "../AlertChannelError.js"
import type { RegisteredChannel } from "../ChannelRegistry.js"

export interface Backoff {
  readonly first: Duration.Duration
  readonly most: Duration.Duration
}

/** After so many crashes in a row it is not a matter of time. */
const mostCrashes = 5

/** One attempt, of which there is an end within the channel's timeout whatever it does. */
export const attempt = (
  { name, send, timeout }: RegisteredChannel,
  alert: Alert,
  failures: number
): Effect.Effect<Either.Either<void, AlertChannelError>> => {
  // Neither says whether the receiver has it.
  const failed = (reason: AlertChannelError["reason"], problem: string) =>
    new AlertChannelError({ reason, channel: name, problem, unclear: true })
  return send(alert).pipe(
    Effect.disconnect,
    Effect.timeoutFail({
      duration: timeout,
      onTimeout: () => failed("Transient", `no answer within ${Duration.format(timeout)}`)
    }),
    Effect.catchAllDefect((defect) =>
      Effect.fail(
        failed(
          failures + 1 < mostCrashes ? "Transient" : "Permanent",
          `the channel crashed: ${Cause.pretty(Cause.die(defect)).split("\n")[0] ?? ""}`
        )
      )
    ),
    Effect.mapError(shortened),
    Effect.either
  )
}

/** Twice as long each time, with jitter, and never less than the receiver asked for. */
export const delay = (
  failures: number,
  { retryAfter }: AlertChannelError,
  backoff: Backoff
): Effect.Effect<Duration.Duration> =>
  Effect.map(Random.nextRange(0.8, 1.2), (jitter) => {
    const doubled = Duration.times(backoff.first, 2 ** Math.min(failures - 1, 30))
    const spread = Duration.times(Duration.min(doubled, backoff.most), jitter)
    return retryAfter === undefined ? spread : Duration.max(spread, retryAfter)
  })
