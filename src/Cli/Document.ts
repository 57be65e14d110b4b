/**
 * The shape of the configuration file, apart from the fields of each plugin.
 */
import { Either, Predicate, Schema } from "effect"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as CheckPolicy from "../Check/CheckPolicy.js"
import * as Section from "./Section.js"
import { ShutdownSection } from "./ShutdownSection.js"

const { confirm, failureThreshold, interval, jitter, recoveryThreshold, timeout } =
  CheckPolicy.Fields

const CheckEntry = Schema.Record({ key: Schema.String, value: Schema.Unknown }).pipe(
  Schema.filter((entry) => typeof entry["type"] === "string", {
    description: "a mapping with a `type` (see `holter plugins list`) and the fields of that type"
  })
)

/** Sections whose place is fixed and which a later version reads. */
const later = {
  status: Schema.optional(Schema.Unknown)
}

export const Document = Schema.Struct({
  $schema: Schema.optional(Schema.String),
  name: Schema.optional(
    Schema.NonEmptyTrimmedString.annotations({
      description: "the name that output and alerts call this installation by"
    })
  ),
  heartbeat: Schema.optionalWith(
    Schema.Struct({ interval, jitter, confirm, timeout, failureThreshold, recoveryThreshold }),
    { default: () => ({}) }
  ),
  checks: Schema.optionalWith(Schema.Record({ key: Schema.String, value: CheckEntry }), {
    default: () => ({})
  }),
  /** Its shape is told by Backup/BackupSection, which only those who have it load. */
  backup: Schema.optional(Schema.Unknown),
  /** Its shape is told by Alerts/AlertsSection. */
  alerts: Schema.optional(Schema.Unknown),
  /** Its shape is told by Journal/JournalSection. */
  journal: Schema.optional(Schema.Unknown),
  shutdown: Schema.optionalWith(ShutdownSection, { default: () => ({}) }),
  plugins: Schema.optionalWith(Schema.Array(Schema.NonEmptyString), { default: () => [] }),
  ...later
})

export type Document = typeof Document.Type

export const laterSections = (document: Document): ReadonlyArray<string> =>
  Object.keys(later).filter((section) => section in document)

/** The document, without what is wrong in it, so that the rest is looked at in the same run. */
export const decode = (
  content: unknown,
  reading: Section.Reading
): { readonly document: Document; readonly issues: ReadonlyArray<ConfigIssue> } => {
  const attempt = Section.decode(Document, [], reading)
  return Either.match(attempt(content), {
    onRight: (document) => ({ document, issues: [] }),
    onLeft: (issues) => {
      const rest = Either.map(attempt(without(content, issues)), (document) => ({
        document,
        issues
      }))
      return Either.getOrElse(rest, () => ({ document: Document.make({}), issues }))
    }
  })
}

/** Of these only the parts that are wrong are dropped: what is right in them is looked at further. */
const ofParts = new Set(["checks", "heartbeat", "shutdown"])

const without = (content: unknown, issues: ReadonlyArray<ConfigIssue>): unknown => {
  if (!Predicate.isRecord(content)) return content
  const isWrong = (...path: ReadonlyArray<string>) =>
    issues.some((issue) => path.every((step, index) => issue.path[index] === step))
  return Object.fromEntries(
    Object.entries(content).flatMap(([key, section]) => {
      if (!isWrong(key)) return [[key, section]]
      if (!ofParts.has(key) || !Predicate.isRecord(section)) return []
      const parts = Object.entries(section).filter(([part]) => !isWrong(key, part))
      return [[key, Object.fromEntries(parts)]]
    })
  )
}
