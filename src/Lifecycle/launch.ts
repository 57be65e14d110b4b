/** Runs layers until the program is asked to stop, then closes them in phases. */
import { Cause, Context, Effect, Exit, Fiber, Layer, Logger, LogLevel, Option, Scope } from "effect"
import * as Beacon from "./Beacon.js"
import * as Lifecycle from "./Lifecycle.js"
import * as Plan from "./Plan.js"
import type { PlanError } from "./PlanError.js"
import * as ShutdownReport from "./ShutdownReport.js"
import { StopRequest } from "./StopRequest.js"

export interface Options extends Lifecycle.Options, Beacon.Options {}

/**
 * As `Layer.launch`, with phases, and with beacons for work in flight. Its value is the exit code.
 *
 * Under `runMain` a signal lets the program serve on for the lame-duck time, then the phases run.
 * Under another main an interruption does the same. Layers that are released in no phase go last,
 * all together.
 *
 * @example
 * import { Effect, Layer } from "effect"
 * import { launch, Lifecycle, runMain } from "holter"
 *
 * const Bot = Layer.scopedDiscard(
 *   Effect.gen(function* () {
 *     const lifecycle = yield* Lifecycle.Lifecycle
 *     yield* lifecycle.on("bot", "farewell", Effect.log("bye"), { timeout: "1 second" })
 *   })
 * )
 *
 * runMain(launch(Bot, { grace: "10 seconds", lameDuck: "2 seconds" }), { name: "my-bot" })
 */
export const launch = <A, E, R>(
  app: Layer.Layer<A, E, R>,
  options: Options = {}
): Effect.Effect<number, E | PlanError, Exclude<R, Lifecycle.Lifecycle | Beacon.Beacon>> =>
  Effect.scoped(
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const services = yield* Layer.build(
          Layer.provideMerge(Beacon.layer(options), Lifecycle.layer(options))
        )
        const lifecycle = Context.get(services, Lifecycle.Lifecycle)
        yield* listen(lifecycle)
        const scope = yield* Scope.make()
        // Registered first, and so the last hook of the last phase.
        yield* lifecycle.on("close", "layers", Scope.close(scope, Exit.void))
        yield* lifecycle.on("close", "report", logReport(lifecycle))
        const starting = yield* Layer.buildWithScope(app, scope).pipe(
          Effect.zipRight(Effect.flatMap(lifecycle.plan, Plan.check)),
          Effect.provide(services),
          Effect.interruptible,
          Effect.forkDaemon
        )
        const served = yield* Effect.exit(restore(serve(starting, lifecycle)))
        if (Exit.isFailure(served))
          lifecycle.requestStop({ _tag: "Asked", by: endOf(served.cause) })
        yield* stopStarting(starting, lifecycle)
        const report = yield* quietly(served, lifecycle.shutdown)
        return yield* Exit.zipRight(served, Exit.succeed(ShutdownReport.exitCode(report)))
      })
    )
  )

/** Until it fails to start, or is asked to stop. */
const serve = <A, E>(starting: Fiber.RuntimeFiber<A, E>, lifecycle: Lifecycle.Lifecycle["Type"]) =>
  Effect.raceFirst(Effect.zipRight(Fiber.join(starting), Effect.never), lifecycle.requested)

const endOf = (cause: Cause.Cause<unknown>): string =>
  Cause.isInterruptedOnly(cause) ? "an interruption" : "a failed start"

/** Who reads why it did not start looks for that, and not for how the little that there was ended. */
const quietly = (
  served: Exit.Exit<unknown, unknown>,
  shutdown: Lifecycle.Lifecycle["Type"]["shutdown"]
) =>
  Exit.isFailure(served) && !Cause.isInterruptedOnly(served.cause)
    ? Logger.withMinimumLogLevel(shutdown, LogLevel.Warning)
    : shutdown

/** A program that is still starting is not built any further. Its loggers are used from here on. */
const stopStarting = <A, E>(
  starting: Fiber.RuntimeFiber<A, E>,
  lifecycle: Lifecycle.Lifecycle["Type"]
) =>
  Effect.gen(function* () {
    const exit = yield* Fiber.poll(starting)
    if (Option.isSome(exit)) return yield* Fiber.inheritAll(starting)
    yield* Effect.orDie(
      lifecycle.on("intake", "start-up", Fiber.interrupt(starting), { first: true })
    )
  })

/**
 * Before the loggers of the program close: all but this hook and the layers. Where all went well, one
 * line is enough, and the waterfall is for whoever looks closer.
 */
const logReport = ({ report }: Lifecycle.Lifecycle["Type"]) =>
  Effect.suspend(() => {
    const done = Option.map(report(), ShutdownReport.withoutRunning)
    if (Option.isNone(done)) return Effect.void
    const [brief, whole] = [ShutdownReport.brief(done.value), ShutdownReport.text(done.value)]
    const each = (text: string, log: (line: string) => Effect.Effect<void>) =>
      Effect.forEach(text.split("\n"), log, { discard: true })
    return Effect.zipRight(
      each(brief, (line) => Effect.logInfo(line)),
      brief === whole ? Effect.void : each(whole, (line) => Effect.logDebug(line))
    )
  })

const listen = ({ report, requestStop, timeLeft, watch }: Lifecycle.Lifecycle["Type"]) =>
  Effect.flatMap(
    Effect.serviceOption(StopRequest),
    Option.match({
      onNone: () => Effect.void,
      onSome: ({ listen }) =>
        listen({
          requestStop,
          timeLeft,
          watch,
          describe: () => Option.match(report(), { onNone: () => "", onSome: described })
        })
    })
  )

const described = (report: ShutdownReport.ShutdownReport): string => {
  const hooks = ShutdownReport.running(report).map(({ hook, phase }) => `${phase}: ${hook}`)
  const still = hooks.length === 0 ? "no hook runs" : `${hooks.join(", ")} still runs`
  return `${still}\n${ShutdownReport.text(report)}`
}
