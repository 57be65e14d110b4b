/** What a value must be is known by its schema's annotation, whatever wraps it and however it is described. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Either, Schema } from "effect"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import { formatIssue } from "../../src/Plugin/ConfigIssue.js"
import * as Decoder from "../../src/Plugin/Decoder.js"

const refused = (field: Schema.Struct.Field, value: unknown): string => {
  const config = Schema.Struct({ field }) as Schema.Struct<Record<"field", Schema.Schema<unknown>>>
  return Either.match(
    Decoder.decode(config, () => [], { field: value }),
    {
      onLeft: (issues) => issues.map(formatIssue).join("\n"),
      onRight: () => "taken"
    }
  )
}

const { count, duration, durationOrZero, percent, port } = ConfigField
const time = 'a duration such as "10 seconds"'
const purpose = { description: "how long to wait" }

/** A field, a wrong value, and what is expected instead of it. */
const fields: Readonly<Record<string, readonly [Schema.Struct.Field, unknown, string]>> = {
  itself: [duration, "soon", time],
  optional: [Schema.optional(duration), "soon", time],
  "described anew": [duration.annotations(purpose), "soon", `${time} (how long to wait)`],
  "described anew, a number": [duration.annotations(purpose), 10, `${time} (how long to wait)`],
  "described anew, optional": [
    Schema.optional(duration.annotations(purpose)),
    "soon",
    `${time} (how long to wait)`
  ],
  "described anew, with a default": [
    ConfigField.withDefault(duration.annotations(purpose), "1 second"),
    "soon",
    `${time} (how long to wait)`
  ],
  "named anew": [
    duration.annotations({ identifier: "Patience", title: "patience" }).annotations(purpose),
    "soon",
    `${time} (how long to wait)`
  ],
  "described without the word, with a 0": [
    durationOrZero.annotations(purpose),
    "soon",
    'a duration such as "10 seconds", or "0 seconds" (how long to wait)'
  ],
  "a filter of it": [
    duration.pipe(
      Schema.filter((input) => Duration.greaterThan(input, "1 second"), {
        description: "longer than a second"
      })
    ),
    "10 ms",
    `${time} (longer than a second)`
  ],
  "a brand of it": [Schema.optional(duration.pipe(Schema.brand("Wait"))), "soon", time],
  "beside a word": [Schema.Union(Schema.Literal("never"), duration), "soon", time],
  "one of two": [Schema.Union(count, duration), "soon", `a whole number of at least 1 or ${time}`],
  "one of two, described": [
    Schema.Union(count, duration).annotations(purpose),
    "soon",
    `a whole number of at least 1 or ${time} (how long to wait)`
  ],
  "a percentage": [
    percent.annotations({ description: "of the disk" }),
    101,
    "a percentage from 0 to 100 (of the disk)"
  ],
  "a port": [
    port.annotations({ description: "of the API" }),
    0,
    "a port number from 1 to 65535 (of the API)"
  ],
  "a count": [
    count.annotations({ description: "of jobs" }),
    1.5,
    "a whole number of at least 1 (of jobs)"
  ],
  "a form of a plugin": [
    Schema.String.pipe(Schema.pattern(/^#[0-9a-f]{6}$/))
      .annotations({ [ConfigField.FormId]: { expected: "a colour such as #00ff00" } })
      .annotations({ description: "of what is healthy" }),
    "red",
    "a colour such as #00ff00 (of what is healthy)"
  ]
}

describe("the form of a value", () => {
  for (const [name, [field, wrong, expected]] of Object.entries(fields)) {
    it(`is expected, whatever the field is for: ${name}`, () => {
      assert.include(refused(field, wrong), `field: expected ${expected}, found`)
    })
  }

  it("of a duration is longer than 0, and says so", () => {
    const found = 'found "0 s", and it must be longer than 0'
    assert.include(refused(duration.annotations(purpose), "0 s"), found)
    assert.include(refused(Schema.optional(duration), "0 s"), found)
    assert.strictEqual(refused(durationOrZero, "0 s"), "taken")
  })

  it("is not read out of names and words", () => {
    const field = Schema.declare((input): input is Date => input instanceof Date, {
      identifier: "DurationInput",
      description: "the date until which it lasts"
    })
    assert.strictEqual(
      refused(field, "0 s"),
      'field: expected the date until which it lasts, found "0 s"'
    )
    const words = Schema.String.pipe(
      Schema.filter((text) => text === "", { description: "its end" })
    )
    assert.strictEqual(refused(words, "0 s"), 'field: expected its end, found "0 s"')
  })
})
