/**
 * Times and spans as a person types them: `2025-12-11 22:40`, `22:40`, `2 hours ago`, `90m`. Pure.
 *
 * What is written without a zone is UTC, as every time that Holter shows.
 */
import { DateTime, Duration, Option } from "effect"
import * as WallTime from "../../Common/WallTime.js"

/** For messages about something else. */
export const forms = 'a time such as 22:40, 2025-12-11T22:40:00Z (both UTC) or "2 hours ago"'

/** For messages about something else. */
export const spanForms = 'a span such as 2h, 90m, 1d or "30 minutes"'

/** A time that has been; a time of the day is the last one. */
export const past = (text: string, now: DateTime.Utc): Option.Option<DateTime.Utc> => {
  const words = text.trim().toLowerCase()
  if (words === "now") return Option.some(now)
  const [, ago] = /^(.+?)\s+ago$/.exec(words) ?? []
  if (ago !== undefined) {
    return Option.map(span(ago), (duration) => DateTime.subtractDuration(now, duration))
  }
  const time = Option.orElse(dayTime(words, now), () => moment(text.trim()))
  return Option.flatMap(time, (found) => {
    if (!DateTime.greaterThan(found, now)) return Option.some(found)
    return isDayTime(words) ? Option.some(DateTime.subtract(found, { days: 1 })) : Option.none()
  })
}

/** A time that is yet to come; a time of the day is the next one. */
export const future = (text: string, now: DateTime.Utc): Option.Option<DateTime.Utc> => {
  const words = text.trim().toLowerCase()
  const time = Option.orElse(dayTime(words, now), () => moment(text.trim()))
  return Option.flatMap(time, (found) => {
    if (DateTime.greaterThan(found, now)) return Option.some(found)
    return isDayTime(words) ? Option.some(DateTime.add(found, { days: 1 })) : Option.none()
  })
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

const isDayTime = (words: string): boolean => dayTimePattern.test(words)

const dayTime = (words: string, now: DateTime.Utc): Option.Option<DateTime.Utc> =>
  Option.map(
    Option.fromNullable(dayTimePattern.exec(words)),
    ([, hours = "", minutes = "", seconds = "0"]) =>
      DateTime.setPartsUtc(now, {
        hours: Number(hours),
        minutes: Number(minutes),
        seconds: Number(seconds),
        millis: 0
      })
  )

const moment = (text: string): Option.Option<DateTime.Utc> =>
  Option.map(WallTime.read(text), (written) =>
    WallTime.toMoment(written, DateTime.zoneMakeOffset(0))
  )
