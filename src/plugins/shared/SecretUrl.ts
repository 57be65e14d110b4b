/**
 * The field of an HTTP URL that is a secret as a whole: whoever knows it may send there.
 *
 * @internal
 */
import type { Redacted, Schema } from "effect"
import * as ConfigField from "../../Plugin/ConfigField.js"
import { secretOf } from "./SecretField.js"

export const secretUrl = (options: {
  readonly identifier: string
  readonly description: string
}): Schema.Schema<Redacted.Redacted<string>, string> =>
  secretOf({
    ...options,
    is: (text) => URL.canParse(text) && /^https?:\/\//i.test(text) && !/[\s\p{Cc}]/u.test(text)
  }).annotations({ ...options, [ConfigField.SecretId]: "url" })
