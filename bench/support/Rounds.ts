/** Interleaved measuring: A B C A B C, so that whatever slows the machine slows all of them. */
import { Effect } from "effect"

export interface Contender {
  /** One measurement: what a unit of its work costs, in a unit that all rivals share. */
  readonly measure: Effect.Effect<number, BenchError>
  /** Measurements that do not count, before the rounds. */
  readonly warmUps: number
}

/** In the place of one that is not there; its figures are not shown. */
export const absent: Contender = { measure: Effect.succeed(Number.NaN), warmUps: 0 }

/** Something could not be measured; there is no figure then, not a guessed one. */
export class BenchError extends Error {
  override readonly name = "BenchError"
}

export type Samples<Name extends string> = Readonly<Record<Name, ReadonlyArray<number>>>

/** All contenders in turn, `rounds` times. */
export const run = <Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  rounds: number
): Effect.Effect<Samples<Name>, BenchError> =>
  Effect.gen(function* () {
    const entries = Object.entries<Contender>(contenders)
    const samples = new Map(entries.map(([name]) => [name, [] as Array<number>]))
    for (const [, contender] of entries) {
      for (let times = 0; times < contender.warmUps; times++) yield* contender.measure
    }
    for (let round = 0; round < rounds; round++) {
      for (const [name, contender] of entries) {
        globalThis.gc?.()
        samples.get(name)?.push(yield* contender.measure)
      }
    }
    // Every name of `contenders` has its entry.
    return Object.fromEntries(samples) as unknown as Samples<Name>
  })

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

/** Round by round: two neighbours in time have the same weather. */
export const ratios = (
  subject: ReadonlyArray<number>,
  base: ReadonlyArray<number>
): ReadonlyArray<number> => subject.map((value, round) => value / (base[round] ?? Number.NaN))
