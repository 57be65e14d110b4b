import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer, Redacted, Schema } from "effect"
import * as Check from "../../src/Check/Check.js"
import * as Decoder from "../../src/Plugin/Decoder.js"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import * as ConfigSecrets from "../../src/Plugin/ConfigSecrets.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as Secrecy from "../../src/Plugin/Secrecy.js"
import * as JsonSchema from "../../src/Cli/JsonSchema.js"

const canary = "hunter2-canary"

/** Longer than the canary is: the canary is wrong in it. */
const Long = Schema.Redacted(Schema.String.pipe(Schema.minLength(30)))
const right = canary.padEnd(30, ".")

class Credentials extends Schema.Class<Credentials>("Credentials")({
  user: Schema.String,
  pin: Long
}) {}
class Tagged extends Schema.TaggedClass<Tagged>()("Tagged", { pin: Long }) {}

interface Tree {
  readonly pin?: Redacted.Redacted<string> | undefined
  readonly next?: Tree | undefined
}
interface TreeEncoded {
  readonly pin?: string | undefined
  readonly next?: TreeEncoded | undefined
}
const Tree: Schema.Schema<Tree, TreeEncoded> = Schema.Struct({
  pin: Schema.optional(Long),
  next: Schema.optional(Schema.suspend(() => Tree))
})

const Plain = Schema.String.pipe(Schema.minLength(30))
const annotated = { [ConfigField.SecretId]: true }

/** A field, and how the canary stands in it. */
const wrappers: Readonly<
  Record<string, readonly [Schema.Struct.Field, (text: string) => unknown]>
> = {
  itself: [Long, (text) => text],
  "described anew": [Long.annotations({ identifier: "Pin", description: "a pin" }), (text) => text],
  "a filter": [Long.pipe(Schema.filter(() => true)), (text) => text],
  "a filter with words": [
    Long.pipe(Schema.filter(() => true, { description: "a pin" })),
    (text) => text
  ],
  "a brand": [Long.pipe(Schema.brand("Pin")), (text) => text],
  optional: [Schema.optional(Long), (text) => text],
  "optional, described": [
    Schema.optional(Long).annotations({ description: "a pin" }),
    (text) => text
  ],
  "optional, exact": [Schema.optionalWith(Long, { exact: true }), (text) => text],
  "a default": [Schema.optionalWith(Long, { default: () => Redacted.make(right) }), (text) => text],
  "a default of ours": [ConfigField.withDefault(Long, Redacted.make(right)), (text) => text],
  "as an Option": [Schema.optionalWith(Long, { as: "Option" }), (text) => text],
  nullable: [Schema.NullOr(Long), (text) => text],
  "null as none": [Schema.optionalWith(Long, { nullable: true }), (text) => text],
  "an OptionFromNullOr": [Schema.OptionFromNullOr(Long), (text) => text],
  "an Option": [Schema.Option(Long), (text) => ({ _tag: "Some", value: text })],
  "an Either": [
    Schema.Either({ left: Schema.String, right: Long }),
    (text) => ({ _tag: "Right", right: text })
  ],
  "NonEmptyString inside": [
    Schema.Redacted(Schema.NonEmptyString.pipe(Schema.minLength(30))),
    (text) => text
  ],
  "a transformation inside": [
    Schema.Redacted(Schema.Trim.pipe(Schema.minLength(30))),
    (text) => text
  ],
  "a transformation to it": [
    Schema.transform(Schema.String, Schema.RedactedFromSelf(Plain), {
      strict: true,
      decode: (text) => Redacted.make(text),
      encode: Redacted.value
    }),
    (text) => text
  ],
  composed: [Schema.Trim.pipe(Schema.compose(Long)), (text) => text],
  "from itself, described": [
    Schema.RedactedFromSelf(Plain).annotations({ description: "a pin", identifier: "Pin" }),
    (text) => Redacted.make(text)
  ],
  "a plain text with the annotation": [Plain.annotations(annotated), (text) => text],
  "the annotation below a filter": [
    Schema.String.annotations(annotated).pipe(Schema.minLength(30, { description: "a pin" })),
    (text) => text
  ],
  "the annotation on a property": [Schema.optional(Plain).annotations(annotated), (text) => text],
  "a Union": [Schema.Union(Schema.Int, Long), (text) => text],
  "a Union of words": [Schema.Union(Schema.Literal("none"), Long), (text) => text],
  "an Array": [Schema.Array(Long), (text) => [text]],
  "a NonEmptyArray": [Schema.NonEmptyArray(Long), (text) => [text]],
  "an ArrayEnsure": [Schema.ArrayEnsure(Long), (text) => text],
  "a Tuple": [Schema.Tuple(Long, Schema.Int), (text) => [text, 1]],
  "a Chunk": [Schema.Chunk(Long), (text) => [text]],
  "a Set": [Schema.ReadonlySet(Long), (text) => [text]],
  "a Map": [Schema.ReadonlyMap({ key: Schema.String, value: Long }), (text) => [["a", text]]],
  "a HashMap": [Schema.HashMap({ key: Schema.String, value: Long }), (text) => [["a", text]]],
  "a Record": [Schema.Record({ key: Schema.String, value: Long }), (text) => ({ any: text })],
  "a Record with words": [
    Schema.Record({ key: Schema.String, value: Long }).pipe(
      Schema.filter(() => true, { description: "pins" })
    ),
    (text) => ({ any: text })
  ],
  "a Struct": [
    Schema.Struct({ user: Schema.String, pin: Long }),
    (text) => ({ user: "u", pin: text })
  ],
  "a Struct, described": [
    Schema.Struct({ pin: Long }).annotations({ description: "who" }),
    (text) => ({ pin: text })
  ],
  "a key by another name": [
    Schema.Struct({ inner: Schema.propertySignature(Long).pipe(Schema.fromKey("pin")) }),
    (text) => ({ pin: text })
  ],
  "a Class": [Credentials, (text) => ({ user: "u", pin: text })],
  "a TaggedClass": [Tagged, (text) => ({ _tag: "Tagged", pin: text })],
  "a suspended Struct": [Tree, (text) => ({ next: { next: { pin: text } } })],
  JSON: [Schema.parseJson(Schema.Struct({ pin: Long })), (text) => JSON.stringify({ pin: text })],
  "a mutable Array": [Schema.mutable(Schema.Array(Long)), (text) => [text]],
  "a partial Struct": [Schema.partial(Schema.Struct({ pin: Long })), (text) => ({ pin: text })],
  "an extended Struct": [
    Schema.extend(Schema.Struct({ user: Schema.String }), Schema.Struct({ pin: Long })),
    (text) => ({ user: "u", pin: text })
  ]
}

