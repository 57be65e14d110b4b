/** When something is to be done: cron expressions that name a time that comes. */
import { Cron, type DateTime, Either, Schema } from "effect"
import * as CronTime from "../../Common/CronTime.js"

/** The expression is none, names a time that never comes, or the time zone is not known. */
export class BackupScheduleError extends Schema.TaggedError<BackupScheduleError>(
  "holter/Backup/BackupScheduleError"
)("BackupScheduleError", {
  reason: Schema.Literal("Malformed", "Never"),
  expression: Schema.String,
  found: Schema.String
}) {
  override get message(): string {
    return (
      `The schedule ${JSON.stringify(this.expression)} cannot be used: expected minute, hour, day, ` +
      `month and weekday, as in "0 3 * * *", and a time zone, as in Europe/Berlin; found ${this.found}.`
    )
  }
}

/**
 * Reads a cron expression, in UTC unless a time zone is given.
 *
 * @example
 * import { BackupSchedule } from "holter"
 *
 * BackupSchedule.parse("0 3 * * *", "Europe/Berlin")
 */
export const parse = (
  expression: string,
  timeZone: DateTime.TimeZone | string = "UTC"
): Either.Either<Cron.Cron, BackupScheduleError> =>
  Cron.parse(expression, timeZone).pipe(
    Either.mapLeft(
      ({ message }) => new BackupScheduleError({ reason: "Malformed", expression, found: message })
    ),
    Either.filterOrLeft(
      CronTime.comes,
      () =>
        new BackupScheduleError({ reason: "Never", expression, found: "a time that never comes" })
    )
  )
