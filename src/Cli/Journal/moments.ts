/**
 * Points of time in milliseconds, as pages and documents on the journal show them. Pure.
 */
import { DateTime } from "effect"
import * as WallTime from "../../Common/WallTime.js"

export const iso = (millis: number): string => DateTime.formatIso(DateTime.unsafeMake(millis))

/** How the zone of who reads shows a point of time in ISO 8601 that one of these wrote. */
export const shownIn =
  (zone: DateTime.TimeZone) =>
  (iso: string): string =>
    WallTime.shown(millisOf(iso), zone)

/** Of a time in ISO 8601 that one of these wrote. */
export const millisOf = (text: string): number => DateTime.unsafeMake(text).epochMillis
