/**
 * The rules for what `layerBackups` is given, as the command line has them for its section: what breaks one
 * would remove backups, or make none.
 */
import { DateTime, Duration, Effect, identity, Option, ParseResult, Schema } from "effect"
import * as ConfigField from "../Plugin/ConfigField.js"
import { ConfigIssue, formatIssues } from "../Plugin/ConfigIssue.js"
import * as ConfigIssues from "../Plugin/ConfigIssues.js"

export class BackupOptionsError extends Schema.TaggedError<BackupOptionsError>(
  "holter/Holter/BackupOptionsError"
)("BackupOptionsError", { issues: Schema.Array(ConfigIssue) }) {
  override get message(): string {
    return formatIssues("The options of backups are wrong:", this.issues).join("\n")
  }
}

const described = (description: string) => ({ description })

const whole = Schema.optional(
  Schema.Int.pipe(Schema.nonNegative(described("a whole number of at least 0")))
)

const Options = Schema.typeSchema(
  Schema.Struct({
    app: Schema.String.pipe(
      Schema.filter((name) => name.trim().length > 0, described("the name of the program"))
    ),
    keep: Schema.optional(ConfigField.count),
    daily: whole,
    weekly: whole,
    monthly: whole,
    yearly: whole,
    minimumFree: whole,
    copyPatience: Schema.optional(ConfigField.duration),
    lockPatience: Schema.optional(ConfigField.durationOrZero),
    timeZone: Schema.optional(
      Schema.String.pipe(
        Schema.filter(
          (name) => Option.isSome(DateTime.zoneFromString(name)),
          described("a time zone such as Europe/Berlin")
        )
      )
    )
  })
)

/** Code may write a duration in all the ways of Effect, and wait for ever; what is none is judged. */
const spanned = (value: unknown): unknown => {
  const isNumber = typeof value === "number"
  if (isNumber ? !(value >= 0) : value === undefined) return value
  return Option.match(Duration.decodeUnknown(value), {
    onNone: () => value,
    onSome: () => undefined
  })
}

/** Whether they can be used. */
export const check = (
  options: Readonly<Record<string, unknown>>
): Effect.Effect<void, BackupOptionsError> =>
  ParseResult.validateEither(Options, { errors: "all" })({
    ...options,
    copyPatience: spanned(options["copyPatience"]),
    lockPatience: spanned(options["lockPatience"])
  }).pipe(
    Effect.mapError(
      (issue) => new BackupOptionsError({ issues: ConfigIssues.fromParseIssue(issue, identity) })
    ),
    Effect.asVoid
  )
