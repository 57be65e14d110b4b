/**
 * Schema fields for the configuration of checks. Each has a `Type` that is pleasant in code and an
 * `Encoded` side that is pleasant in YAML, and says in words what it expects.
 */
import { Duration, Option, ParseResult, Redacted, Schema } from "effect"
import * as SpanText from "../Common/SpanText.js"
import * as Annotation from "./Annotation.js"

const durationThat = (options: {
  readonly identifier: string
  readonly description: string
  /** For editors. */
  readonly pattern: string
  readonly examples: ReadonlyArray<string>
  readonly holds: (duration: Duration.Duration) => boolean
}): Schema.Schema<Duration.DurationInput, string> => {
  const { description, examples, holds, identifier, pattern } = options
  // What code writes goes to Effect as it is, whose own grammar is the smaller one.
  const isOne = (input: unknown) =>
    typeof input !== "number" &&
    Option.exists(Option.filter(Duration.decodeUnknown(input), Duration.isFinite), holds)
  const Input = Schema.declare((input): input is Duration.DurationInput => isOne(input), {
    identifier: `${identifier}Input`,
    description,
    [Annotation.FormId]: { expected: description, hint: noTime } satisfies Annotation.Form
  })
  return Schema.transformOrFail(
    Schema.String.annotations({
      description,
      jsonSchema: { type: "string", description, pattern, examples }
    }),
    Input,
    {
      strict: true,
      decode: (text, _, ast) =>
        Option.match(Option.filter(SpanText.parse(text), holds), {
          onNone: () =>
            ParseResult.fail(new ParseResult.Type(ast, text, `Expected ${description}`)),
          onSome: ParseResult.succeed
        }),
      encode: (input) => ParseResult.succeed(`${Duration.toMillis(input)} millis`)
    }
  ).annotations({ identifier, description })
}

/** Only of those that are refused: where none at all is fine, it is no issue. */
const noTime = (actual: unknown): string | undefined =>
  Option.exists(SpanText.fromUnknown(actual), (value) => Duration.toMillis(value) <= 0)
    ? "and it must be longer than 0"
    : undefined

/**
 * A span of time: `"10s"`, `"1h 30m"`, `"10 seconds"` or any other `Duration.DurationInput`. A bare number
 * is refused: nobody remembers whether it means seconds. So is none at all; see `durationOrZero`.
 */
export const duration: Schema.Schema<Duration.DurationInput, string> = durationThat({
  identifier: "Duration",
  description: 'a duration such as "10 seconds"',
  pattern: `(?=.*[1-9])${SpanText.pattern}`,
  examples: ["10s", "1h 30m", "800 millis", "10 seconds"],
  holds: (value) => Duration.greaterThan(value, Duration.zero)
})

/** The same where none at all makes sense: what is not to be waited for, or not to happen. */
export const durationOrZero: Schema.Schema<Duration.DurationInput, string> = durationThat({
  identifier: "DurationOrZero",
  description: 'a duration such as "10 seconds", or "0 seconds"',
  pattern: SpanText.pattern,
  examples: ["0s", "10s", "1h 30m", "10 seconds"],
  holds: (value) => Duration.greaterThanOrEqualTo(value, Duration.zero)
})

/**
 * A secret: plain text in a file, `Redacted` from there to the driver's call. Line breaks and other
 * control characters are refused, as they come from a file read with its last newline and make a
 * header or a URL unusable.
 */
export const secret: Schema.Schema<Redacted.Redacted<string>, string> = Schema.Redacted(
  Schema.String.pipe(
    Schema.filter((text) => text.length > 0 && !/[\u0000-\u001f\u007f]/.test(text), {
      description: "a secret on one line, without control characters"
    })
  )
).annotations({ identifier: "Secret", description: "a secret, best given as ${VARIABLE}" })

/**
 * The annotation of a field whose value is not shown, for a schema without `Redacted`: `true` for a
 * secret, `"url"` for a URL that may carry one. What is `Redacted` needs none, whatever wraps it.
 *
 * @example
 * import { ConfigField } from "holter"
 * import { Schema } from "effect"
 *
 * const pin = Schema.String.annotations({ [ConfigField.SecretId]: true })
 */
export const SecretId: typeof Annotation.SecretId = Annotation.SecretId

/**
 * The annotation of a schema of one form, such as a percentage: `{ expected }` says in words what a value
 * must be. A message about a wrong value has them before the description of the field, which says what
 * the field is for.
 *
 * @example
 * import { ConfigField } from "holter"
 * import { Schema } from "effect"
 *
 * const Colour = Schema.String.pipe(Schema.pattern(/^#[0-9a-f]{6}$/)).annotations({
 *   description: "a colour such as #00ff00",
 *   [ConfigField.FormId]: { expected: "a colour such as #00ff00" }
 * })
 * const config = { good: Colour.annotations({ description: "the colour of what is healthy" }) }
 */
export const FormId: typeof Annotation.FormId = Annotation.FormId

/** A schema of one form. */
const formed = <A, I>(
  schema: Schema.Schema<A, I>,
  identifier: string,
  expected: string
): Schema.Schema<A, I> =>
  schema.annotations({ identifier, description: expected, [FormId]: { expected } })

/** A share of something in percent, 0 to 100. */
export const percent = formed(
  Schema.Number.pipe(Schema.between(0, 100)),
  "Percent",
  "a percentage from 0 to 100"
)

/** A TCP port. */
export const port = formed(
  Schema.Int.pipe(Schema.between(1, 65535)),
  "Port",
  "a port number from 1 to 65535"
)

/** A count of at least one. */
export const count = formed(
  Schema.Int.pipe(Schema.greaterThanOrEqualTo(1)),
  "Count",
  "a whole number of at least 1"
)

/** A field that may be left out, with the value it then has, both in a file and in code. */
export const withDefault = <A, I, R>(field: Schema.Schema<A, I, R>, value: NoInfer<A>) =>
  Schema.optionalWith(field, { default: () => value })
