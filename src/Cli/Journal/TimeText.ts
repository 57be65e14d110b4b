/**
 * Times and spans as a person types them: `2025-12-11 22:40`, `22:40`, `2 hours ago`, `90m`. Pure.
 *
 * What is written without a zone is in that of who types it, as are the times that pages show. Of a time
 * that comes twice, since the clock is set back, the one that is next to now is meant.
 */
import { Array as Arr, DateTime, Duration, Option } from "effect"
import * as SpanText from "../../Common/SpanText.js"
import * as WallTime from "../../Common/WallTime.js"

/** For messages about something else. */
export const forms =
  'a time such as 22:40, "2025-12-11 22:40" (both as pages show them), 2025-12-11T22:40:00Z or "2 hours ago"'

/** The same of one that is yet to come. */
export const futureForms =
  'a time yet to come, such as 22:40, "2025-12-11 22:40" (both as pages show them) or 2025-12-11T22:40:00Z'

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
  const been = (times: Moments) => Arr.findLast(times, (found) => found <= now.epochMillis)
  return Option.map(
    Option.orElse(been(written(text, words, now, zone)), () => been(dayTime(words, now, -1, zone))),
    (found) => DateTime.unsafeMake(found)
  )
}

/** A time that is yet to come; a time of the day is the next one. */
export const future = (
  text: string,
  now: DateTime.Utc,
  zone: DateTime.TimeZone
): Option.Option<DateTime.Utc> => {
  const words = text.trim().toLowerCase()
  const toCome = (times: Moments) => Arr.findFirst(times, (found) => found > now.epochMillis)
  return Option.map(
    Option.orElse(toCome(written(text, words, now, zone)), () =>
      toCome(dayTime(words, now, 1, zone))
    ),
    (found) => DateTime.unsafeMake(found)
  )
}

/** A span to reach into the past or the future with. */
export const span = (text: string): Option.Option<Duration.Duration> =>
  // A hundred years: dates end, and nobody means it.
  Option.filter(
    SpanText.parse(text),
    Duration.between({ minimum: "1 nano", maximum: "36525 days" })
  )

const dayTimePattern = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/

const day = 86_400_000

/** In milliseconds, in their order: an hour of the night in which the clock is set back comes twice. */
type Moments = ReadonlyArray<number>

/** The moments that a text may stand for; a time of the day is of today. */
const written = (
  text: string,
  words: string,
  now: DateTime.Utc,
  zone: DateTime.TimeZone
): Moments => {
  const today = dayTime(words, now, 0, zone)
  return today.length > 0 ? today : dated(text.trim(), zone)
}

/** On the day of now, so many days later, as the clock in the zone shows it. */
const dayTime = (
  words: string,
  now: DateTime.Utc,
  later: number,
  zone: DateTime.TimeZone
): Moments => {
  const found = dayTimePattern.exec(words)
  if (found === null) return []
  const [, hours = "", minutes = "", seconds = "0"] = found
  const today = Math.floor(WallTime.at(now.epochMillis, zone) / day) + later
  const time = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  return both((of) => WallTime.moment(today * day + time * 1000, zone, of))
}

const dated = (text: string, zone: DateTime.TimeZone): Moments =>
  Option.match(WallTime.read(text), {
    onNone: () => [],
    onSome: (read) => both((of) => WallTime.toMoment(read, zone, of).epochMillis)
  })

const both = (moment: (of: "first" | "last") => number): Moments => [
  ...new Set([moment("first"), moment("last")])
]
