/**
 * Times and spans as a person types them: `2025-12-11 22:40`, `22:40`, `2 hours ago`, `90m`. Pure.
 *
 * What is written without a zone is in that of who types it, as are the times that pages show.
 */
import { DateTime, Duration, Option } from "effect"
import * as WallTime from "../../Common/WallTime.js"

/** For messages about something else. */
export const forms =
  'a time such as 22:40, "2025-12-11 22:40" (both as pages show them), 2025-12-11T22:40:00Z or "2 hours ago"'

/** The same of one that is yet to come. */
export const futureForms =
  'a time yet to come, such as 22:40, "2025-12-11 22:40" (both as pages show them) or 2025-12-11T22:40:00Z'

/** For messages about something else. */
export const spanForms = 'a span such as 2h, 90m, 1d or "30 minutes"'

/** A time that has been; a time of the day is the last one. */
export const past = (
  text: string,
  now: DateTime.Utc,
  zone: DateTime.TimeZone
): Option.Option<DateTime.Utc> => {
  const words = text.trim().toLowerCase()
  if (words === "now") return Option.some(now)
  const [, ago] = /^(.+?)\s+ago$/.exec(words) ?? []
  if (ago !== undefined) {
    return Option.map(span(ago), (duration) => DateTime.subtractDuration(now, duration))
  }
  const known = Option.filter(
    Option.orElse(dayTime(words, now, 0, zone), () => moment(text.trim(), zone)),
    (found) => !DateTime.greaterThan(found, now)
  )
  return Option.orElse(known, () => dayTime(words, now, -1, zone))
}

/** A time that is yet to come; a time of the day is the next one. */
export const future = (
  text: string,
  now: DateTime.Utc,
  zone: DateTime.TimeZone
): Option.Option<DateTime.Utc> => {
  const words = text.trim().toLowerCase()
  const known = Option.filter(
    Option.orElse(dayTime(words, now, 0, zone), () => moment(text.trim(), zone)),
    (found) => DateTime.greaterThan(found, now)
  )
  return Option.orElse(known, () => dayTime(words, now, 1, zone))
}

/** One number and one unit, or several of them: `2h`, `1h 30m`, `90 minutes`. */
export const span = (text: string): Option.Option<Duration.Duration> => {
  const words = text.trim().toLowerCase()
  if (!/^(?:\d+(?:\.\d+)?\s*[a-z]+\s*)+$/.test(words)) return Option.none()
  const parts = [...words.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)].map(
    ([, count = "", unit = ""]) => Number(count) * (millisOf(unit) ?? Number.NaN)
  )
  const millis = parts.reduce((sum, part) => sum + part, 0)
  // A hundred years: dates end, and nobody means it.
  return millis > 0 && millis <= 36_525 * 86_400_000
    ? Option.some(Duration.millis(millis))
    : Option.none()
}

const units: ReadonlyArray<readonly [RegExp, number]> = [
  [/^s(?:ec(?:ond)?s?)?$/, 1000],
  [/^m(?:in(?:ute)?s?)?$/, 60_000],
  [/^h(?:(?:ou)?rs?)?$/, 3_600_000],
  [/^d(?:ays?)?$/, 86_400_000],
  [/^w(?:eeks?)?$/, 7 * 86_400_000]
]

const millisOf = (unit: string): number | undefined =>
  units.find(([pattern]) => pattern.test(unit))?.[1]

const dayTimePattern = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/

const day = 86_400_000

/** On the day of now, so many days later, as the clock in the zone shows it. */
const dayTime = (
  words: string,
  now: DateTime.Utc,
  later: number,
  zone: DateTime.TimeZone
): Option.Option<DateTime.Utc> =>
  Option.map(
    Option.fromNullable(dayTimePattern.exec(words)),
    ([, hours = "", minutes = "", seconds = "0"]) => {
      const today = Math.floor(WallTime.at(now.epochMillis, zone) / day) + later
      const time = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
      return DateTime.unsafeMake(WallTime.moment(today * day + time * 1000, zone))
    }
  )

const moment = (text: string, zone: DateTime.TimeZone): Option.Option<DateTime.Utc> =>
  Option.map(WallTime.read(text), (written) => WallTime.toMoment(written, zone))
