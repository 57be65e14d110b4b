/** Alerts in words: a title and lines of plain text, for every channel that shows text to a person. */
import { Array as Arr, DateTime, Option } from "effect"
import * as WallTime from "../Common/WallTime.js"
import * as Guidance from "../Check/Guidance.js"
import * as Text from "../Common/Text.js"
import type { Alert, Subject } from "./Alert.js"
import * as Format from "../Common/Format.js"

/** One line that says what happened, root cause first: `redis is unhealthy (+2 affected)`. */
export const title = (alert: Alert): string => {
  const [root, ...others] = alert.subjects
  // Who is well again is not affected by what is not.
  const count = root.over ? others.length : others.filter(({ over }) => !over).length
  const more = count + alert.affected.length
  return `${headline(alert, root)}${more === 0 ? "" : ` (+${more} affected)`}`
}

/**
 * The lines below the title: for each service one, its runbook and its link, then who is affected, then
 * what happened in between. A channel with markup says how it writes text and links.
 */
export const lines = (alert: Alert, markup: Markup = plain): ReadonlyArray<string> => [
  ...alert.subjects.flatMap((subject) => [
    markup.text(line(alert, subject)),
    ...guidance(subject, markup)
  ]),
  ...[
    ...affected(alert),
    ...(alert.story.length === 0
      ? []
      : ["This comes late. What happened meanwhile:", ...alert.story.map(Text.visible)]),
    ...(alert.sent === undefined
      ? []
      : [
          `This comes late: decided ${time(alert, alert.at)}, sent ${time(alert, alert.sent)}. \`holter status\` says what is true now.`
        ]),
    ...(alert.insteadOf === null
      ? []
      : [`This was meant for the channel ${alert.insteadOf}, which does not take it.`])
  ].map(markup.text)
]

/** How a channel writes text and links. */
export interface Markup {
  readonly text: (text: string) => string
  readonly link: (words: string, url: string) => string
}

const plain: Markup = { text: (text) => text, link: (words, url) => `${words}: ${url}` }

/** What to do and where to look, below the service that it is for. */
const guidance = ({ link, runbook }: Subject, markup: Markup): ReadonlyArray<string> => {
  const linked = (words: string, url: string) => markup.link(words, Text.visible(url.trim()))
  return [
    ...(runbook === undefined
      ? []
      : Guidance.isUrl(runbook)
        ? [linked("Runbook", runbook)]
        : [markup.text(`Runbook: ${Text.visible(runbook.trim())}`)]),
    ...(link === undefined ? [] : [linked("Link", link)])
  ]
}

const affected = ({ affected: names, affectedLabels }: Alert): ReadonlyArray<string> =>
  names.length === 0
    ? []
    : [
        `Down because of it, without messages of their own: ${(affectedLabels ?? names).map(Text.visible).join(", ")}`
      ]

/** Title and lines. */
export const text = (alert: Alert): string => Arr.prepend(lines(alert), title(alert)).join("\n")

/**
 * A point of time as a person reads it in this alert: `2026-01-01 00:00:00 UTC`, or in the zone that the
 * alert names `2026-01-01 01:00:00 +01:00`. It is true whenever it is read, which "5m ago" is not.
 */
export const time = ({ timeZone }: Pick<Alert, "timeZone">, at: DateTime.Utc): string => {
  const zone = Option.flatMap(Option.fromNullable(timeZone), DateTime.zoneFromString)
  return WallTime.shown(
    at.epochMillis,
    Option.getOrElse(zone, () => WallTime.utc)
  )
}

const headline = (alert: Alert, subject: Subject): string => {
  const { duration, over, severity, since, status } = subject
  const { kind } = alert
  const label = Text.visible(subject.label)
  const end = status === "healthy" ? "healthy again" : "no longer checked"
  switch (kind) {
    case "opened":
      return `${label} is ${severity}`
    case "stale":
      return `${label} has no results any more`
    case "flapping":
      return `${label} goes down and comes back again and again`
    case "escalated":
      return `${label} became worse: ${severity}`
    case "reminder":
      return `${label} is still ${severity}, since ${time(alert, since)}`
    case "resolved":
      return status === "healthy"
        ? `${label} is healthy again after ${Format.span(duration)}`
        : `${label} is no longer checked; it was ${severity} for ${Format.span(duration)}`
    case "story":
      return over
        ? `${label} was ${severity} for ${Format.span(duration)} and is ${end}`
        : `${label} is ${severity}, since ${time(alert, since)}`
    case "test":
      return `A test: alerts of ${label} arrive here`
  }
}

const line = (alert: Alert, subject: Subject): string => {
  const { kind } = alert
  const { duration, over, previous, severity, since, status } = subject
  const label = Text.visible(subject.label)
  const message = Text.visible(subject.message)
  if (kind === "test") return message
  const began = time(alert, since)
  if (over)
    return `${label}: ${status === "healthy" ? status : "no longer checked"}; was ${severity} for ${Format.span(duration)}, since ${began}. ${message}`
  const before = kind === "escalated" ? `, before ${previous}` : ""
  return `${label}: ${status}${before} since ${began}. ${message}`
}
