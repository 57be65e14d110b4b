/**
 * The zone in which a person reads and types times on the command line: `alerts.timeZone`, else that of
 * the machine (`TZ`).
 */
import { DateTime, Effect, Option, Predicate } from "effect"
import * as ConfigFile from "./ConfigFile.js"

/** What is wrong in the file is told by whoever needs it. */
export const load = (flag: Option.Option<string>) =>
  ConfigFile.load(flag).pipe(
    Effect.map(Option.flatMap(({ content }) => named(content))),
    Effect.orElseSucceed(() => Option.none<DateTime.TimeZone>()),
    Effect.flatMap(orMachine)
  )

/** The same where the section was read. */
export const of = (timeZone: string | undefined): Effect.Effect<DateTime.TimeZone> =>
  orMachine(Option.flatMap(Option.fromNullable(timeZone), DateTime.zoneFromString))

const named = (content: unknown): Option.Option<DateTime.TimeZone> => {
  const alerts = Predicate.isRecord(content) ? content["alerts"] : undefined
  const timeZone = Predicate.isRecord(alerts) ? alerts["timeZone"] : undefined
  return typeof timeZone === "string" ? DateTime.zoneFromString(timeZone) : Option.none()
}

const orMachine = (found: Option.Option<DateTime.TimeZone>): Effect.Effect<DateTime.TimeZone> =>
  Option.match(found, {
    onNone: () => Effect.sync(() => DateTime.zoneMakeLocal()),
    onSome: Effect.succeed
  })
