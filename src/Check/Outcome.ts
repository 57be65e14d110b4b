/**
 * What a probe reports when the service answered: it is well, or it is up but reduced. That a
 * service did not answer is not an outcome but an error of the probe.
 */
import { Data } from "effect"

/** A value that JSON can carry. */
export type Json =
  | string
  | number
  | boolean
  | null
  | ReadonlyArray<Json>
  | { readonly [key: string]: Json }

/**
 * Facts for the reader of a result. Names are snake_case and carry their unit: they go on the
 * wire as they are.
 */
export type Details = { readonly [key: string]: Json }

export type Outcome = Data.TaggedEnum<{
  /** The service does what it should. */
  Healthy: Report
  /** The service answers, but slowly, partly or near a limit. */
  Degraded: Report
}>

export interface Report {
  /** One sentence for a person, such as `Database connection OK`. */
  readonly message: string
  readonly details: Details
  /** What a short line puts in brackets: `Telegram API accessible (@my_bot)`. */
  readonly note: string | undefined
}

interface ReportOptions {
  readonly details?: Details
  readonly note?: string | undefined
}

const Outcome = Data.taggedEnum<Outcome>()

export const healthy = (message: string, options: ReportOptions = {}): Outcome =>
  Outcome.Healthy({ message, details: options.details ?? {}, note: options.note })

export const degraded = (message: string, options: ReportOptions = {}): Outcome =>
  Outcome.Degraded({ message, details: options.details ?? {}, note: options.note })
