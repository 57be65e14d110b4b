/**
 * Secrets by names that the user chooses: the headers of a request, the variables of a command. Each
 * entry that is wrong is named by itself.
 *
 * @internal
 */
import { Schema } from "effect"
import * as ConfigField from "../../Plugin/ConfigField.js"

export const namedSecrets = (options: {
  /** What a name must be, in words. */
  readonly name: string
  readonly is: (name: string) => boolean
  readonly description: string
}) =>
  Schema.Record({
    key: Schema.String.pipe(
      Schema.filter(options.is, {
        description: options.name,
        jsonSchema: { description: options.name }
      })
    ),
    value: ConfigField.secret
  }).annotations({ description: options.description })

/** What a name of an HTTP header consists of. */
export const isHeaderName = (name: string): boolean => /^[\w!#$%&'*+.^`|~-]+$/.test(name)
