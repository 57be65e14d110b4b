/**
 * The JSON Schema of the configuration file, made from the Schemas of the plugins, so that editors
 * complete and check it. Pure.
 */
import { JSONSchema, type Schema } from "effect"
import type * as Check from "../Check/Check.js"
import * as CheckPolicy from "../Check/CheckPolicy.js"
import { Document } from "./Document.js"
import * as Services from "./Services.js"

type Json = { readonly [key: string]: unknown }

export const make = (checks: ReadonlyArray<Check.Any>): Json => {
  const document = objectSchema(Document)
  const policy = objectSchema(CheckPolicy.Settings)
  const entries = checks.map((check) => checkEntry(check, policy.properties))
  const types = checks.map((check) => check.type)
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of Holter",
    type: "object",
    additionalProperties: false,
    properties: {
      ...document.properties,
      checks: {
        description: "one entry a service; the key is its name",
        type: "object",
        additionalProperties: {
          type: "object",
          required: ["type"],
          properties: { type: { type: "string", description: "the type of the check" } },
          oneOf: [...entries.map((entry) => entry.schema), foreignEntry(types)]
        }
      }
    },
    $defs: Object.assign({}, document.$defs, policy.$defs, ...entries.map((entry) => entry.$defs))
  }
}

const objectSchema = (schema: Schema.Schema.AnyNoContext) => {
  const root = JSONSchema.make(schema)
  const object = "properties" in root ? root : { properties: {}, required: [] }
  return { properties: object.properties, required: object.required, $defs: root.$defs ?? {} }
}

const checkEntry = (check: Check.Any, policy: Json) => {
  const { $defs, properties, required } = objectSchema(check.config)
  // What a variable of the environment can supply need not stand in the file.
  const supplied = Services.known.flatMap((service) =>
    service.type === check.type ? Object.keys(service.variables) : []
  )
  return {
    $defs,
    schema: {
      title: check.type,
      description: check.description,
      required: ["type", ...required.filter((field) => !supplied.includes(field))],
      properties: {
        type: { const: check.type },
        ...orVariable({ ...policy, ...properties })
      },
      additionalProperties: false
    }
  }
}

/** Any value may be a variable, also where a number is expected. */
const orVariable = (properties: Json): Json =>
  Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      name,
      { anyOf: [schema, { type: "string", pattern: "^\\$\\{[^}]+\\}$" }] }
    ])
  )

/** A type from a plugin of another package; its fields are checked when Holter starts. */
const foreignEntry = (types: ReadonlyArray<string>): Json => ({
  title: "a plugin's type",
  required: ["type"],
  properties: { type: { type: "string", not: { enum: types } } }
})
