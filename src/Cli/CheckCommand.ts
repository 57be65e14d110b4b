/**
 * `holter check`: one run of all checks.
 */
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Context, Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import * as CheckRegistry from "../Check/CheckRegistry.js"
import * as CheckRunner from "../Check/CheckRunner.js"
import type * as Secrets from "../Common/Secrets.js"
import * as HealthMonitor from "../Monitor/HealthMonitor.js"
import type { StatusSummary } from "../Monitor/StatusSummary.js"
import * as Configuration from "./Configuration.js"
import { UsageError } from "./ConfigurationError.js"
import { configFlag } from "./Flags.js"
import * as LastVerdict from "./LastVerdict.js"
import * as Notification from "./Notification.js"
import { ExitCode, exitCodes, json, Output } from "./Output.js"
import * as Presentation from "./Presentation.js"
import * as Registration from "./Registration.js"
import type { Service } from "./Service.js"
import * as Services from "./Services.js"

export const command = Command.make(
  "check",
  {
    cron: CliOptions.boolean("cron").pipe(
      CliOptions.withDescription(
        "Print nothing when healthy; notify when the verdict changed since the last run"
      )
    ),
    json: CliOptions.boolean("json").pipe(
      CliOptions.withDescription("Print the summary as one JSON document")
    ),
    notify: CliOptions.boolean("notify").pipe(
      CliOptions.withDescription("Send the summary to ADMIN_TELEGRAM_CHAT_ID, whatever it says")
    ),
    only: CliOptions.text("only").pipe(
      CliOptions.withDescription("Check these services only (names, separated by commas)"),
      CliOptions.optional
    ),
    config: configFlag
  },
  (flags) => check(flags)
).pipe(
  Command.withDescription(
    "Run every check once. Exit code: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown"
  )
)

interface Flags {
  readonly cron: boolean
  readonly json: boolean
  readonly notify: boolean
  readonly only: Option.Option<string>
  readonly config: Option.Option<string>
}

const check = (flags: Flags) =>
  Effect.gen(function* () {
    const output = yield* Output
    const configuration = yield* Configuration.load(flags.config)
    yield* warn(flags, configuration)
    const services = yield* select(configuration.services, flags.only)
    yield* Configuration.prepare(configuration)
    const silent = flags.json || flags.cron
    const summary = yield* withMonitor(services, configuration.secrets, (monitor) =>
      silent
        ? Effect.zipRight(monitor.runAllChecks, monitor.statusSummary)
        : interactive(configuration.name, services, monitor)
    )
    if (flags.json) yield* json(summary)
    else if (flags.cron && summary.overall_status !== "healthy") {
      yield* output.line(Presentation.verdict(summary))
      yield* Effect.forEach(Presentation.problems(summary), output.line, { discard: true })
    }
    yield* notify(flags, configuration, services, summary)
    yield* Effect.flatMap(ExitCode, ({ set }) => set(exitCodes[summary.overall_status]))
  })

/**
 * Cron mails whatever is printed, each time, so it gets no advice on the file; but that what it
 * checks is not what the operator meant, it has to say.
 */
const warn = (flags: Flags, configuration: Configuration.Configuration) =>
  Effect.gen(function* () {
    const { note } = yield* Output
    if (!flags.cron) yield* Effect.forEach(configuration.warnings, note, { discard: true })
    else if (configuration.embedded) yield* note(nothingConfigured)
  })

const nothingConfigured = `holter: no service is configured, so only a database of Holter's own and this machine are checked. Cron does not have the variables of your shell: set them in the crontab (${Services.presenceVariables.join(", ")}) or name a configuration file with --config.`

const select = (
  services: ReadonlyArray<Service>,
  only: Option.Option<string>
): Effect.Effect<ReadonlyArray<Service>, UsageError> => {
  if (Option.isNone(only)) return Effect.succeed(services)
  const names = only.value.split(",").map((name) => name.trim())
  const unknown = names.filter((name) => !services.some((service) => service.name === name))
  return unknown.length === 0
    ? Effect.succeed(services.filter((service) => names.includes(service.name)))
    : new UsageError({
        flag: "--only",
        expected: `names out of ${services.map((service) => service.name).join(", ")}`,
        found: unknown.map((name) => JSON.stringify(name)).join(", ")
      })
}

/** Builds the checks one after the other, so that their order is that of the configuration. */
const withMonitor = <A, R>(
  services: ReadonlyArray<Service>,
  secrets: Secrets.Secrets,
  use: (monitor: Context.Tag.Service<HealthMonitor.HealthMonitor>) => Effect.Effect<A, never, R>
): Effect.Effect<A, never, R> =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) =>
      Effect.gen(function* () {
        const context = yield* HealthMonitor.layer.pipe(
          Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer())),
          Layer.buildWithScope(scope)
        )
        yield* Effect.provide(
          Registration.register(services, secrets, () => Effect.succeed(scope)),
          context
        )
        return yield* use(Context.get(context, HealthMonitor.HealthMonitor))
      }),
    // The results are there; a connection that does not close must not hold up the exit.
    (scope) =>
      Scope.close(scope, Exit.void).pipe(
        Effect.disconnect,
        Effect.interruptible,
        Effect.timeoutOption("1 second")
      )
  )

/** All checks run at once; their lines appear in order, each as soon as it can. */
const interactive = (
  name: string,
  services: ReadonlyArray<Service>,
  monitor: Context.Tag.Service<HealthMonitor.HealthMonitor>
) =>
  Effect.gen(function* () {
    const { line, look } = yield* Output
    yield* Effect.forEach(Presentation.header(name), line)
    const running = yield* Effect.forEach(services, (service) =>
      Effect.map(Effect.fork(Effect.orDie(monitor.runCheck(service.name))), (fiber) => ({
        service,
        fiber
      }))
    )
    yield* Effect.forEach(running, ({ fiber, service }) =>
      service.configured
        ? line(Presentation.checking(service.label, look)).pipe(
            Effect.zipRight(Fiber.join(fiber)),
            Effect.flatMap((result) => line(Presentation.result(result, service.label, look)))
          )
        : line(Presentation.notConfigured(service.label, look))
    )
    yield* Fiber.joinAll(running.map(({ fiber }) => fiber))
    const summary = yield* monitor.statusSummary
    yield* Effect.forEach(Presentation.footer(summary, look), line)
    return summary
  })

const notify = (
  flags: Flags,
  configuration: Configuration.Configuration,
  services: ReadonlyArray<Service>,
  summary: StatusSummary
) =>
  Effect.gen(function* () {
    const output = yield* Output
    const complain = (error: Notification.NotificationError) =>
      output.note(`The notification failed: ${error.message}`)
    const send = (lost: ReadonlyArray<string>, recovered: ReadonlyArray<string>) =>
      Notification.send(configuration, { summary, lost, recovered })
    const sent = flags.cron
      ? LastVerdict.tell({
          question: {
            source: configuration.source,
            only: Option.map(flags.only, () => services.map(({ name }) => name))
          },
          summary,
          always: flags.notify,
          // With nobody to tell, the next run can do no better: the verdict counts as told.
          send: (lost, recovered) =>
            Effect.catchIf(
              send(lost, recovered),
              ({ reason }) => reason === "NotConfigured",
              complain
            )
        })
      : flags.notify
        ? send([], [])
        : Effect.void
    yield* Effect.catchAll(sent, complain)
  })
