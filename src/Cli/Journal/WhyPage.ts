/**
 * The page of `holter why`. Pure.
 */
import type { DateTime } from "effect"
import * as WallTime from "../../Common/WallTime.js"
import type { Look } from "../Output.js"
import { guidance, mark, named, onOneLine } from "../Presentation.js"
import * as DeliveryWords from "./DeliveryWords.js"
import * as Moments from "./moments.js"
import * as Suppressions from "./Suppressions.js"
import type { Entry, Told, WhyStory } from "./WhyStory.js"
import * as Format from "../../Common/Format.js"

/** Times are in the zone of who reads. */
export const lines = (
  story: WhyStory,
  look: Look,
  zone: DateTime.TimeZone
): ReadonlyArray<string> => [
  headline(story, look, zone),
  ...telling(story, zone),
  ...story.quiet.map((one) => `   Held back now by ${Suppressions.text(one, zone)}`),
  ...thresholds(story),
  ...guidance(story).map((text) => `   ${text}`),
  ...happened(story.timeline, look, zone)
]

const between = (from: string, to: string): string =>
  Format.about(Moments.millisOf(to) - Moments.millisOf(from))

const headline = (story: WhyStory, look: Look, zone: DateTime.TimeZone): string => {
  const time = Moments.shownIn(zone)
  const { at, incident, timeline, timestamp } = story
  const service = named(story.service, story.label)
  if (incident === null) {
    const last = timeline.findLast((one) => one.type === "results")
    const status = last === undefined ? "unknown" : last.status
    const then = at === timestamp ? "is" : "was"
    return `${mark(status, look)} ${service} ${then} ${status}${at === timestamp ? "" : ` at ${time(at)}`}; no incident ${then} open`
  }
  const { cause, ended, since } = incident
  const what = cause === "stale" ? "without results" : incident.severity
  return ended === null
    ? `${mark(incident.severity, look)} ${service} is ${what} since ${time(since)} (${between(since, timestamp)}); incident ${incident.id}`
    : `${mark("healthy", look)} ${service} was ${what} from ${time(since)} to ${time(ended)} (${between(since, ended)}); incident ${incident.id}`
}

const telling = (
  { incident, told, untold_because }: WhyStory,
  zone: DateTime.TimeZone
): ReadonlyArray<string> => {
  if (told.length > 0) {
    const taken = told.filter(({ delivery }) => DeliveryWords.isTaken(delivery))
    const owed = told.filter(({ delivery }) => DeliveryWords.isOwed(delivery))
    const gone = told.filter((one) => !taken.includes(one) && !owed.includes(one))
    return [
      ...line("Notified", taken.map(message(zone))),
      ...line("Not delivered yet", owed.map(pending(zone))),
      ...line(
        "Not notified",
        gone.map((one) => `${what(one)}, ${DeliveryWords.end(one.delivery, zone)}`)
      )
    ]
  }
  if (untold_because === null) {
    return incident === null ? [] : ["   No channel was notified yet"]
  }
  return [`   No channel was notified: ${onOneLine(untold_because)}`]
}

const line = (title: string, parts: ReadonlyArray<string>): ReadonlyArray<string> =>
  parts.length === 0 ? [] : [`   ${title}: ${parts.join("; ")}`]

const what = ({ channel, kind }: Told): string => `${channel}${kind === null ? "" : ` (${kind})`}`

const message =
  (zone: DateTime.TimeZone) =>
  (told: Told): string =>
    `${what(told)} at ${Moments.shownIn(zone)(told.delivery.at ?? told.at)}`

const pending =
  (zone: DateTime.TimeZone) =>
  (told: Told): string =>
    `${what(told)}, ${told.delivery.state === "queued" ? "queued" : "pending"} since ${Moments.shownIn(zone)(told.at)}${DeliveryWords.trouble(told.delivery, zone)}`

const thresholds = ({ thresholds: rules }: WhyStory): ReadonlyArray<string> =>
  rules === null
    ? ["   The configuration does not check it any more; this is what the journal knows of it"]
    : [
        `   ${Format.many(rules.failures, "failure")} in a row open an incident, ${rules.successes} in a row that are healthy end it; a result is due every ${Format.span(rules.interval_ms)}`,
        ...(rules.critical ? [] : ["   It is not critical: never worse than degraded"]),
        ...(rules.depends_on.length === 0
          ? []
          : [
              `   It depends on ${rules.depends_on.join(", ")}: while that is down, it sends no messages`
            ])
      ]

/** More than these nobody reads; the document of `--json` has all. */
const mostEntries = 200

const happened = (
  entries: ReadonlyArray<Entry>,
  look: Look,
  zone: DateTime.TimeZone
): ReadonlyArray<string> => {
  const time = (iso: string) => WallTime.digits(Moments.millisOf(iso), zone)
  if (entries.length === 0) return []
  const left = Math.max(0, entries.length - mostEntries)
  return [
    "",
    `What happened (${WallTime.nameOf(zone)}):`,
    ...(left === 0
      ? []
      : [`  ${Format.count(left)} earlier entries are left out (--json has them)`]),
    ...entries.slice(left).map((one, index, all) => {
      const at = time(one.at)
      // What a result led to stands under it.
      const before = all[index - 1]
      const isSame = one.type === "decision" && before !== undefined && at === time(before.at)
      return `  ${isSame ? " ".repeat(at.length) : at}  ${entry(one, look, time)}`
    })
  ]
}

/** Whom a decision told, and who is still owed it. */
const whom = ({ channels, untaken }: Extract<Entry, { readonly type: "decision" }>): string => {
  const taken = channels.filter((channel) => !untaken.includes(channel))
  const parts = [
    ...(taken.length === 0 ? [] : [`notified ${taken.join(", ")}`]),
    ...(untaken.length === 0 ? [] : [`not taken by ${untaken.join(", ")}`])
  ]
  return parts.length === 0 ? "notified no channel" : parts.join(", ")
}

const entry = (one: Entry, look: Look, time: (iso: string) => string): string => {
  if (one.type === "results") {
    const many = one.count === 1 ? "" : `, ${one.count} times until ${time(one.until)}`
    return `${mark(one.status, look)} ${look.emoji ? one.status : "result"}${many}: ${onOneLine(one.message)}`
  }
  const why = onOneLine(one.why)
  switch (one.decision) {
    case "Suppressed":
      return `   held back by the rule "${one.rule}": ${why}`
    case "Nothing":
      return `   rule "${one.rule}": ${why}`
    case "Opened":
    case "Escalated":
    case "Reminder":
    case "Resolved":
      return `   ${whom(one)} (${one.decision.toLowerCase()}, rule "${one.rule}"): ${why}`
  }
}
