/**
 * Maintenance windows: once, or again and again by a cron expression in a time zone. Pure: a window
 * says whether it is open and when that changes; the alert policy hears of it by events.
 */
import { Cron, DateTime, Duration, Either, Option, Schema } from "effect"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as CronTime from "../Common/CronTime.js"
import * as WallTime from "../Common/WallTime.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as ConfigIssues from "../Plugin/ConfigIssues.js"
import type { Event } from "./AlertPolicy/Event.js"

/**
 * A window as a configuration describes it. `schedule` says when it opens, by cron in `timeZone`
 * (UTC by default), and `duration` how long it stays open; or `from` and `until` open it once, in
 * `timeZone` where they name no zone themselves.
 */
export const Settings = Schema.Struct({
  name: Schema.NonEmptyString,
  /** All services where none are named. */
  services: Schema.optional(Schema.Array(Schema.String)),
  schedule: Schema.optional(Schema.String),
  timeZone: Schema.optional(Schema.String),
  duration: Schema.optional(ConfigField.duration),
  from: Schema.optional(Schema.String),
  until: Schema.optional(Schema.String)
})

export type Settings = typeof Settings.Type

export interface Window {
  readonly name: string
  readonly services: ReadonlyArray<string> | null
  /** The opening in which this moment lies, if there is one. */
  readonly openAt: (time: DateTime.Utc) => Option.Option<Opening>
  /** The next time after this one at which it opens or closes. */
  readonly nextChange: (time: DateTime.Utc) => Option.Option<DateTime.Utc>
}

/** From the first moment to the last, which is not part of it. */
export interface Opening {
  readonly from: DateTime.Utc
  readonly until: DateTime.Utc
}

/** The window, or everything that is wrong with it. */
export const make = (
  settings: Settings,
  path: ReadonlyArray<string> = [],
  services?: ReadonlyArray<string>
): Either.Either<Window, ReadonlyArray<ConfigIssue>> => {
  const unknown = (settings.services ?? []).flatMap((name, index): ReadonlyArray<ConfigIssue> => {
    if (services === undefined || services.includes(name)) return []
    const expected = `the name of a check (known: ${services.join(", ")})`
    return [{ path: [...path, "services", String(index)], expected, found: quoted(name) }]
  })
  const times = settings.schedule === undefined ? once(settings, path) : recurring(settings, path)
  const problems = [...unknown, ...(Either.isLeft(times) ? times.left : [])]
  if (Either.isLeft(times) || problems.length > 0) return Either.left(problems)
  return Either.right({
    name: settings.name,
    services: settings.services ?? null,
    ...times.right
  })
}

/**
 * What the alert policy hears at this moment: of windows that are open and that it does not know to
 * be, and of those that it knows and that are not. `known` are the ids of its maintenances that
 * came from windows.
 */
export const events = (
  windows: ReadonlyArray<Window>,
  known: ReadonlySet<string>,
  time: DateTime.Utc
): ReadonlyArray<Event> => {
  const at = time.epochMillis
  const open = windows.flatMap((window) =>
    Option.toArray(
      Option.map(
        harmless(() => window.openAt(time)),
        (opening) => ({ id: idOf(window), opening, window })
      )
    )
  )
  return [
    ...open
      .filter(({ id }) => !known.has(id))
      .map(
        ({ id, opening, window }): Event => ({
          _tag: "MaintenanceStarted",
          at,
          id,
          services: window.services,
          until: opening.until.epochMillis,
          why: window.name
        })
      ),
    ...[...known]
      .filter((id) => isWindow(id) && !open.some((one) => one.id === id))
      .map((id): Event => ({ _tag: "MaintenanceEnded", at, id }))
  ]
}

/**
 * Whether the maintenance of this id is a window of the configuration, and not what somebody started
 * by hand.
 */
export const isWindow = (id: string): boolean => id.startsWith(prefix)

/** When `events` must be asked again. */
export const nextChange = (
  windows: ReadonlyArray<Window>,
  time: DateTime.Utc
): Option.Option<DateTime.Utc> => {
  const changes = windows.flatMap((window) =>
    Option.toArray(harmless(() => window.nextChange(time)))
  )
  return changes.length === 0
    ? Option.none()
    : Option.some(changes.reduce((one, other) => DateTime.min(one, other)))
}

/** A window that a program makes may throw: it is closed then, and the others are as they are. */
const harmless = <A>(look: () => Option.Option<A>): Option.Option<A> =>
  Either.getOrElse(Either.try(look), () => Option.none())

const prefix = "window:"
const idOf = (window: Window): string => `${prefix}${window.name}`

type Times = Pick<Window, "openAt" | "nextChange">
type Checked<A> = Either.Either<A, ReadonlyArray<ConfigIssue>>

const quoted = (text: string): string => ConfigIssues.show(text, (same) => same)

const wrong = (
  path: ReadonlyArray<string>,
  expected: string,
  found: string | undefined
): ConfigIssue => ({ path, expected, found: found === undefined ? "nothing" : quoted(found) })

