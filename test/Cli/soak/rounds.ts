/**
 * Rounds of `holter watch` on a PostgreSQL journal, each with something that goes wrong at a place
 * that a seed chooses: kills, cuts at a statement, frozen and cut-off leaders, channels that hang,
 * silences, clocks that are set, configurations that are read again.
 */
import { Effect, Random } from "effect"
import type { PostgresInstance } from "../../support/PostgresServer.js"
import type { ServerError } from "../../support/ServerError.js"
import type { Expected } from "./judge.js"
import { cut, cutOff, frozen, refused } from "./journalRounds.js"
import { channels, clock, reload, silence } from "./otherRounds.js"
import * as Stage from "./Stage.js"
import type * as World from "./World.js"

const kinds = { cut, refused, frozen, cutOff, channels, silence, clock, reload }
export type Kind = keyof typeof kinds

/**
 * Fifteen rounds, the slow ones first: the rest goes on beside them. HOLTER_SOAK_KINDS chooses others
 * (`channels,silence`).
 */
export const order: ReadonlyArray<Kind> = [
  ...(["frozen", "cutOff", "channels", "refused", "silence", "channels", "clock", "cut"] as const),
  ...(["cut", "refused", "cut", "reload", "clock", "cut", "cut"] as const)
]

export const isKind = (name: string): name is Kind => Object.hasOwn(kinds, name)

export interface Outcome {
  readonly notes: ReadonlyArray<string>
  readonly wrong: ReadonlyArray<string>
  readonly world: World.World
  readonly expected: Expected
}

export const run = (
  server: PostgresInstance,
  kind: Kind,
  seed: string
): Effect.Effect<Outcome, ServerError> =>
  Effect.gen(function* () {
    const stage = yield* Stage.make(server, kind, seed)
    const expected = yield* kinds[kind](stage).pipe(
      Effect.catchAll((error) => {
        stage.wrong.push(error.message)
        return Effect.succeed<Partial<Expected>>({})
      })
    )
    return {
      ...{ notes: stage.notes, wrong: stage.wrong, world: stage.world },
      expected: { mayTellTwice: false, hasClock: true, ...expected }
    }
  }).pipe(Effect.scoped, Effect.withRandom(Random.make(seed)))
