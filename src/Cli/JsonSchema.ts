/**
 * The JSON Schema of the configuration file, made from the Schemas of the plugins, so that editors
 * complete and check it. Pure.
 */
import { Predicate, Record, type Schema } from "effect"
import type * as AlertChannel from "../Alert/AlertChannel.js"
import type * as Check from "../Check/Check.js"
import * as CheckPolicy from "../Check/CheckPolicy.js"
import * as Guidance from "../Check/Guidance.js"
import * as FieldSchema from "../Plugin/JsonSchema.js"
import { AlertsSection, ChannelRules } from "./Alerts/AlertsSection.js"
import { BackupSection } from "./Backup/BackupSection.js"
import { Document } from "./Document.js"
import { JournalSection } from "./Journal/JournalSection.js"
import * as Services from "./Services.js"

type Json = { readonly [key: string]: unknown }

export const make = (
  checks: ReadonlyArray<Check.Any>,
  channels: ReadonlyArray<AlertChannel.Any>
): Json => {
  const document = objectSchema(Document)
  const policy = objectSchema(CheckPolicy.Settings)
  const guidance = objectSchema(Guidance.Guidance)
  const backup = objectSchema(BackupSection)
  const journal = objectSchema(JournalSection)
  const alerts = objectSchema(AlertsSection)
  const rules = objectSchema(ChannelRules)
  const entries = checks.map((check) =>
    entryOf(check, { ...guidance.properties, ...policy.properties }, suppliedTo(check))
  )
  const channelEntries = channels.map((channel) =>
    entryOf(channel, rules.properties, Object.keys(channel.variables))
  )
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of Holter",
    type: "object",
    additionalProperties: false,
    properties: {
      ...document.properties,
      backup: {
        description: "which database is backed up, how, and where backups lie",
        type: "object",
        additionalProperties: false,
        properties: backup.properties
      },
      journal: {
        description: "where results and decisions are kept, and how long",
        type: "object",
        additionalProperties: false,
        properties: journal.properties
      },
      alerts: {
        description: "which channels get which alerts, when, and when not",
        type: "object",
        additionalProperties: false,
        properties: {
          ...alerts.properties,
          channels: entriesOf("channel", "one entry a channel; the key is its name", channelEntries)
        }
      },
      checks: entriesOf("check", "one entry a service; the key is its name", entries)
    },
    $defs: Object.assign(
      {},
      document.$defs,
      policy.$defs,
      backup.$defs,
      journal.$defs,
      alerts.$defs,
      rules.$defs,
      ...channelEntries.map((entry) => entry.$defs),
      ...entries.map((entry) => entry.$defs)
    )
  }
}

const objectSchema = (schema: Schema.Schema.AnyNoContext) => {
  const { $defs, properties, required } = FieldSchema.ofFields(schema)
  return { properties: orVariables(properties), required, $defs: adaptedEach($defs) }
}

type Plugin = Pick<AlertChannel.Any, "type" | "description" | "config">

/** The fields of a plugin, with `beside` them; those in `supplied` need not stand in the file. */
const entryOf = (
  { config, description, type }: Plugin,
  beside: Json,
  supplied: ReadonlyArray<string>
) => {
  const { $defs, properties, required } = objectSchema(config)
  return {
    $defs,
    type,
    schema: {
      title: type,
      description,
      required: ["type", ...required.filter((field) => !supplied.includes(field))],
      properties: { type: { const: type }, ...beside, ...properties },
      additionalProperties: false
    }
  }
}

/** What a variable of the environment can supply. */
const suppliedTo = ({ type }: Plugin): ReadonlyArray<string> =>
  Services.known.flatMap((service) => (service.type === type ? Object.keys(service.variables) : []))

const entriesOf = (
  what: "check" | "channel",
  description: string,
  entries: ReadonlyArray<ReturnType<typeof entryOf>>
): Json => ({
  description,
  type: "object",
  additionalProperties: {
    type: "object",
    required: ["type"],
    properties: { type: { type: "string", description: `the type of the ${what}` } },
    oneOf: [
      ...entries.map((entry) => entry.schema),
      foreignEntry(entries.map((entry) => entry.type))
    ]
  }
})

/** Any value may be or hold a variable, also where a number is expected. */
const orVariable = (schema: unknown): Json => ({
  anyOf: [adapted(schema), { type: "string", pattern: "\\$\\{[^}]+\\}" }]
})

const orVariables = (properties: object): Json =>
  Record.map(Object.fromEntries(Object.entries(properties)), orVariable)

const adaptedEach = (schemas: object): Json =>
  Record.map(Object.fromEntries(Object.entries(schemas)), adapted)

/** With variables at every depth; and draft 7, which editors know best, ignores what is beside `$ref`. */
const adapted = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(adapted)
  if (!Predicate.isRecord(schema)) return schema
  // Several places have the `$id` of "anything", which has to be unique.
  const {
    $id: _,
    $ref,
    ...rest
  } = Record.map(schema, (part, keyword) => {
    const named = keyword === "properties" || keyword === "patternProperties"
    if (named && Predicate.isRecord(part)) return orVariables(part)
    if (keyword === "items" && Predicate.isRecord(part)) return orVariable(part)
    return applicators.has(keyword) ? adapted(part) : part
  })
  if ($ref === undefined) return rest
  if (Object.keys(rest).length === 0) return { $ref }
  const { allOf, ...beside } = rest
  return {
    ...beside,
    allOf: [{ $ref }, ...(Array.isArray(allOf) ? (allOf as Array<unknown>) : [])]
  }
}

const applicators = new Set(["additionalProperties", "allOf", "anyOf", "items", "not", "oneOf"])

/** A type from a plugin of another package; its fields are checked when Holter starts. */
const foreignEntry = (types: ReadonlyArray<string>): Json => ({
  title: "a plugin's type",
  required: ["type"],
  properties: { type: { type: "string", not: { enum: types } } }
})
