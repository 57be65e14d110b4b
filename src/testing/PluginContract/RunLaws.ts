/** The laws that need runs: building, running, interrupting, closing, and what all that shows. */
import { Cause, Clock, Effect, Either, Exit, Fiber, Layer, Option, type Scope } from "effect"
import * as CheckRegistry from "../../Check/CheckRegistry.js"
import * as CheckRunner from "../../Check/CheckRunner.js"
import { type ContractViolation, holds } from "./ContractViolation.js"
import { leakIn, type Samples, shown, type Subject } from "./Subject.js"

type Law = Effect.Effect<void, ContractViolation>

/** How long building may take, and closing, and a socket until it is gone. */
const patience = "1 second"

/**
 * A service that is down makes a check unhealthy, never its layer fail. What the check opened, it
 * closes.
 */
export const lifecycle = (check: Subject, samples: Samples): Law =>
  forEachSample(check, samples, "life cycle", (sample, expect) =>
    Effect.gen(function* () {
      const registry = yield* CheckRegistry.CheckRegistry
      const before = openHandles()
      const used = Effect.scoped(
        Effect.gen(function* () {
          const registered = yield* build(check, sample)
          yield* Effect.exit(Effect.scoped(once(registered)))
        })
      )
      const ended = yield* bounded(used, "5 seconds")
      yield* expect(
        Option.isSome(ended),
        "to be built, asked once and closed within 5 seconds",
        "that it takes longer"
      )
      const exit = Option.getOrElse(ended, () => Exit.void)
      const why = Exit.isFailure(exit) ? Cause.pretty(exit.cause).slice(0, 200) : ""
      yield* expect(Exit.isSuccess(exit), "to be built without its service", redact(samples, why))
      const left = yield* registry.all
      yield* expect(left.length === 0, "to be out of the registry once closed", "that it is not")
      const leaked = yield* noMoreThan(before)
      yield* expect(leaked === 0, "no open handle once closed", `${leaked} of them`)
    })
  )

/** A second run is as good as the first, and both give facts with names that fit the wire. */
export const twoRuns = (check: Subject, samples: Samples): Law =>
  forEachSample(check, samples, "runs", (sample, expect) =>
    Effect.gen(function* () {
      const runner = yield* CheckRunner.CheckRunner
      const registered = yield* build(check, sample)
      for (const run of ["first", "second"]) {
        const result = yield* runner.run(registered)
        const broken = result.reason === "Crashed" || result.reason === "Interrupted"
        yield* expect(!broken, `the ${run} run to end well or with an error`, `${result.reason}`)
        yield* expect(result.message.trim() !== "", `a message of the ${run} run`, "none")
        const odd = Object.keys(result.details).filter((key) => !/^[a-z][a-z0-9_]*$/.test(key))
        yield* expect(odd.length === 0, "details named in snake_case", odd.join(", "))
      }
    })
  )

/** A probe that is interrupted ends within 250 ms, at whatever point it is. */
export const interruption = (check: Subject, samples: Samples): Law =>
  forEachSample(check, samples, "interruption", (sample, expect) =>
    Effect.gen(function* () {
      const registered = yield* build(check, sample)
      for (const moment of ["0 millis", "1 millis", "30 millis"] as const) {
        const fiber = yield* Effect.forkDaemon(Effect.scoped(once(registered)))
        yield* Effect.sleep(moment)
        const ended = yield* bounded(Fiber.interrupt(fiber), "250 millis")
        yield* expect(
          Option.isSome(ended),
          `to end within 250 ms when interrupted after ${moment}`,
          "that it goes on"
        )
      }
    })
  )

/**
 * What a probe says, before the runner scrubs it, has none of the secrets: who embeds a plugin may
 * log its errors.
 */
export const secrecy = (check: Subject, samples: Samples): Law =>
  forEachSample(check, samples, "secrecy", (sample, expect) =>
    Effect.gen(function* () {
      const registered = yield* build(check, sample)
      const exit = yield* bounded(Effect.scoped(once(registered)), "5 seconds")
      if (Option.isNone(exit)) return
      const said = Exit.match(exit.value, {
        onSuccess: ({ details, message, note }) => [message, note ?? "", JSON.stringify(details)],
        onFailure: (cause) => {
          const failure = Option.getOrUndefined(Cause.failureOption(cause))
          return [failure?.message ?? "", JSON.stringify(failure?.details ?? {})]
        }
      })
      const leaking = said.find((text) => leakIn(samples, text) !== undefined)
      yield* expect(leaking === undefined, "no secret", redact(samples, leaking ?? ""))
    })
  )

type Expect = ReturnType<typeof holds>

type Services = CheckRegistry.CheckRegistry | CheckRunner.CheckRunner | Scope.Scope

const forEachSample = (
  check: Subject,
  samples: Samples,
  law: string,
  f: (sample: unknown, expect: Expect) => Effect.Effect<void, ContractViolation, Services>
): Law =>
  Effect.forEach(
    samples.valid,
    (sample) => {
      const expect: Expect = (holding, expected, found) =>
        holds(check, law)(holding, expected, `${found}, with ${shown(samples, sample)}`)
      return f(sample, expect).pipe(
        Effect.catchAllDefect((defect) =>
          expect(false, "no defect", redact(samples, String(defect)))
        ),
        Effect.scoped,
        Effect.provide(Layer.merge(CheckRegistry.layer, CheckRunner.layer()))
      )
    },
    { discard: true }
  )

/** The check with services of its own, registered until the scope closes. */
const build = (
  check: Subject,
  sample: unknown
): Effect.Effect<CheckRegistry.RegisteredCheck, never, CheckRegistry.CheckRegistry | Scope.Scope> =>
  Effect.gen(function* () {
    const registry = yield* CheckRegistry.CheckRegistry
    const layer = check.decode(sample, { timeout: "500 millis" })
    if (Either.isLeft(layer)) return yield* Effect.die("a valid sample was refused")
    const built = yield* bounded(Layer.build(layer.right), patience)
    if (Option.isNone(built)) return yield* Effect.die("building takes longer than a second")
    yield* Effect.orDie(built.value)
    const [registered] = yield* registry.all
    return registered ?? (yield* Effect.die("nothing was registered"))
  })

const once = (registered: CheckRegistry.RegisteredCheck) => registered.probe

/** The end of an effect, unless it takes longer, also where it cannot be interrupted. */
const bounded = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  limit: "250 millis" | "1 second" | "5 seconds"
): Effect.Effect<Option.Option<Exit.Exit<A, E>>, never, R> =>
  Effect.timeoutOption(Effect.disconnect(Effect.exit(effect)), limit)

const redact = (samples: Samples, text: string): string =>
  leakIn(samples, text) === undefined ? text : "a string with a secret"

/** Timers come and go with any program; sockets, servers, files and watchers are somebody's. */
const openHandles = (): number =>
  process
    .getActiveResourcesInfo()
    .filter(
      (name) => !/^(?:Timeout|Immediate|TTYWrap|PipeWrap|MessagePort|ProcessWrap)$/.test(name)
    ).length

/** How many handles are open beyond so many, once those that are closing had time to. */
const noMoreThan = (before: number): Effect.Effect<number> =>
  Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    let extra = openHandles() - before
    while (extra > 0 && (yield* Clock.currentTimeMillis) - startedAt < 1000) {
      yield* Effect.sleep("5 millis")
      extra = openHandles() - before
    }
    return Math.max(0, extra)
  })
