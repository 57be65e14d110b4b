/**
 * Sizes, counts and times as the pages on backups show them. Pure.
 */
import { DateTime } from "effect"

export { bytes } from "../../Common/Sizes.js"

/** `48,210`. */
export const count = (value: number): string => String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ",")

/** `1 table`, `12 tables`. */
export const many = (value: number, thing: string): string =>
  `${count(value)} ${thing}${value === 1 ? "" : "s"}`

/** A span in seconds by its largest unit: `45 s`, `5 h`, `12 days`. */
export const span = (seconds: number): string => {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`
  if (seconds < 3570) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600 - 1800) return `${Math.round(seconds / 3600)} h`
  return `${count(Math.round(seconds / 86_400))} days`
}

/** `5 h ago`; a clock that was wrong leaves times that are yet to come. */
export const ago = (time: DateTime.Utc, now: DateTime.Utc): string => {
  const seconds = (now.epochMillis - time.epochMillis) / 1000
  if (seconds < -60) return `in ${span(-seconds)}`
  return seconds < 1 ? "just now" : `${span(seconds)} ago`
}
