/** What Effect's JSON Schema does not say, and ours does. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import * as JsonSchema from "../../src/Plugin/JsonSchema.js"

class Credentials extends Schema.Class<Credentials>("Credentials")({
  user: Schema.String,
  pin: Schema.Redacted(Schema.String)
}) {}

interface Tree {
  readonly pin: string
  readonly next?: Tree | undefined
}
const Pin = Schema.String.annotations({ [ConfigField.SecretId]: true })
const Tree: Schema.Schema<Tree> = Schema.Struct({
  pin: Pin,
  next: Schema.optional(
    Schema.suspend((): Schema.Schema<Tree> => Tree).annotations({ identifier: "Tree" })
  )
})

/** Paths of what is not for showing. */
const hidden = (json: unknown, path = ""): ReadonlyArray<string> =>
  typeof json !== "object" || json === null
    ? []
    : Object.entries(json).flatMap(([key, part]: [string, unknown]) =>
        key === "writeOnly" ? [path] : hidden(part, path === "" ? key : `${path}.${key}`)
      )

const fieldsOf = (fields: Schema.Struct.Fields) =>
  JsonSchema.ofFields(Schema.Struct(fields) as unknown as Schema.Schema<object>)

describe("the JSON Schema of fields", () => {
  it("marks a secret in a definition", () => {
    assert.deepStrictEqual(hidden(fieldsOf({ login: Credentials }).$defs), [
      "Credentials.properties.pin"
    ])
    assert.deepStrictEqual(hidden(fieldsOf({ logins: Schema.Array(Credentials) }).$defs), [
      "Credentials.properties.pin"
    ])
  })

  it("marks a secret in one of several alternatives", () => {
    const door = Schema.Struct({ pin: Pin, name: Schema.String })
    const { properties } = fieldsOf({
      door: Schema.Union(Schema.Literal("open"), door, Schema.Null)
    })
    assert.deepStrictEqual(
      hidden(properties).map((path) => path.replace(/\d/, "N")),
      ["door.anyOf.N.properties.pin"]
    )
  })

  it("marks a secret that comes again and again", () => {
    const { $defs, properties } = fieldsOf({ tree: Tree })
    assert.include(hidden(properties), "tree.properties.pin")
    assert.deepStrictEqual(hidden($defs), ["Tree.properties.pin"])
  })

  it("marks no more than the secret", () => {
    const { properties } = fieldsOf({
      both: Schema.Tuple(Schema.String, Pin),
      either: Schema.Struct({ name: Schema.String, port: ConfigField.port })
    })
    assert.deepStrictEqual(hidden(properties), ["both.items.1"])
  })

  it("keeps the words of a filter, of its own and of one with a name", () => {
    const even = Schema.String.pipe(
      Schema.filter((text) => text.length % 2 === 0, { description: "an even text" })
    )
    const { $defs, properties } = fieldsOf({
      bare: even,
      optional: Schema.optional(even),
      named: even.annotations({ identifier: "Even", description: "an even text" })
    })
    const described = (field: string) => JsonSchema.describe(properties[field], $defs)
    assert.deepStrictEqual(["bare", "optional", "named"].map(described), [
      "an even text",
      "an even text",
      "an even text"
    ])
    assert.isTrue(JsonSchema.isDescribed(properties["named"], $defs))
  })
})
