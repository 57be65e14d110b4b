/**
 * The verdict of a run, and whether another one is news to whoever was told the last. Pure.
 */
import { Option, Schema } from "effect"
import { Status } from "../Check/CheckResult.js"
import type { StatusSummary } from "../Monitor/StatusSummary.js"

export const Verdict = Schema.Struct({
  overall_status: Status,
  services: Schema.Record({ key: Schema.String, value: Status })
})

export type Verdict = typeof Verdict.Type

export const fromSummary = (summary: StatusSummary): Verdict => ({
  overall_status: summary.overall_status,
  services: Object.fromEntries(
    Object.entries(summary.services).map(([name, service]) => [name, service.status])
  )
})

export const same = Schema.equivalence(Verdict)

/**
 * Whether somebody has to be told: the first time when something is wrong, later when the overall
 * status or that of a service is another. A service that joins and is healthy is no news.
 */
export const isNews = (before: Option.Option<Verdict>, now: Verdict): boolean =>
  Option.match(before, {
    onNone: () => now.overall_status !== "healthy",
    onSome: (last) =>
      last.overall_status !== now.overall_status ||
      [...new Set([...Object.keys(last.services), ...Object.keys(now.services)])].some((name) => {
        const was = statusOf(last, name)
        const is = statusOf(now, name)
        return was !== is && !(was === "unknown" && is === "healthy")
      })
  })

/** The services that were checked last time and now are not, by name. */
export const lost = (before: Option.Option<Verdict>, now: Verdict): ReadonlyArray<string> =>
  Option.match(before, {
    onNone: () => [],
    onSome: (last) =>
      Object.keys(last.services).filter(
        (name) => statusOf(last, name) !== "unknown" && statusOf(now, name) === "unknown"
      )
  })

/** The services that were degraded or unhealthy last time and now are healthy, by name. */
export const recovered = (before: Option.Option<Verdict>, now: Verdict): ReadonlyArray<string> =>
  Option.match(before, {
    onNone: () => [],
    onSome: (last) =>
      Object.keys(now.services).filter((name) => {
        const was = statusOf(last, name)
        return (was === "unhealthy" || was === "degraded") && statusOf(now, name) === "healthy"
      })
  })

/** A service that is not listed is as little known as one that is not configured. */
const statusOf = (verdict: Verdict, name: string): Status =>
  Object.hasOwn(verdict.services, name) ? (verdict.services[name] ?? "unknown") : "unknown"
