/**
 * The zone in which a person reads and types times on the command line: `alerts.timeZone`, else that of
 * the machine (`TZ`).
 */
import { DateTime, Effect, Option, Predicate } from "effect"
import * as ConfigFile from "./ConfigFile.js"

/** For flags that are read before the configuration. What is wrong in the file is told by whoever needs it. */
export const load = (flag: Option.Option<string>) =>
  ConfigFile.load(flag).pipe(
    Effect.map(Option.map(({ content }) => content)),
    Effect.orElseSucceed(() => Option.none()),
    Effect.flatMap((content) => of(Option.getOrUndefined(content)))
  )

/** The zone that a file names which was read. */
export const of = (content: unknown): Effect.Effect<DateTime.TimeZone> => {
  const alerts = Predicate.isRecord(content) ? content["alerts"] : undefined
  const timeZone = Predicate.isRecord(alerts) ? alerts["timeZone"] : undefined
  return named(typeof timeZone === "string" ? timeZone : undefined)
}

/** The zone of a name that is right, if there is one. */
export const named = (timeZone: string | undefined): Effect.Effect<DateTime.TimeZone> =>
  orMachine(Option.flatMap(Option.fromNullable(timeZone), DateTime.zoneFromString))

const orMachine = (found: Option.Option<DateTime.TimeZone>): Effect.Effect<DateTime.TimeZone> =>
  Option.match(found, {
    onNone: () => Effect.sync(() => DateTime.zoneMakeLocal()),
    onSome: Effect.succeed
  })
