/**
 * When a cron expression comes due, in a zone whose clock is set forward and back. Pure.
 *
 * effect's `Cron` reads expressions, and steps right where the clock is never set; in other zones its
 * `prev` throws for a time that is left out, and both skip the hour that comes again. So it steps in
 * UTC here, over what the clock on the wall shows, and that is brought to moments by these rules:
 *
 * - An expression that names hours, `30 2 * * *`, comes due once for each time that it names: of a time
 *   that is left out at the moment at which the clock is set, of one that comes twice the first time.
 * - One for every hour, `0,30 * * * *`, goes by the interval: it leaves nothing out and comes due in
 *   both hours of the same name.
 *
 * @internal
 */
import { Cron, DateTime, Either, Option } from "effect"
import * as WallTime from "./WallTime.js"

type Millis = WallTime.Millis

/** The first moment after this one at which it comes due. */
export const next = (cron: Cron.Cron, after: Millis): Millis => {
  const { momentsOf, walls, zone } = planOf(cron)
  const now = WallTime.at(after, zone)
  let best = Number.POSITIVE_INFINITY
  // What the clock shows again after it was set back may be before what it shows now.
  let wall = walls.after(now - WallTime.setBack(after, "after", zone))
  for (; ; wall = walls.after(wall)) {
    const found = momentsOf(wall).filter((moment) => moment > after)
    best = Math.min(best, ...found)
    if (wall > now && found.length > 0) return best
  }
}

/** The last moment, this one or before it, at which it came due. */
export const last = (cron: Cron.Cron, until: Millis): Millis => {
  const { momentsOf, walls, zone } = planOf(cron)
  const now = WallTime.at(until, zone)
  let best = Number.NEGATIVE_INFINITY
  let wall = walls.before(now + WallTime.setBack(until, "before", zone) + 1)
  for (; ; wall = walls.before(wall)) {
    const found = momentsOf(wall).filter((moment) => moment <= until)
    best = Math.max(best, ...found)
    if (wall <= now && found.length > 0) return best
  }
}

/** Whether it names a time that comes. */
export const comes = (cron: Cron.Cron): boolean =>
  Either.isRight(Either.try(() => planOf(cron).walls.after(0)))

interface Plan {
  readonly zone: DateTime.TimeZone
  /** When it comes due for what the clock shows. */
  readonly momentsOf: (wall: WallTime.Wall) => ReadonlyArray<Millis>
  readonly walls: {
    readonly after: (wall: WallTime.Wall) => WallTime.Wall
    readonly before: (wall: WallTime.Wall) => WallTime.Wall
  }
}

const planOf = (cron: Cron.Cron): Plan => {
  const { hours } = cron
  const utc: Cron.Cron = { ...cron, tz: Option.some(DateTime.zoneMakeOffset(0)) }
  const zone = Option.getOrElse(cron.tz, DateTime.zoneMakeLocal)
  const isHourly = hours.size === 0 || hours.size === 24
  return {
    zone,
    momentsOf: (wall) => (isHourly ? WallTime.moments(wall, zone) : [WallTime.moment(wall, zone)]),
    walls: {
      after: (wall) => Cron.next(utc, wall).getTime(),
      // It looks at whole seconds before the one that it is given.
      before: (wall) => Cron.prev(utc, Math.ceil(wall / 1000) * 1000).getTime()
    }
  }
}
