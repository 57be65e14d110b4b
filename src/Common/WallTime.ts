/**
 * Times of the day in a zone, and the moments that they stand for. Pure.
 *
 * When the clock is set forward some times of the day are left out: such a time stands for the moment
 * at which the clock is set, as cron daemons take it. When it is set back some come twice.
 *
 * @internal
 */
import { DateTime, Option } from "effect"

/** Milliseconds, as if the clock on the wall were UTC's. */
export type Wall = number
export type Millis = number

/** What the clock shows at this moment. */
export const at = (moment: Millis, zone: DateTime.TimeZone): Wall => moment + offset(moment, zone)

/**
 * When the clock shows this: once, twice, or never. No zone is a day from UTC, and none sets its clock
 * twice within two.
 */
export const moments = (wall: Wall, zone: DateTime.TimeZone): ReadonlyArray<Millis> => {
  const [before, after] = [offset(wall - day, zone), offset(wall + day, zone)]
  if (before === after) return [wall - before]
  return [wall - before, wall - after]
    .filter((moment) => at(moment, zone) === wall)
    .sort((one, other) => one - other)
}

/** The moment that it stands for; of two the first or the last. */
export const moment = (
  wall: Wall,
  zone: DateTime.TimeZone,
  of: "first" | "last" = "first"
): Millis => {
  const all = moments(wall, zone)
  return (of === "first" ? all[0] : all.at(-1)) ?? changeAround(wall, zone)
}

/** How far the clock is set back within a day after this moment, or was within a day before it. */
export const setBack = (
  moment: Millis,
  side: "before" | "after",
  zone: DateTime.TimeZone
): Millis => {
  const [from, to] = side === "before" ? [moment - day, moment] : [moment, moment + day]
  return Math.max(0, offset(from, zone) - offset(to, zone))
}

/** What a text without a zone of its own may look like. */
export const forms = '2026-05-01T22:00:00Z, 2026-05-01T22:00:00+02:00 or "2026-05-01 22:00"'

export interface Written {
  readonly wall: Wall
  /** The offset that the text names itself. */
  readonly offset: Millis | undefined
}

/** A date, and a time where there is one: `2026-05-01 22:00`, `2026-05-01T22:00:00.5+02:00`. */
export const read = (text: string): Option.Option<Written> =>
  Option.gen(function* () {
    const found = yield* Option.fromNullable(pattern.exec(text.trim()))
    const [, date = "", time = "00:00", seconds = ":00", zone] = found
    const written = yield* DateTime.make(`${date}T${time}${seconds}Z`)
    // JavaScript takes the 31st of February for the third of March, and 24:00 for the next day.
    if (!DateTime.formatIso(written).startsWith(`${date}T${time}`)) return yield* Option.none()
    const wall = written.epochMillis
    if (zone === undefined) return { wall, offset: undefined }
    const moment = yield* DateTime.make(`${date}T${time}${seconds}${zone.toUpperCase()}`)
    return { wall, offset: wall - moment.epochMillis }
  })

/** The moment that a text stands for: by its own offset, or in the zone. */
export const toMoment = (
  { offset: own, wall }: Written,
  zone: DateTime.TimeZone,
  of: "first" | "last" = "first"
): DateTime.Utc => DateTime.unsafeMake(own === undefined ? moment(wall, zone, of) : wall - own)

/** The zone of who names none. */
export const utc: DateTime.TimeZone = DateTime.zoneMakeOffset(0)

/** `2025-12-11 03:00:00`, for where the zone stands beside it. */
export const digits = (moment: Millis, zone: DateTime.TimeZone): string =>
  DateTime.formatIso(DateTime.unsafeMake(at(moment, zone)))
    .slice(0, 19)
    .replace("T", " ")

/** `2025-12-11 03:00:00 UTC`, `2025-12-11 04:00:00 +01:00`: true wherever it is read. */
export const shown = (moment: Millis, zone: DateTime.TimeZone): string => {
  const minutes = Math.round(offset(moment, zone) / 60_000)
  const two = (count: number) => String(count).padStart(2, "0")
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  const suffix = minutes === 0 ? "UTC" : `${minutes < 0 ? "-" : "+"}${two(hours)}:${two(rest)}`
  return `${digits(moment, zone)} ${suffix}`
}

/** The zone itself, for the head of a column. */
export const nameOf = (zone: DateTime.TimeZone): string => {
  const name = DateTime.zoneToString(zone)
  return /^(?:Etc\/)?(?:UTC|UCT|GMT|Universal|Zulu)$|^\+00:00$/.test(name) ? "UTC" : name
}

const pattern =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,9})?)?)?\s*(Z|[+-]\d{2}:\d{2})?$/i

const day = 86_400_000

const offset = (moment: Millis, zone: DateTime.TimeZone): Millis =>
  DateTime.zonedOffset(DateTime.unsafeMakeZoned(moment, { timeZone: zone }))

/** When the clock is set, for a time that is left out: by halves, to the millisecond. */
const changeAround = (wall: Wall, zone: DateTime.TimeZone): Millis => {
  let before = wall - day
  let after = wall + day
  const old = offset(before, zone)
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (offset(middle, zone) === old) before = middle
    else after = middle
  }
  return after
}
