/**
 * Spans of time as people write them, in configurations, flags and code: `10s`, `1h 30m`, `90 minutes`,
 * `800 millis`. The one grammar of Holter; `Common/Format` writes what it reads.
 */
import { Duration, Option } from "effect"

/** For messages. */
export const forms = 'a span such as 10s, 90m, "1h 30m" or "30 minutes"'

/** None where a number has no unit, and where there is none: nobody remembers whether `10` means seconds. */
export const parse = (text: string): Option.Option<Duration.Duration> => {
  const words = text.trim().toLowerCase()
  if (!whole.test(words)) return Option.none()
  const millis = [...words.matchAll(part)].reduce(
    (sum, [, count = "", unit = ""]) => sum + Number(count) * (millisOf.get(unit) ?? Number.NaN),
    0
  )
  return Number.isFinite(millis) ? Option.some(Duration.millis(millis)) : Option.none()
}

/** Of a configuration that may be from a file or from code. A number has no unit. */
export const fromUnknown = (input: unknown): Option.Option<Duration.Duration> => {
  if (typeof input === "string") return parse(input)
  if (typeof input === "number") return Option.none()
  return Option.filter(Duration.decodeUnknown(input), Duration.isFinite)
}

const whole = /^(?:\d+(?:\.\d+)?\s*[a-z]+\s*)+$/
const part = /(\d+(?:\.\d+)?)\s*([a-z]+)/g

const units: ReadonlyArray<readonly [millis: number, names: ReadonlyArray<string>]> = [
  [1e-6, ["ns", "nano", "nanos"]],
  [1e-3, ["us", "micro", "micros"]],
  [1, ["ms", "milli", "millis", "millisecond", "milliseconds"]],
  [1000, ["s", "sec", "secs", "second", "seconds"]],
  [60_000, ["m", "min", "mins", "minute", "minutes"]],
  [3_600_000, ["h", "hr", "hrs", "hour", "hours"]],
  [86_400_000, ["d", "day", "days"]],
  [7 * 86_400_000, ["w", "week", "weeks"]]
]

const millisOf = new Map(
  units.flatMap(([millis, all]) => all.map((name) => [name, millis] as const))
)

/** The grammar for editors, which know it from the JSON Schema. */
export const pattern = `^(\\d+(\\.\\d+)? *(${[...millisOf.keys()].join("|")}) *)+$`
