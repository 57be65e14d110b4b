/**
 * How long a server asks to be left alone.
 *
 * @internal
 */
import { DateTime, Duration, Option } from "effect"

/** What asks for more is not believed: a check that sleeps for a month checks nothing. */
const longest = Duration.days(1)

/** Retry-After as seconds or as an HTTP date; anything else counts as not there. */
export const retryAfter = (
  header: string | undefined,
  nowMillis: number
): Duration.Duration | undefined => {
  const text = header?.trim() ?? ""
  if (/^\d+$/.test(text)) return capped(Number(text) * 1000)
  const at = httpDate(text)
  return at === undefined ? undefined : capped(at - nowMillis)
}

/** The time of an HTTP date, in milliseconds, in any of the three forms that HTTP knows. */
export const httpDate = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/.test(text)
  const stamped = /^[A-Z][a-z]{2,8}, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d:\d\d:\d\d GMT$/.test(
    text
  )
  if (!asctime && !stamped) return undefined
  // `DateTime` knows zones as offsets only.
  const utc = `${text.replace(/ GMT$/, "")} +00:00`
  return Option.getOrUndefined(Option.map(DateTime.make(utc), DateTime.toEpochMillis))
}

const capped = (millis: number): Duration.Duration =>
  Duration.clamp(Duration.millis(Math.max(0, millis)), {
    minimum: Duration.zero,
    maximum: longest
  })
