/**
 * What `holter watch` says where no table is shown: a line for each thing that happens. Time, kind
 * and subject stand first and in this order, so that lines can be searched and cut. Pure.
 */
import { Data, DateTime } from "effect"
import type { Decision } from "../../Alert/AlertPolicy.js"
import type { Status } from "../../Check/CheckResult.js"
import * as Text from "../../Common/Text.js"
import type { Work } from "../../Holter/Backups.js"
import { onOneLine } from "../Presentation.js"

/** Times are milliseconds of the wall clock. */
export type Line = Data.TaggedEnum<{
  /** The beginning, and what is watched. */
  start: { readonly at: number; readonly name: string; readonly message: string }
  /** The shown status of a service is another. */
  status: {
    readonly at: number
    readonly service: string
    readonly status: Status
    readonly previous: Status
    readonly message: string
  }
  /** A service without results. */
  stale: { readonly at: number; readonly service: string; readonly message: string }
  alert: { readonly decision: Decision }
  /** A backup or a drill, scheduled: `started`, `created`, `passed`, `failed`, `cancelled`. */
  backup: {
    readonly at: number
    readonly work: Work
    readonly event: string
    readonly message: string
  }
  /** A channel, the journal or another part of Holter is in trouble, or is no more. */
  part: {
    readonly at: number
    readonly part: string
    readonly name: string
    readonly message: string
  }
  /** The end begins, and why. */
  stop: { readonly at: number; readonly message: string }
}>

export const Line = Data.taggedEnum<Line>()

/** Instead of the lines that a reader was too slow for. */
export const dropped = (at: number, lines: number): Line =>
  Line.part({
    at,
    part: "output",
    name: "standard output",
    message: `${lines} ${lines === 1 ? "line was" : "lines were"} dropped here: the reader was too slow. The journal has all decisions: holter why`
  })

export const text = (line: Line): string => {
  switch (line._tag) {
    case "start":
      return entry(line.at, `start ${line.name}`, line.message)
    case "status":
      return entry(
        line.at,
        `status ${line.service} ${line.status} (was ${line.previous})`,
        line.message
      )
    case "stale":
      return entry(line.at, `stale ${line.service}`, line.message)
    case "alert":
      return alert(line.decision)
    case "backup":
      return entry(line.at, `${line.work} ${line.event}`, line.message)
    case "part":
      return entry(line.at, `${line.part} ${line.name}`, line.message)
    case "stop":
      return entry(line.at, "stop", line.message)
  }
}

/** The same as one JSON object. */
export const json = (line: Line): string => Text.escaped(JSON.stringify(record(line)))

const record = (line: Line): object => {
  if (line._tag === "alert") {
    const { _tag, alerts: _, at, ...rest } = line.decision
    return { at: iso(at), kind: "alert", decision: _tag, ...rest }
  }
  const { _tag, at, ...rest } = line
  return { at: iso(at), kind: _tag, ...rest }
}

const alert = (decision: Decision): string => {
  const { at, channels, service, why } = decision
  // It is decided here and not delivered yet: `holter why` knows what became of it.
  const receivers = channels.length === 0 ? "" : `, for ${channels.join(", ")}`
  return entry(at, `alert ${service ?? "-"} ${verb(decision)}${receivers}`, why)
}

const verb = (decision: Decision): string => {
  switch (decision._tag) {
    case "Opened":
    case "Escalated":
    case "Reminder":
    case "Resolved":
      return decision._tag.toLowerCase()
    case "Suppressed":
    case "Nothing":
      return `${decision._tag.toLowerCase()} (${decision.reason})`
  }
}

const entry = (at: number, ...parts: ReadonlyArray<string>): string => {
  const message = parts.map(onOneLine).filter((part) => part !== "")
  const [head = "", ...rest] = message
  return [`${iso(at)} ${head}`, ...rest].join(": ")
}

const iso = (at: number): string => DateTime.formatIso(DateTime.unsafeMake(at))
