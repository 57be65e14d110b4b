/**
 * Real servers live in real time: what waits for them uses the real clock, also in a test that
 * runs under the virtual one.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export const live: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> =
  Effect.withClock(Clock.make())
