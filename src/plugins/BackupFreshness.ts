/**
 * Whether there is a backup to go back to: how old the newest good one is, whether it suddenly
 * shrank, when it was verified and last practised (drill).
 *
 * It looks at names, sizes and manifests of a directory, and reads no backup: `holter backup verify`
 * and `drill` do that, and leave in the manifests when they did.
 */
import { DateTime, Duration, Effect, Option, Schema } from "effect"
import * as path from "node:path"
import * as Strays from "../Backup/BackupStrategy/Sqlite/Strays.js"
import * as BackupStore from "../Backup/BackupStore.js"
import { describe } from "../Backup/DatabaseIdentity.js"
import * as Check from "../Check/Check.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as Outcome from "../Check/Outcome.js"
import { sentence } from "../Common/Sentences.js"
import * as Freshness from "./BackupFreshness/Freshness.js"
import { Details } from "./shared/ErrorFields.js"
import * as SpanText from "../Common/SpanText.js"
import * as Format from "../Common/Format.js"

export class BackupFreshnessError extends Schema.TaggedError<BackupFreshnessError>(
  "holter/plugins/BackupFreshness/BackupFreshnessError"
)("BackupFreshnessError", {
  reason: Schema.Literal("NoBackup", "TooOld", "Unreadable"),
  directory: Schema.String,
  /** What was found, such as `the newest good backup is 52 hours old`. */
  found: Schema.String,
  details: Schema.optional(Details),
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    const advice =
      this.reason === "Unreadable"
        ? "Correct `directory`, or let this user read it."
        : "Look at the last run of `holter backup create`, in cron's mail or its log."
    return `${sentence(`Backups in ${this.directory}: ${this.found}`)} ${advice}`
  }
}

const Config = Schema.Struct({
  directory: ConfigField.withDefault(
    Schema.NonEmptyTrimmedString.annotations({
      description: "where the backups lie; relative to the working directory"
    }),
    "backups"
  ),
  app: Schema.optional(
    Schema.NonEmptyTrimmedString.annotations({
      description: "only backups whose names begin with this, such as dmarket_bot"
    })
  ),
  engine: Schema.optional(
    Schema.NonEmptyTrimmedString.annotations({
      description: "only backups of this engine: sqlite or postgresql"
    })
  ),
  database: Schema.optional(
    Schema.NonEmptyTrimmedString.annotations({
      description: "only backups of this database: the file's name, or the name on the server"
    })
  ),
  warnAge: ConfigField.withDefault(ConfigField.duration, "26 hours").annotations({
    description: "degraded when the newest good backup is older"
  }),
  criticalAge: ConfigField.withDefault(ConfigField.duration, "50 hours").annotations({
    description: "unhealthy when the newest good backup is older"
  }),
  shrinkPercent: ConfigField.withDefault(
    ConfigField.percent.annotations({
      description:
        "degraded when the newest backup is smaller than the one before by more, in percent"
    }),
    50
  ),
  verifyAge: Schema.optional(
    ConfigField.duration.annotations({
      description: "degraded when no backup was verified within this time"
    })
  ),
  drillAge: Schema.optional(
    ConfigField.duration.annotations({
      description: "degraded when no backup was restored on trial (drill) within this time"
    })
  )
})

type Config = typeof Config.Type

const probe = (
  config: Config
): Effect.Effect<Outcome.Outcome, BackupFreshnessError, BackupStore.BackupStore> =>
  Effect.gen(function* () {
    const { main } = yield* BackupStore.BackupStore
    const stored = yield* Effect.mapError(
      main.list,
      (cause) =>
        new BackupFreshnessError({
          reason: "Unreadable",
          directory: config.directory,
          found: `expected ${cause.expected}, found ${cause.found}`,
          cause
        })
    )
    const facts = Freshness.facts(stored, config, yield* DateTime.now)
    return yield* judge(config, yield* Effect.forEach(facts, withStrays))
  })

/**
 * Degraded and unhealthy by the age of the newest good backup: a day and two days, and two hours
 * for the work itself.
 *
 * @example
 * import { BackupFreshness } from "holter/plugins/BackupFreshness"
 *
 * BackupFreshness.layerStandalone({ directory: "/var/backups/bot", drillAge: "8 days" })
 */
export const BackupFreshness = Check.make("backup_freshness", {
  description: "Age, size and trustworthiness of the newest backup in a directory",
  label: "backups",
  config: Config.fields,
  error: BackupFreshnessError,
  rules: ({ criticalAge, warnAge }) =>
    isShorter(criticalAge, warnAge)
      ? [
          {
            path: ["warnAge"],
            expected: "a duration below criticalAge",
            found: "a longer one"
          }
        ]
      : [],
  probe,
  services: ({ directory }) => BackupStore.layerDirectory({ path: directory })
})

interface Facts extends Freshness.Facts {
  /** Programs of this machine whose rows are in no backup. */
  readonly strays: ReadonlyArray<string>
}

/** No backup holds what is written to a SQLite database that was deleted or replaced under its program. */
const withStrays = (facts: Freshness.Facts): Effect.Effect<Facts> => {
  const { database, engine } = facts
  return database === undefined || engine !== "sqlite"
    ? Effect.succeed({ ...facts, strays: [] })
    : Effect.map(Strays.look(path.join(database.location, database.name)), ({ strays }) => ({
        ...facts,
        strays: strays.map(Strays.described)
      }))
}

/** What is to be said of the backups of one database. */
interface Judgement {
  readonly facts: Facts
  readonly failure: BackupFreshnessError["reason"] | undefined
  readonly found: ReadonlyArray<string>
}

