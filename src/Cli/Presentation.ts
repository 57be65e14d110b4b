/**
 * The lines that a person reads from `holter check`. Pure.
 */
import * as Text from "../Common/Text.js"
import type { CheckResult, Status } from "../Check/CheckResult.js"
import type { StatusSummary } from "../Monitor/StatusSummary.js"
import type { Look } from "./Output.js"

const rule = "=".repeat(60)

export const header = (name: string): ReadonlyArray<string> => [
  rule,
  `${onOneLine(name)} - Health Check`,
  rule,
  ""
]

export const checking = (label: string, look: Look): string =>
  `${look.emoji ? "🔍 " : ""}Checking ${label}...`

/** What follows `Checking ...`. */
export const result = (one: CheckResult, label: string, look: Look): string => {
  const text =
    one.note === undefined ? one.message : `${capitalized(label)} accessible (${one.note})`
  const line = one.status === "healthy" ? text : withLabel(label, one.message)
  return `  ${mark(one.status, look)} ${onOneLine(line)}`
}

/** The only line of a service that is not configured. */
export const notConfigured = (label: string, look: Look): string =>
  // The sign is narrow in most terminals, so two spaces follow it.
  `${look.emoji ? "ℹ️  " : "[info] "}${capitalized(label)} not configured (optional)`

export const footer = (summary: StatusSummary, look: Look): ReadonlyArray<string> => [
  "",
  rule,
  `${mark(summary.overall_status, look)} ${verdict(summary)}`,
  rule
]

export const verdict = (summary: StatusSummary): string => {
  const names = (status: Status) =>
    Object.entries(summary.services)
      .filter(([, service]) => service.status === status)
      .map(([name, { label }]) => named(name, label))
      .join(", ")
  switch (summary.overall_status) {
    case "healthy":
      return "All health checks passed!"
    case "degraded":
      return `Degraded: ${[names("unhealthy"), names("degraded")].filter(Boolean).join(", ")}`
    case "unhealthy":
      return `Unhealthy: ${names("unhealthy")}${names("degraded") && ` (degraded: ${names("degraded")})`}`
    case "unknown":
      return "Nothing is known: no service is configured"
  }
}

/** The services that are not healthy. */
export const troubled = (summary: StatusSummary) =>
  Object.entries(summary.services).flatMap(([name, { label, link, message, runbook, status }]) =>
    status === "unhealthy" || status === "degraded"
      ? [{ name, label, link, runbook, message, status }]
      : []
  )

type Troubled = ReturnType<typeof troubled>[number]

export const problem = ({ label, message, name, status }: Troubled): string =>
  `${named(name, label)} is ${status}: ${onOneLine(message)}`

/** A line for each service that is not healthy. */
export const problems = (summary: StatusSummary): ReadonlyArray<string> =>
  troubled(summary).map(problem)

/** What people call a service, and the name that commands want, where they differ. */
export const named = (name: string, label: string | undefined): string =>
  isNamed(name, label) ? `${onOneLine(label)} (${name})` : name

/** What people call it, for where nobody types it. */
export const called = (name: string, label: string): string =>
  isNamed(name, label) ? onOneLine(label) : name

const isNamed = (name: string, label: string | undefined): label is string =>
  label !== undefined && wordsOf(label) !== wordsOf(name)

const wordsOf = (name: string): string => name.toLowerCase().replace(/[\s_.-]+/g, " ")

/** What to do about a service, and where to look. */
export const guidance = ({
  link,
  runbook
}: {
  readonly link?: string | null | undefined
  readonly runbook?: string | null | undefined
}): ReadonlyArray<string> => [
  ...(typeof runbook === "string" ? [`Runbook: ${onOneLine(runbook.trim())}`] : []),
  ...(typeof link === "string" ? [`Link: ${onOneLine(link)}`] : [])
]

export const mark = (status: Status, look: Look): string => {
  const { ansi, emoji, text } = marks[status]
  if (look.emoji) return emoji
  return look.color ? `\u001b[${ansi}m${text}\u001b[0m` : text
}

const marks: Readonly<Record<Status, { emoji: string; text: string; ansi: number }>> = {
  healthy: { emoji: "✅", text: "[ok]", ansi: 32 },
  degraded: { emoji: "⚠️ ", text: "[degraded]", ansi: 33 },
  unhealthy: { emoji: "❌", text: "[unhealthy]", ansi: 31 },
  unknown: { emoji: "❔", text: "[unknown]", ansi: 90 }
}

/** Messages quote what servers answer, and a terminal would act on some of it. */
export const onOneLine = Text.visible

const capitalized = (label: string): string => label.charAt(0).toUpperCase() + label.slice(1)

/** A message often names its service by itself; where it does not, the line does. */
const withLabel = (label: string, message: string): string =>
  message.toLowerCase().includes(label.toLowerCase())
    ? message
    : `${capitalized(label)}: ${message}`
