/**
 * `holter watch`: the heartbeat, alerts and scheduled backups, until it is asked to stop.
 */
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Deferred, Effect, FiberRef, Layer, LogLevel, type Option } from "effect"
import * as GrowingSecrets from "../Common/GrowingSecrets.js"
import { launch } from "../Lifecycle/launch.js"
import * as Plan from "../Lifecycle/Plan.js"
import type { JournalError } from "../Monitor/Journal.js"
import * as Configuration from "./Configuration.js"
import { configFlag, graceFlag } from "./Flags.js"
import { briefly, ExitCode, exitCodes, Output, page } from "./Output.js"
import * as ReaderZone from "./ReaderZone.js"
import * as App from "./Watch/App.js"
import * as WatchState from "./Watch/WatchState.js"
import * as Reporter from "./Watch/Reporter.js"
import * as Steps from "./Watch/Steps.js"
import * as Summary from "./Watch/Summary.js"
import * as WatchSettings from "./Watch/WatchSettings.js"

export const command = Command.make(
  "watch",
  {
    grace: graceFlag,
    jsonLines: CliOptions.boolean("json-lines").pipe(
      CliOptions.withDescription("Print a JSON object for each thing that happens")
    ),
    printShutdownPlan: CliOptions.boolean("print-shutdown-plan").pipe(
      CliOptions.withDescription(
        "Print what a shutdown does and how long it may take; start nothing"
      )
    ),
    verbose: CliOptions.boolean("verbose").pipe(
      CliOptions.withDescription(
        "Show also decisions without a message; otherwise only actions of users and the end of incidents (--log-level debug does so too)"
      )
    ),
    config: configFlag
  },
  (flags) => watch(flags)
).pipe(
  Command.withDescription(
    "Run every check at its interval, notify channels, and back up on schedule. A live table on a terminal, a line for each event elsewhere. Exit code: 0 stopped in order, 1 not all of it in time"
  )
)

interface Flags {
  readonly grace: Option.Option<string>
  readonly jsonLines: boolean
  readonly printShutdownPlan: boolean
  readonly verbose: boolean
  readonly config: Option.Option<string>
}

const watch = (flags: Flags) =>
  Effect.gen(function* () {
    if (flags.printShutdownPlan) return yield* print(yield* WatchSettings.load(flags))
    const settings = yield* WatchSettings.ready(flags)
    yield* Configuration.prepare(settings.configuration)
    const level = yield* FiberRef.get(FiberRef.currentMinimumLogLevel)
    const verbose = flags.verbose || LogLevel.lessThanEqual(level, LogLevel.Debug)
    const zone = yield* ReaderZone.named(settings.alerts.policy.timeZone)
    const lost = yield* Deferred.make<JournalError>()
    const secrets = GrowingSecrets.make(settings.configuration.secrets)
    const reporter = Reporter.layer({
      board: WatchState.make(Summary.rows(settings, zone)),
      secrets: secrets.secrets,
      json: flags.jsonLines
    })
    const code = yield* launch(
      Layer.provide(App.layer({ settings, flags, secrets, lost, verbose }), reporter),
      settings.time
    ).pipe(Effect.catchTag("PlanError", WatchSettings.tooLong))
    const { note } = yield* Output
    const { set } = yield* ExitCode
    yield* set(code)
    if (yield* Deferred.isDone(lost)) {
      yield* briefly(note(`holter: ${(yield* Deferred.await(lost)).message}`))
      yield* set(exitCodes.failed)
    }
  })

/** Also a plan that is too long, to see where the time goes. */
const print = (settings: WatchSettings.WatchSettings) =>
  Effect.gen(function* () {
    const plan = yield* Effect.mapError(
      Steps.plan(WatchSettings.partsOf(settings), settings.time),
      WatchSettings.tooLong
    )
    yield* page(Plan.text(plan).split("\n"))
    yield* Effect.mapError(Plan.check(plan), WatchSettings.tooLong)
  })