const judge = (
  config: Config,
  all: ReadonlyArray<Facts>
): Effect.Effect<Outcome.Outcome, BackupFreshnessError> => {
  const judged = all.map((facts) => judgeOne(config, facts)).sort(worstFirst)
  const [worst] = judged
  if (worst === undefined) {
    return new BackupFreshnessError({
      reason: "NoBackup",
      directory: config.directory,
      found: "there is none",
      details: { directory: config.directory, backups: 0, newest: null, problems: 0, databases: 0 }
    })
  }
  const details = { ...detailsOf(config, worst.facts), databases: all.length }
  const told = judged.filter(({ failure, found }) => failure !== undefined || found.length > 0)
  const found = told
    .map((one) => (all.length > 1 ? `${labelOf(one.facts)}: ` : "") + one.found.join("; "))
    .join("; ")
  if (worst.failure !== undefined) {
    return new BackupFreshnessError({
      reason: worst.failure,
      directory: config.directory,
      found: all.length > 1 ? `${found} (${whereGone})` : found,
      details
    })
  }
  return Effect.succeed(
    told.length > 0
      ? Outcome.degraded(`Backups: ${found}`, { details })
      : Outcome.healthy(healthyText(judged, worst.facts), { details })
  )
}

const whereGone = "of a database that is no more, move the backups elsewhere"

const judgeOne = (config: Config, facts: Facts): Judgement => {
  const { newest } = facts
  const bad = facts.problems.map(({ name, problem }) => `${name} (${problem})`)
  if (newest === undefined) {
    return { facts, failure: "NoBackup", found: [`none is good: ${bad.join(", ")}`] }
  }
  const age = `the newest good backup is ${ageOf(newest.age)} old`
  if (Duration.greaterThan(newest.age, config.criticalAge)) {
    return { facts, failure: "TooOld", found: [age] }
  }
  const found = [
    ...(Duration.greaterThan(newest.age, config.warnAge) ? [age] : []),
    ...facts.strays.map(
      (stray) => `a database was deleted or replaced under its program: ${stray}`
    ),
    ...sizeWarning(config, newest),
    ...lossWarning(newest),
    ...(config.verifyAge === undefined ? [] : since("verified", facts.verified, config.verifyAge)),
    ...(config.drillAge === undefined ? [] : since("drilled", facts.drilled, config.drillAge)),
    ...(bad.length === 0 ? [] : [`not good: ${bad.join(", ")}`])
  ]
  return { facts, failure: undefined, found }
}

const worstFirst = (one: Judgement, other: Judgement): number =>
  severityOf(other) - severityOf(one) || ageIn(other) - ageIn(one)

const severityOf = ({ failure, found }: Judgement): number =>
  failure === "NoBackup" ? 3 : failure === "TooOld" ? 2 : found.length > 0 ? 1 : 0

const ageIn = ({ facts: { newest } }: Judgement): number =>
  newest === undefined ? 0 : Duration.toMillis(newest.age)

const labelOf = ({ app, database, engine }: Freshness.Facts): string =>
  database === undefined
    ? `${app} (${engine})`
    : `${app} ${database.name} (${engine}) at ${describe(database)}`

/** Of several databases the one whose newest backup is the oldest. */
const healthyText = (all: ReadonlyArray<Judgement>, { newest }: Freshness.Facts): string => {
  const figures =
    newest === undefined ? "" : `${ageOf(newest.age)} old (${Format.bytes(newest.bytes)})`
  return all.length === 1
    ? `Newest backup is ${figures}`
    : `${all.length} databases are backed up, the newest backup of each at most ${figures}`
}

const sizeWarning = (config: Config, newest: Freshness.Newest): ReadonlyArray<string> =>
  newest.before !== undefined && newest.bytes < newest.before * (1 - config.shrinkPercent / 100)
    ? [
        `the newest has ${Format.bytes(newest.bytes)}, the one before had ${Format.bytes(newest.before)}`
      ]
    : []

/** Not ended by the next backup, which has lost the same. */
const lossWarning = ({ suspect: [first, ...others] }: Freshness.Newest): ReadonlyArray<string> =>
  first === undefined
    ? []
    : [`data seem to be lost: ${first}${others.length === 0 ? "" : `, and ${others.length} more`}`]

const since = (
  what: string,
  age: Duration.Duration | undefined,
  limit: Duration.DurationInput
): ReadonlyArray<string> => {
  if (age === undefined) return [`none was ever ${what}`]
  return Duration.greaterThan(age, limit) ? [`last ${what} ${ageOf(age)} ago`] : []
}

const detailsOf = (config: Config, facts: Freshness.Facts): Outcome.Details => ({
  directory: config.directory,
  backups: facts.count,
  newest: facts.newest?.name ?? null,
  newest_age_seconds: secondsOf(facts.newest?.age),
  newest_bytes: facts.newest?.bytes ?? null,
  previous_bytes: facts.newest?.before ?? null,
  verified_age_seconds: secondsOf(facts.verified),
  drilled_age_seconds: secondsOf(facts.drilled),
  problems: facts.problems.length
})

const secondsOf = (age: Duration.Duration | undefined): number | null =>
  age === undefined ? null : Math.round(Duration.toSeconds(age))

/** `26 hours`. */
const ageOf = (age: Duration.Duration): string => {
  const minutes = Math.floor(Duration.toMinutes(age))
  if (minutes < 120) return `${minutes} minutes`
  const hours = Math.floor(minutes / 60)
  return hours < 96 ? `${hours} hours` : `${Math.floor(hours / 24)} days`
}

const isShorter = (one: unknown, other: unknown): boolean =>
  Option.getOrElse(
    Option.zipWith(SpanText.fromUnknown(one), SpanText.fromUnknown(other), Duration.lessThan),
    () => false
  )
