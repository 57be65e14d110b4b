/**
 * The shape of the configuration file, apart from the fields of each plugin.
 */
import { Schema } from "effect"
import * as CheckPolicy from "../Check/CheckPolicy.js"

const { failureThreshold, interval, recoveryThreshold, timeout } = CheckPolicy.Fields

const CheckEntry = Schema.Record({ key: Schema.String, value: Schema.Unknown }).pipe(
  Schema.filter((entry) => typeof entry["type"] === "string", {
    description: "a mapping with a `type` (see `holter plugins list`) and the fields of that type"
  })
)

/** Sections whose place is fixed and which a later version reads. */
const later = {
  alerts: Schema.optional(Schema.Unknown),
  backup: Schema.optional(Schema.Unknown),
  status: Schema.optional(Schema.Unknown),
  shutdown: Schema.optional(Schema.Unknown),
  journal: Schema.optional(Schema.Unknown)
}

export const Document = Schema.Struct({
  $schema: Schema.optional(Schema.String),
  name: Schema.optional(
    Schema.NonEmptyTrimmedString.annotations({
      description: "the name that output and alerts call this installation by"
    })
  ),
  heartbeat: Schema.optionalWith(
    Schema.Struct({ interval, timeout, failureThreshold, recoveryThreshold }),
    { default: () => ({}) }
  ),
  checks: Schema.optionalWith(Schema.Record({ key: Schema.String, value: CheckEntry }), {
    default: () => ({})
  }),
  plugins: Schema.optionalWith(Schema.Array(Schema.NonEmptyString), { default: () => [] }),
  ...later
})

export type Document = typeof Document.Type

export const laterSections = (document: Document): ReadonlyArray<string> =>
  Object.keys(later).filter((section) => section in document)
