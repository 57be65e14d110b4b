/**
 * What `holter watch` works with: the configuration, alerts, backups and the end brought together,
 * with everything that is wrong in any of them found at once.
 */
import { Duration, Effect, Either, Option, Predicate } from "effect"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as SpanText from "../../Common/SpanText.js"
import * as Expression from "../../Backup/BackupSchedule/Expression.js"
import type { AlertSettings } from "../Alerts/AlertSettings.js"
import type { BackupSettings } from "../Backup/BackupSettings.js"
import * as BackupSettingsLoader from "../Backup/BackupSettings.js"
import * as Globals from "../Backup/Globals.js"
import * as Configuration from "../Configuration.js"
import { ConfigurationError, UsageError } from "../ConfigurationError.js"
import type { Planned } from "./Backups.js"
import * as Plan from "../../Lifecycle/Plan.js"
import type { PlanError } from "../../Lifecycle/PlanError.js"
import * as Environment from "../Environment.js"
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
  const [configuration, settings] = yield* together(
    Effect.flatMap(Configuration.load(flags.config), (loaded) =>
      Effect.map(loaded.alerts, (alerts) => ({ loaded, alerts }))
    ),
    BackupSettingsLoader.load({
      config: flags.config,
      databaseUrl: Option.none(),
      backupDir: Option.none()
    }).pipe(
      Effect.catchTag("ConfigurationError", (error) => withoutDatabase(error, flags.config)),
      Effect.flatMap(withDatabase)
    )
  ).pipe(Effect.catchTag("ConfigurationError", (error) => withPlan(error, flags.config, grace)))
  const { alerts, loaded } = configuration
  return {
    configuration: loaded,
    alerts,
    backups: planned(settings),
    time: timeOf(loaded.shutdown, grace)
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
 * With what else is wrong: a shutdown that takes too long even without the parts of which it is not
 * known whether they are to be there.
 */
const withPlan = (
  error: ConfigurationError,
  config: Option.Option<string>,
  grace: Option.Option<Duration.Duration>
) =>
  Effect.gen(function* () {
    const isUnknown = ({ path: [section, field] }: ConfigIssue) =>
      section === "shutdown" && (field === undefined || ["grace", "lameDuck"].includes(field))
    if (error.issues.some(isUnknown)) return yield* error
    const { shutdown } = yield* Effect.orElseFail(Configuration.outline(config), () => error)
    const plan = check({ backups: false, deadMan: false }, timeOf(shutdown, grace))
    yield* Effect.mapError(
      plan,
      ({ issues }) =>
        new ConfigurationError({ source: error.source, issues: [...error.issues, ...issues] })
    )
    return yield* error
  })

export const partsOf = ({ alerts, backups }: WatchSettings): Parts => ({
  backups: backups !== undefined,
  deadMan: alerts.deadMan !== undefined
})

type Wrong = ConfigurationError | UsageError

/** Both, or what is wrong in either, each mistake once. */
const together = <A, B, R, R2>(
  one: Effect.Effect<A, Wrong, R>,
  other: Effect.Effect<B, Wrong, R2>
): Effect.Effect<readonly [A, B], Wrong, R | R2> =>
  Effect.gen(function* () {
    const first = yield* Effect.either(one)
    const second = yield* Effect.either(other)
    if (Either.isRight(first) && Either.isRight(second)) return [first.right, second.right] as const
    const wrong = [
      ...(Either.isLeft(first) ? [first.left] : []),
      ...(Either.isLeft(second) ? [second.left] : [])
    ]
    const usage = wrong.find((error) => error instanceof UsageError)
    if (usage !== undefined) return yield* usage
    const errors = wrong.filter((error) => error instanceof ConfigurationError)
    return yield* new ConfigurationError({
      source: errors[0]?.source ?? "environment",
      issues: distinct(errors)
    })
  })

const distinct = (errors: ReadonlyArray<ConfigurationError>): ReadonlyArray<ConfigIssue> => {
  const byPath = new Map<string, ConfigIssue>()
  for (const issue of errors.flatMap(({ issues }) => issues)) {
    const path = issue.path.join("\0")
    if (!byPath.has(path)) byPath.set(path, issue)
  }
  return [...byPath.values()]
}

const withDatabase = (
  settings: BackupSettings
): Effect.Effect<BackupSettings, ConfigurationError> => {
  const { drill, schedule } = settings.section
  return settings.url !== undefined || (schedule ?? drill) === undefined
    ? Effect.as(Globals.checkFile(settings), settings)
    : new ConfigurationError({ source: settings.source, issues: [noDatabase] })
}

const noDatabase: ConfigIssue = {
  path: ["backup", "url"],
  expected: "the URL of a database, here or in DATABASE_URL, for the scheduled backups",
  found: "nothing"
}

/** With what else is wrong in the section: that there is a time for backups, and nothing to back up. */
const withoutDatabase = ({ issues, source }: ConfigurationError, config: Option.Option<string>) =>
  Effect.gen(function* () {
    const outline = yield* Effect.option(Configuration.outline(config))
    const backup = Option.getOrUndefined(outline)?.backup
    const named = yield* Effect.either(Environment.read("DATABASE_URL"))
    const isMissing =
      Predicate.isRecord(backup) &&
      (backup["schedule"] ?? backup["drill"]) !== undefined &&
      backup["url"] === undefined &&
      Either.isRight(named) &&
      Option.isNone(named.right)
    return yield* new ConfigurationError({
      source,
      issues: isMissing ? [...issues, noDatabase] : issues
    })
  })

const planned = (settings: BackupSettings): Planned | undefined => {
  const { drill, schedule, timeZone } = settings.section
  const cron = (text: string | undefined) =>
    text === undefined
      ? undefined
      : Option.getOrUndefined(Either.getRight(Expression.parse(text, timeZone)))
  return (schedule ?? drill) === undefined
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
