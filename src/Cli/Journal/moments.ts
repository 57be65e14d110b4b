/**
 * Points of time in milliseconds, as pages and documents on the journal show them. Pure.
 */
import { DateTime } from "effect"
import * as Amounts from "../Backup/Amounts.js"

export const iso = (millis: number): string => DateTime.formatIso(DateTime.unsafeMake(millis))

/** `2025-12-11 03:00:00`, in UTC. */
export const shown = (millis: number): string => Amounts.time(DateTime.unsafeMake(millis))

/** `5 h`, for a span in milliseconds. */
export const lasting = (millis: number): string => Amounts.span(millis / 1000)

/** `5 h ago`. */
export const ago = (then: number, now: number): string =>
  Amounts.ago(DateTime.unsafeMake(then), DateTime.unsafeMake(now))

/** Of a time in ISO 8601 that one of these wrote. */
export const millisOf = (text: string): number => DateTime.unsafeMake(text).epochMillis
