/**
 * Fields for secrets of a known form. The value is not shown when it has another form: a mistyped
 * secret is still one.
 *
 * @internal
 */
import { type Redacted, Schema } from "effect"

export const secretOf = (options: {
  readonly identifier: string
  /** What is expected, in words. */
  readonly description: string
  readonly is: (text: string) => boolean
}): Schema.Schema<Redacted.Redacted<string>, string> => {
  const { description, identifier } = options
  // Both the text and the redacted text are named: a wrong value may be reported on either.
  return Schema.Redacted(
    Schema.String.pipe(Schema.filter(options.is, { identifier, description }))
  ).annotations({ identifier, description })
}
