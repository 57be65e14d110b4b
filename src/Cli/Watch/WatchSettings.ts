/**
 * What `holter watch` works with: the configuration, alerts, backups and the end brought together,
 * with everything that is wrong in any of them found at once.
 */
import { Duration, Effect, Either, Option, Predicate } from "effect"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as SpanText from "../../Common/SpanText.js"
import * as Expression from "../../Backup/BackupSchedule/Expression.js"
import type { AlertSettings } from "../Alerts/AlertSettings.js"
import * as BackupSettings from "../Backup/BackupSettings.js"
import * as Globals from "../Backup/Globals.js"
import * as ConfigSource from "../ConfigSource.js"
import * as Configuration from "../Configuration.js"
import { ConfigurationError, UsageError } from "../ConfigurationError.js"
import type { Planned } from "./Backups.js"
import * as Plan from "../../Lifecycle/Plan.js"
import type { PlanError } from "../../Lifecycle/PlanError.js"
import type { ShutdownSection } from "../ShutdownSection.js"
import * as Steps from "./Steps.js"
import type { Parts, Time } from "./Steps.js"

export interface WatchSettings {
  readonly configuration: Configuration.Configuration
  readonly alerts: AlertSettings
  /** None where no backup and no drill has a time. */
  readonly backups: Planned | undefined
  readonly time: Time
}

export interface Flags {
  readonly config: Option.Option<string>
  readonly grace: Option.Option<string>
}

export const load = Effect.fn("WatchSettings.load")(function* (flags: Flags) {
  const grace = yield* graceOf(flags.grace)
  const source = yield* ConfigSource.read(flags.config, [
    ...Configuration.variables,
    ...BackupSettings.variables
  ])
  const { backup, configuration } = yield* Configuration.of(source, {
    backup: scheduled(source),
    alerts: true
  }).pipe(Effect.catchAll((error) => withPlan(error, source, grace)))
  return {
    configuration,
    alerts: yield* configuration.alerts,
    backups: planned(backup),
    time: timeOf(configuration.shutdown, grace)
  } satisfies WatchSettings
})

/** The same, of a watch that may start: its end fits into the grace. */
export const ready = Effect.fn("WatchSettings.ready")(function* (flags: Flags) {
  const settings = yield* load(flags)
  yield* check(partsOf(settings), settings.time)
  return settings
})

const timeOf = (
  { grace: configured = "30 seconds", lameDuck = "0 seconds" }: ShutdownSection,
  grace: Option.Option<Duration.Duration>
): Time => ({
  grace: Option.getOrElse(grace, () => Duration.decode(configured)),
  lameDuck: Duration.decode(lameDuck)
})

/** One of the pieces that the settings want cannot be built. */
export const unbuilt = ({ configuration }: WatchSettings, issue: ConfigIssue): ConfigurationError =>
  new ConfigurationError({ source: configuration.source, issues: [issue] })

/** Refuses a shutdown that would take longer than it may. */
const check = (parts: Parts, time: Time): Effect.Effect<void, ConfigurationError> =>
  Steps.plan(parts, time).pipe(Effect.flatMap(Plan.check), Effect.mapError(tooLong))

export const tooLong = ({ expected, found, message }: PlanError): ConfigurationError =>
  new ConfigurationError({
    source: "shutdown",
    issues: [
      {
        path: ["shutdown", "grace"],
        expected: `at least ${found}`,
        found: `${expected}. ${message}`
      }
    ]
  })

/**
 * With what else is wrong, each mistake once: a shutdown that takes too long even without the parts of
 * which it is not known whether they are to be there.
 */
const withPlan = (
  { issues, source: from }: ConfigurationError,
  { document }: ConfigSource.ConfigSource,
  grace: Option.Option<Duration.Duration>
) =>
  Effect.gen(function* () {
    const fail = (all: ReadonlyArray<ConfigIssue>) =>
      new ConfigurationError({ source: from, issues: distinct(all) })
    const isUnknown = ({ path: [section, field] }: ConfigIssue) =>
      section === "shutdown" && (field === undefined || ["grace", "lameDuck"].includes(field))
    if (issues.some(isUnknown)) return yield* fail(issues)
    const plan = check({ backups: false, deadMan: false }, timeOf(document.shutdown, grace))
    yield* Effect.mapError(plan, (tooLong) => fail([...issues, ...tooLong.issues]))
    return yield* fail(issues)
  })

const distinct = (issues: ReadonlyArray<ConfigIssue>): ReadonlyArray<ConfigIssue> => {
  const paths = issues.map(({ path }) => path.join("\0"))
  return issues.filter((_, index) => paths.indexOf(paths[index] ?? "") === index)
}

export const partsOf = ({ alerts, backups }: WatchSettings): Parts => ({
  backups: backups !== undefined,
  deadMan: alerts.deadMan !== undefined
})

/** The settings of scheduled backups, or all that is wrong in them. */
const scheduled = (source: ConfigSource.ConfigSource) =>
  BackupSettings.of(source, noFlags).pipe(
    Effect.tap(Globals.checkFile),
    Effect.mapError((error) => (error instanceof ConfigurationError ? error.issues : [])),
    Effect.matchEffect({
      onSuccess: (settings) =>
        settings.url === undefined && isScheduled(settings.section)
          ? Effect.fail([noDatabase])
          : Effect.succeed(settings),
      // With what else is wrong in the section: that there is a time for backups, and nothing to back up.
      onFailure: (issues) =>
        Effect.flatMap(source.variables(["DATABASE_URL"]), (named) =>
          Effect.fail(
            named.values.size + named.issues.length === 0 && lacksUrl(source.document.backup)
              ? [...issues, noDatabase]
              : issues
          )
        )
    })
  )

const noFlags = { config: Option.none(), databaseUrl: Option.none(), backupDir: Option.none() }

const isScheduled = ({
  drill,
  schedule
}: Pick<BackupSettings.BackupSettings["section"], "drill" | "schedule">): boolean =>
  (schedule ?? drill) !== undefined

const lacksUrl = (backup: unknown): boolean =>
  Predicate.isRecord(backup) &&
  (backup["schedule"] ?? backup["drill"]) !== undefined &&
  backup["url"] === undefined

const noDatabase: ConfigIssue = {
  path: ["backup", "url"],
  expected: "the URL of a database, here or in DATABASE_URL, for the scheduled backups",
  found: "nothing"
}

const planned = (settings: BackupSettings.BackupSettings): Planned | undefined => {
  const { drill, schedule, timeZone } = settings.section
  const cron = (text: string | undefined) =>
    text === undefined
      ? undefined
      : Option.getOrUndefined(Either.getRight(Expression.parse(text, timeZone)))
  return !isScheduled(settings.section)
    ? undefined
    : { settings, create: cron(schedule), drill: cron(drill) }
}

/** `10s` as well as `10 seconds`: the flag is typed, not kept. */
const graceOf = (
  flag: Option.Option<string>
): Effect.Effect<Option.Option<Duration.Duration>, UsageError> =>
  Option.match(flag, {
    onNone: () => Effect.succeedNone,
    onSome: (text) =>
      Option.match(spanOf(text), {
        onSome: (span) => Effect.succeedSome(span),
        onNone: () =>
          new UsageError({
            flag: "--grace",
            expected: 'a duration such as "10s" or "30 seconds"',
            found: JSON.stringify(text)
          })
      })
  })

const spanOf = (text: string): Option.Option<Duration.Duration> =>
  Option.filter(SpanText.parse(text), Duration.greaterThan(Duration.zero))