const times = `a time such as ${WallTime.forms}, the last in \`timeZone\``

const once = (settings: Settings, path: ReadonlyArray<string>): Checked<Times> => {
  const { duration, timeZone } = settings
  const zone = zoneOf(settings)
  const read = (field: "from" | "until") =>
    Option.flatMap(Option.fromNullable(settings[field]), WallTime.read)
  const [from, until] = [read("from"), read("until")]
  const later = `a time after \`from\`, such as ${WallTime.forms}`
  const fromExpected = `${times} (or a cron expression as \`schedule\`)`
  const problems = [
    ...(Option.isNone(from) ? [wrong([...path, "from"], fromExpected, settings.from)] : []),
    ...(Option.isNone(until) ? [wrong([...path, "until"], later, settings.until)] : []),
    ...(duration === undefined
      ? []
      : [unused(path, "duration", "`from` and `until` say how long it is open", duration)]),
    ...wrongZone(zone, path, timeZone),
    ...(timeZone !== undefined && [from, until].every(namesZone)
      ? [unused(path, "timeZone", "`from` and `until` name their own", timeZone)]
      : [])
  ]
  if (Option.isNone(from) || Option.isNone(until) || Option.isNone(zone) || problems.length > 0) {
    return Either.left(problems)
  }
  // Of an hour that comes twice it has both.
  const opening = {
    from: WallTime.toMoment(from.value, zone.value, "first"),
    until: WallTime.toMoment(until.value, zone.value, "last")
  }
  if (DateTime.lessThanOrEqualTo(opening.until, opening.from)) {
    return Either.left([wrong([...path, "until"], later, settings.until)])
  }
  return Either.right({
    openAt: (time) => Option.liftPredicate(opening, (one) => contains(one, time)),
    nextChange: (time) =>
      Option.fromNullable(
        [opening.from, opening.until].find((change) => DateTime.greaterThan(change, time))
      )
  })
}

const zoneOf = ({ timeZone = "UTC" }: Settings): Option.Option<DateTime.TimeZone> =>
  DateTime.zoneFromString(timeZone)

const wrongZone = (
  zone: Option.Option<DateTime.TimeZone>,
  path: ReadonlyArray<string>,
  found: string | undefined
): ReadonlyArray<ConfigIssue> =>
  Option.isSome(zone)
    ? []
    : [wrong([...path, "timeZone"], "a time zone such as Europe/Berlin", found)]

const namesZone = (read: Option.Option<WallTime.Written>): boolean =>
  Option.exists(read, ({ offset }) => offset !== undefined)

const unused = (
  path: ReadonlyArray<string>,
  field: string,
  why: string,
  found: unknown
): ConfigIssue => ({
  path: [...path, field],
  expected: `nothing, as ${why}`,
  found: ConfigIssues.show(found, (same) => same)
})

const recurring = (settings: Settings, path: ReadonlyArray<string>): Checked<Times> => {
  const { duration, schedule = "", timeZone } = settings
  const zone = zoneOf(settings)
  // The expression is looked at although the zone is wrong, so that both are told.
  const cron = Cron.parse(
    schedule,
    Option.getOrElse(zone, () => DateTime.zoneMakeOffset(0))
  )
  const problems = [
    ...(Either.isLeft(cron) || !CronTime.comes(cron.right)
      ? [
          wrong(
            [...path, "schedule"],
            `a cron expression for times that exist, such as "0 3 * * 0"${Either.isLeft(cron) ? ` (${cron.left.message})` : ""}`,
            schedule
          )
        ]
      : []),
    ...wrongZone(zone, path, timeZone),
    ...(["from", "until"] as const).flatMap((field) =>
      settings[field] === undefined
        ? []
        : [unused(path, field, "`schedule` says when it opens", settings[field])]
    ),
    ...(duration === undefined
      ? [wrong([...path, "duration"], 'a duration such as "1 hour"', undefined)]
      : [])
  ]
  if (Either.isLeft(cron) || duration === undefined || problems.length > 0) {
    return Either.left(problems)
  }
  const span = Duration.decode(duration)
  const openingBefore = (time: DateTime.Utc): Opening => {
    const from = DateTime.unsafeMake(CronTime.last(cron.right, time.epochMillis))
    return { from, until: DateTime.addDuration(from, span) }
  }
  return Either.right({
    openAt: (time) => Option.liftPredicate(openingBefore(time), (one) => contains(one, time)),
    nextChange: (time) => {
      const opens = DateTime.unsafeMake(CronTime.next(cron.right, time.epochMillis))
      const { until } = openingBefore(time)
      return Option.some(DateTime.greaterThan(until, time) ? DateTime.min(opens, until) : opens)
    }
  })
}

const contains = ({ from, until }: Opening, time: DateTime.Utc): boolean =>
  DateTime.greaterThanOrEqualTo(time, from) && DateTime.lessThan(time, until)
