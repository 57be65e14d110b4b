/**
 * What every channel of alerts promises, as effects that any test runner can run.
 *
 * @example
 * import { it } from "@effect/vitest"
 * import { AlertChannel, ConfigField } from "holter"
 * import { ChannelContract } from "holter/testing"
 * import { Effect, Layer } from "effect"
 *
 * const Pager = AlertChannel.make("pager", {
 *   description: "Pages somebody",
 *   config: { token: ConfigField.secret },
 *   send: () => Effect.void,
 *   services: () => Layer.empty
 * })
 *
 * for (const law of ChannelContract.laws(Pager, {
 *   valid: [{ token: "s3cr3t-canary" }],
 *   invalid: [{}, { token: 5 }],
 *   secrets: ["s3cr3t-canary"]
 * })) {
 *   it.effect(law.name, () => law.effect)
 * }
 */
import { Clock, DateTime, Duration, Effect, Either, Fiber, Layer, Option, type Scope } from "effect"
import type { Alert } from "../Alert/Alert.js"
import type * as AlertChannel from "../Alert/AlertChannel.js"
import { AlertChannelError } from "../Alert/AlertChannelError.js"
import * as ChannelRegistry from "../Alert/ChannelRegistry.js"
import type { Law } from "./PluginContract.js"
import * as ConfigLaws from "./PluginContract/ConfigLaws.js"
import { type ContractViolation, holds } from "./PluginContract/ContractViolation.js"
import { leakIn, type Samples, shown } from "./PluginContract/Subject.js"

/**
 * The laws for one channel. No receiver need be there: a channel that reaches nobody says so by its
 * error. They take real time, also under a virtual clock.
 */
export const laws = (channel: AlertChannel.Any, samples: Samples): ReadonlyArray<Law> =>
  [
    { name: "its type is valid", effect: names(channel) },
    { name: "configuration decodes and encodes", effect: ConfigLaws.roundTrip(channel, samples) },
    { name: "every field has a description", effect: ConfigLaws.descriptions(channel) },
    { name: "a wrong configuration is refused", effect: ConfigLaws.refusals(channel, samples) },
    { name: "builds without its receiver and closes", effect: lifecycle(channel, samples) },
    { name: "says by its error what failed, and no secret", effect: failures(channel, samples) },
    { name: "can be interrupted", effect: interruption(channel, samples) }
  ].map((law) => ({ name: law.name, effect: Effect.withClock(law.effect, Clock.make()) }))

type Check = Effect.Effect<void, ContractViolation>

const names = (channel: AlertChannel.Any): Check =>
  Effect.gen(function* () {
    const expect = holds(channel, "names")
    const valid = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(channel.type)
    yield* expect(valid, "a type in snake_case", JSON.stringify(channel.type))
    yield* expect(channel.description.trim() !== "", "a description", "an empty one")
  })

const lifecycle = (channel: AlertChannel.Any, samples: Samples): Check =>
  forEachSample(channel, samples, "life cycle", (sample, expect) =>
    Effect.gen(function* () {
      const registry = yield* ChannelRegistry.ChannelRegistry
      yield* Effect.scoped(open(channel, sample))
      const left = yield* registry.all
      yield* expect(left.length === 0, "to be out of the registry once closed", "that it is not")
    })
  )

const failures = (channel: AlertChannel.Any, samples: Samples): Check =>
  forEachSample(channel, samples, "errors", (sample, expect) =>
    Effect.gen(function* () {
      const { send } = yield* open(channel, sample)
      const sent = yield* Effect.timeoutOption(
        Effect.disconnect(Effect.either(send(alert))),
        "5 seconds"
      )
      // What hangs is ended by the notifier.
      const error = Option.getOrUndefined(Option.flatMap(sent, Either.getLeft))
      if (error === undefined) return
      yield* expect(error instanceof AlertChannelError, "an AlertChannelError", "another error")
      yield* expect(error.problem.trim() !== "", "a problem in words", "none")
      const text = `${error.message} ${JSON.stringify(error)}`
      yield* expect(leakIn(samples, text) === undefined, "no secret in its error", "one")
    })
  )

const interruption = (channel: AlertChannel.Any, samples: Samples): Check =>
  forEachSample(channel, samples, "interruption", (sample, expect) =>
    Effect.gen(function* () {
      const { send } = yield* open(channel, sample)
      const sending = yield* Effect.forkDaemon(Effect.exit(send(alert)))
      const ended = yield* Effect.timeoutOption(
        Effect.disconnect(Fiber.interrupt(sending)),
        "3 seconds"
      )
      yield* expect(Option.isSome(ended), "to end when it is interrupted", "that it goes on")
    })
  )

type Expect = ReturnType<typeof holds>

const forEachSample = (
  channel: AlertChannel.Any,
  samples: Samples,
  law: string,
  f: (
    sample: unknown,
    expect: Expect
  ) => Effect.Effect<void, ContractViolation, ChannelRegistry.ChannelRegistry | Scope.Scope>
): Check =>
  Effect.forEach(
    samples.valid,
    (sample) => {
      const expect: Expect = (holding, expected, found) =>
        holds(channel, law)(holding, expected, `${found}, with ${shown(samples, sample)}`)
      return f(sample, expect).pipe(
        Effect.catchAllDefect((defect) => {
          const text = String(defect)
          const known = leakIn(samples, text) === undefined
          return expect(false, "no defect", known ? text : "a string with a secret")
        }),
        Effect.scoped,
        Effect.provide(ChannelRegistry.layer)
      )
    },
    { discard: true }
  )

/** The channel with services of its own, registered until the scope closes. */
const open = (
  channel: AlertChannel.Any,
  sample: unknown
): Effect.Effect<
  ChannelRegistry.RegisteredChannel,
  never,
  ChannelRegistry.ChannelRegistry | Scope.Scope
> =>
  Effect.gen(function* () {
    const registry = yield* ChannelRegistry.ChannelRegistry
    const layer = channel.decode(sample, { name: "sample", installation: "contract" })
    if (Either.isLeft(layer)) return yield* Effect.die("a valid sample was refused")
    yield* Effect.orDie(Layer.build(layer.right))
    const [registered] = yield* registry.all
    return registered ?? (yield* Effect.die("nothing was registered"))
  })

const began = DateTime.unsafeMake(0)

const alert: Alert = {
  key: "service-0/sample/opened/1",
  channel: "sample",
  kind: "opened",
  severity: "unhealthy",
  at: began,
  subjects: [
    {
      service: "service",
      label: "service",
      incident: "service-0",
      status: "unhealthy",
      previous: "healthy",
      severity: "unhealthy",
      since: began,
      duration: Duration.zero,
      message: 'it said "no" <and> left & went',
      over: false
    }
  ],
  affected: [],
  insteadOf: null,
  story: []
}
