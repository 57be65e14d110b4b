/**
 * Sizes, counts, shares and spans of time as people read them, one way for each. Pure: the child process for
 * SQLite uses it as well. `Common/SpanText` reads the spans that are written here.
 */
import { Duration } from "effect"

/** `41 MB`, in powers of a thousand, as disks are sold and `df -H` counts. Never rounded up to a limit. */
export const bytes = (count: number): string => {
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value < 10 && unit > 0 ? tenths(value) : Math.floor(value)} ${units[unit]}`
}

const units = ["B", "kB", "MB", "GB", "TB", "PB"]

const tenths = (value: number): number => Math.floor(value * 10) / 10

/** `48,210`. */
export const count = (value: number): string => String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ",")

/** `1 table`, `12 tables`, `3 losses`. */
export const many = (value: number, thing: string): string =>
  `${count(value)} ${thing}${value === 1 ? "" : thing.endsWith("s") ? "es" : "s"}`

/** `45 %`; with a decimal where a whole number would say too little. Never rounded up to a limit. */
export const percent = (value: number): string =>
  `${Math.abs(value) < 10 ? tenths(value) : Math.floor(value)} %`

/** A span by its two largest units: `1h 5m`, `45s`, `350ms`. `padded` names the second also where it is zero. */
export const span = (duration: Duration.DurationInput, { padded = false } = {}): string => {
  const millis = Duration.toMillis(duration)
  if (millis < second && !padded) return `${Math.round(millis)}ms`
  const parts = partsOf(Math.max(0, millis))
  const first = parts.findIndex(([value]) => value > 0)
  const shown = parts.slice(first === -1 ? parts.length - 1 : first).slice(0, 2)
  return shown
    .filter(([value], index) => padded || index === 0 || value > 0)
    .map(([value, unit]) => `${value}${unit}`)
    .join(" ")
}

/** A span by its largest unit, rounded: `45s`, `5m`, `26h`, `12d`. */
export const about = (duration: Duration.DurationInput): string => {
  const seconds = Duration.toMillis(duration) / second
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))}s`
  if (seconds < 3570) return `${Math.round(seconds / 60)}m`
  if (seconds < 48 * 3600 - 1800) return `${Math.round(seconds / 3600)}h`
  return `${count(Math.round(seconds / 86_400))}d`
}

/** `5h ago`; a clock that was wrong leaves times that are yet to come. */
export const ago = (millis: number, now: number): string => {
  const passed = now - millis
  if (passed < -60 * second) return `in ${about(-passed)}`
  return passed < second ? "just now" : `${about(passed)} ago`
}

/** A time that was measured: `350 ms`, `2 s`, `29.75 s`. */
export const measured = (duration: Duration.DurationInput): string => {
  const whole = Math.round(Duration.toMillis(duration))
  return whole < second ? `${whole} ms` : `${Number((whole / second).toFixed(2))} s`
}

const second = 1000

const partsOf = (millis: number): ReadonlyArray<readonly [value: number, unit: string]> => {
  const seconds = Math.floor(millis / second)
  return [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor((seconds % 86_400) / 3600), "h"],
    [Math.floor((seconds % 3600) / 60), "m"],
    [seconds % 60, "s"]
  ]
}
