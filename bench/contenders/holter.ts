/** Registered checks of one kind, run as a heartbeat would: by `CheckRunner`. */
import { Effect, Layer, ManagedRuntime, type Scope } from "effect"
import type { CheckConfigError, DuplicateCheckError } from "../../src/Check/CheckError.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import type { RegisteredCheck } from "../../src/Check/CheckRegistry.js"
import type { CheckResult } from "../../src/Check/CheckResult.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import { BenchError, type Contender } from "../support/Rounds.js"
import { bound, checksAtOnce, cpuPerCheck, warmUps } from "./bounded.js"

export interface Holter extends Contender {
  /** One run of one check, to see what it does. */
  readonly once: Effect.Effect<CheckResult, BenchError>
}

type Registered<R> = Layer.Layer<
  never,
  DuplicateCheckError | CheckConfigError,
  CheckRegistry.CheckRegistry | R
>

/**
 * A hundred runs, of `checks` checks in turn. `layer` registers one check under the name that it is
 * given.
 */
export const make = <R = never, E = never>(
  kind: string,
  checks: number,
  layer: (name: string) => Registered<R>,
  services: Layer.Layer<R, E>
): Effect.Effect<Holter, never, Scope.Scope> =>
  Effect.gen(function* () {
    const [first, ...rest] = Array.from({ length: checks }, (_, index) => layer(`${kind}_${index}`))
    const registered = Layer.mergeAll(first ?? layer(kind), ...rest).pipe(Layer.provide(services))
    const runtime = yield* Effect.acquireRelease(
      Effect.sync(() =>
        ManagedRuntime.make(
          Layer.merge(CheckRunner.layer(), registered.pipe(Layer.provideMerge(CheckRegistry.layer)))
        )
      ),
      (built) => Effect.promise(() => built.dispose())
    )

    const runAll = Effect.gen(function* () {
      const registry = yield* CheckRegistry.CheckRegistry
      const runner = yield* CheckRunner.CheckRunner
      const all = yield* registry.all
      const runs = all.map((check, index) =>
        Array.from({ length: Math.ceil((checksAtOnce - index) / all.length) }, () => check)
      )
      // One after the other: beats of one check never overlap.
      const inTurn = (ofOne: ReadonlyArray<RegisteredCheck>) => Effect.forEach(ofOne, runner.run)
      const results = yield* Effect.forEach(runs, inTurn, { concurrency: bound })
      return results.flat()
    })
    const runFirst = Effect.gen(function* () {
      const [first] = yield* Effect.flatMap(CheckRegistry.CheckRegistry, ({ all }) => all)
      if (first === undefined) return yield* Effect.dieMessage("no check")
      return yield* Effect.flatMap(CheckRunner.CheckRunner, ({ run }) => run(first))
    })

    const healthy = (results: ReadonlyArray<CheckResult>) => {
      const wrong = results.find(({ status }) => status !== "healthy")
      if (wrong !== undefined)
        throw new Error(`${wrong.service}: ${wrong.status}, ${wrong.message}`)
    }
    const attempt = <A>(run: () => Promise<A>) =>
      Effect.tryPromise({
        try: run,
        catch: (error) => new BenchError(`holter, ${kind}: ${String(error)}`)
      })
    return {
      warmUps,
      measure: attempt(() => cpuPerCheck(async () => healthy(await runtime.runPromise(runAll)))),
      once: attempt(() => runtime.runPromise(runFirst)).pipe(
        Effect.tap((result) => attempt(() => Promise.resolve(healthy([result]))))
      )
    }
  })
