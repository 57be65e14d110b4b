/**
 * How long the attempt of a check may take, for who has to divide that time.
 *
 * @internal
 */
import { Context, Duration, Effect, Option } from "effect"

export class RunLimit extends Context.Tag("holter/Common/RunLimit")<
  RunLimit,
  Duration.Duration
>() {}

/** Ten seconds where nobody says. */
export const current: Effect.Effect<Duration.Duration> = Effect.map(
  Effect.serviceOption(RunLimit),
  Option.getOrElse(() => Duration.seconds(10))
)
