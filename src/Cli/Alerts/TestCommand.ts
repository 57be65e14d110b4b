/**
 * `holter alerts test`: one alert to a channel, now, and what became of it. A channel that had been
 * disabled and passes is used again.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Clock, DateTime, Duration, Effect, Either, Layer, Option } from "effect"
import type { Alert } from "../../Alert/Alert.js"
import { AlertChannelError, shortened } from "../../Alert/AlertChannelError.js"
import * as ChannelRegistry from "../../Alert/ChannelRegistry.js"
import * as Configuration from "../Configuration.js"
import { UsageError } from "../ConfigurationError.js"
import { configFlag } from "../Flags.js"
import { ExitCode, exitCodes, Output } from "../Output.js"
import * as AlertSettings from "./AlertSettings.js"
import * as Enabling from "./Enabling.js"

export const command = Command.make(
  "test",
  {
    channel: Args.text({ name: "channel" }).pipe(
      Args.withDescription("A channel, by its name in the configuration"),
      Args.optional
    ),
    all: CliOptions.boolean("all").pipe(CliOptions.withDescription("Test every channel")),
    config: configFlag
  },
  (flags) => test(flags)
).pipe(
  Command.withDescription(
    "Send a test alert to a channel now, and say whether it took it; one that was disabled and does is used again"
  )
)

interface Flags {
  readonly channel: Option.Option<string>
  readonly all: boolean
  readonly config: Option.Option<string>
}

const test = (flags: Flags) =>
  Effect.gen(function* () {
    const configuration = yield* Configuration.load(flags.config)
    const alerts = yield* configuration.alerts
    const names = yield* select(flags, alerts)
    const passed = yield* Effect.forEach(names, (name) => tried(name, configuration)).pipe(
      Effect.provide(
        Layer.provideMerge(AlertSettings.layerChannels(alerts), ChannelRegistry.layer)
      ),
      // Names come from a mapping and are known to differ.
      Effect.orDie
    )
    yield* Enabling.enable(
      names.filter((_, index) => passed[index]),
      configuration
    )
    if (passed.includes(false)) {
      yield* Effect.flatMap(ExitCode, ({ set }) => set(exitCodes.failed))
    }
  })

const select = (
  { all, channel }: Flags,
  { names }: AlertSettings.AlertSettings
): Effect.Effect<ReadonlyArray<string>, UsageError> => {
  const known = `the name of a channel (${names.join(", ")})`
  const wrong = (expected: string, found: string) =>
    new UsageError({ flag: "alerts test", expected, found })
  if (all) return Option.isNone(channel) ? Effect.succeed(names) : wrong("--all or a name", "both")
  if (Option.isNone(channel)) return wrong(`${known}, or --all`, "neither")
  const name = channel.value
  return names.includes(name) ? Effect.succeed([name]) : wrong(known, JSON.stringify(name))
}

/** Whether the channel took it. */
const tried = (
  name: string,
  { name: installation }: Configuration.Configuration
): Effect.Effect<boolean, never, ChannelRegistry.ChannelRegistry | Output> =>
  Effect.gen(function* () {
    const { line, look } = yield* Output
    const registry = yield* ChannelRegistry.ChannelRegistry
    const channel = yield* Effect.orDie(Effect.flatten(registry.find(name)))
    const now = yield* Clock.currentTimeMillis
    const [time, sent] = yield* Effect.timed(Effect.either(attempt(channel, now, installation)))
    const what = `${name} (${channel.type})`
    yield* Either.match(sent, {
      onLeft: ({ problem }) =>
        line(`${look.emoji ? "❌" : "[failed]"} ${what} did not take the test alert: ${problem}`),
      onRight: () =>
        line(
          `${look.emoji ? "✅" : "[ok]"} ${what} took the test alert in ${Math.round(Duration.toMillis(time))} ms`
        )
    })
    return Either.isRight(sent)
  })

const attempt = (
  { name, send, timeout }: ChannelRegistry.RegisteredChannel,
  now: number,
  installation: string
): Effect.Effect<void, AlertChannelError> =>
  send(alertOf(name, now, installation)).pipe(
    Effect.disconnect,
    Effect.timeoutFail({
      duration: timeout,
      onTimeout: () =>
        new AlertChannelError({
          reason: "Transient",
          channel: name,
          problem: `no answer within ${Duration.format(timeout)}`
        })
    }),
    Effect.mapError(shortened)
  )

const alertOf = (channel: string, now: number, installation: string): Alert => {
  const at = DateTime.unsafeMake(now)
  return {
    key: `test-${now}/${channel}/test/0`,
    channel,
    kind: "test",
    severity: "degraded",
    at,
    subjects: [
      {
        service: "holter",
        label: installation,
        incident: `test-${now}`,
        status: "healthy",
        previous: "healthy",
        severity: "degraded",
        since: at,
        duration: Duration.zero,
        message: `Sent by \`holter alerts test ${channel}\`. Nothing is wrong.`,
        over: true
      }
    ],
    affected: [],
    insteadOf: null,
    story: []
  }
}