const pinned = (field: Schema.Struct.Field) => Schema.Struct({ field })
const noRules = () => []

const textOf = (checked: Either.Either<unknown, unknown>) =>
  Either.match(checked, { onLeft: (issues) => JSON.stringify(issues), onRight: () => "" })

describe("a secret of the schema", () => {
  for (const [name, [field, written]] of Object.entries(wrappers)) {
    // The fields are of many types, and the same is asked of each.
    const config = pinned(field) as Schema.Struct<Record<"field", Schema.Schema<unknown>>>

    it(`is not shown where a file has it wrong, nor is what contains it: ${name}`, () => {
      const wrong = textOf(Decoder.decode(config, noRules, { field: written(canary) }))
      assert.include(wrong, "expected")
      assert.notInclude(wrong, canary)
      for (const other of [canary, [canary], { other: canary }, [[canary]], { pin: [canary] }]) {
        assert.notInclude(textOf(Decoder.decode(config, noRules, { field: other })), canary)
      }
      const number = textOf(Decoder.decode(config, noRules, { field: 271828 }))
      assert.notInclude(number, "271828")
    })

    it(`is not shown where code has it wrong: ${name}`, () => {
      for (const value of [written(canary), Redacted.make(canary), canary]) {
        const wrong = textOf(Decoder.validate(config, noRules, { field: value }))
        assert.notInclude(wrong, canary)
      }
    })

    it(`is found among the secrets of a configuration, and known to describe: ${name}`, () => {
      const input = { field: written(right) }
      assert.notInclude(Decoder.secretsOf(config, input).scrub(`it was ${right} and`), canary)
      assert.isAbove(ConfigSecrets.collect(config, input).length, 0)
      assert.isTrue(Secrecy.isHidden(config.ast, ["field"]))
    })
  }

  it("is hidden in what was decoded, where the schema leaves it a plain text", () => {
    const config = Schema.Struct({ pin: Plain.annotations(annotated) })
    const decoded = Schema.decodeSync(config)({ pin: right })
    assert.strictEqual(Decoder.secretsOf(config, decoded).scrub(right), "<redacted>")
  })

  it("is not taken for one by its words", () => {
    const config = Schema.Struct({
      field: Schema.String.pipe(Schema.minLength(30)).annotations({
        identifier: "SecretGarden",
        description: "Redacted books of a secret garden"
      })
    })
    const issues = textOf(Decoder.decode(config, noRules, { field: "a bench" }))
    assert.include(issues, "a bench")
    assert.isFalse(Secrecy.isHidden(config.ast, ["field"]))
  })
})

const Pinned = Check.make("pinned", {
  description: "Has secrets",
  config: {
    pin: ConfigField.withDefault(Plain.annotations(annotated), right),
    door: Schema.optional(Schema.Struct({ code: Long, name: Schema.String })),
    keys: Schema.optional(Schema.Record({ key: Schema.String, value: Long })),
    shown: Schema.optional(Schema.String)
  },
  error: Schema.Struct({
    _tag: Schema.Literal("E"),
    reason: Schema.Literal("R"),
    message: Schema.String
  }),
  probe: ({ pin }) => Effect.succeed(Outcome.healthy(`opened with ${pin}`)),
  services: () => Layer.empty
})

describe("the JSON Schema of a configuration", () => {
  it("marks what is secret, at every depth", () => {
    const json = JSON.parse(JSON.stringify(JsonSchema.make([Pinned], []))) as {
      properties: {
        checks: {
          additionalProperties: { oneOf: ReadonlyArray<{ properties: Record<string, unknown> }> }
        }
      }
    }
    const fields = json.properties.checks.additionalProperties.oneOf[0]?.properties ?? {}
    assert.include(JSON.stringify(fields["pin"]), '"writeOnly":true')
    assert.include(JSON.stringify(fields["keys"]), '"writeOnly":true')
    assert.strictEqual(JSON.stringify(fields["door"]).split('"writeOnly":true').length, 2)
    assert.notInclude(JSON.stringify(fields["shown"]), "writeOnly")
    assert.notInclude(JSON.stringify(json), canary)
  })
})
