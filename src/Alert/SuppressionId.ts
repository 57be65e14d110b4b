/**
 * The id of a silence or a maintenance that somebody starts: short enough to be typed.
 *
 * @internal
 */
import { Effect, Random } from "effect"

export const make: Effect.Effect<string> = Effect.map(
  Random.nextIntBetween(0x1000_0000, 0x1_0000_0000),
  (number) => number.toString(16)
)
