/**
 * Alerts in words: a title and lines of plain text, for every channel that shows text to a person.
 *
 * @since 0.1.0
 */
import { Array as Arr, DateTime } from "effect"
import * as Text from "../Common/Text.js"
import type { Alert, Kind, Subject } from "./Alert.js"
import { list, span } from "./AlertPolicy/words.js"

/**
 * One line that says what happened, root cause first: `redis is unhealthy (+2 affected)`.
 *
 * @since 0.1.0
 * @category rendering
 */
export const title = (alert: Alert): string => {
  const [root, ...others] = alert.subjects
  const more = others.length + alert.affected.length
  return `${headline(alert.kind, root)}${more === 0 ? "" : ` (+${more} affected)`}`
}

/**
 * The lines below the title: one for each service, then who is affected, then what happened in
 * between.
 *
 * @since 0.1.0
 * @category rendering
 */
export const lines = (alert: Alert): ReadonlyArray<string> => [
  ...alert.subjects.map((subject) => line(alert, subject)),
  ...(alert.affected.length === 0
    ? []
    : [`Down because of it, without messages of their own: ${list(alert.affected)}`]),
  ...(alert.story.length === 0
    ? []
    : ["What happened meanwhile:", ...alert.story.map(Text.visible)]),
  ...(alert.insteadOf === null
    ? []
    : [`This was meant for the channel ${alert.insteadOf}, which is disabled.`])
]

/**
 * Title and lines.
 *
 * @since 0.1.0
 * @category rendering
 */
export const text = (alert: Alert): string => Arr.prepend(lines(alert), title(alert)).join("\n")

const headline = (kind: Kind, subject: Subject): string => {
  const { duration, over, severity, status } = subject
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
      return `${label} is still ${severity}, for ${span(duration)}`
    case "resolved":
      return status === "healthy"
        ? `${label} is healthy again after ${span(duration)}`
        : `${label} is no longer checked; it was ${severity} for ${span(duration)}`
    case "story":
      return over
        ? `${label} was ${severity} for ${span(duration)} and is ${end}`
        : `${label} is ${severity}, for ${span(duration)}`
    case "test":
      return `A test: alerts of ${label} arrive here`
  }
}

const line = ({ kind }: Alert, subject: Subject): string => {
  const { duration, over, previous, severity, since, status } = subject
  const label = Text.visible(subject.label)
  const message = Text.visible(subject.message)
  if (kind === "test") return message
  const began = DateTime.formatIso(since)
  if (over)
    return `${label}: ${status === "healthy" ? status : "no longer checked"}; was ${severity} for ${span(duration)}, since ${began}. ${message}`
  const before = kind === "escalated" ? `, before ${previous}` : ""
  return `${label}: ${status}${before} since ${began} (${span(duration)}). ${message}`
}
