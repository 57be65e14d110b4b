/**
 * The address of an API.
 *
 * @internal
 */
import { Schema } from "effect"
import * as ConfigField from "../../Plugin/ConfigField.js"

const description = "the address of an API such as https://api.example.com, without a query"

export const apiUrl = Schema.String.pipe(
  Schema.filter((text) => /^https?:\/\//i.test(text) && URL.canParse(text) && !/[?#]/.test(text), {
    // It may carry a password, so a wrong one is not shown.
    [ConfigField.SecretId]: "url",
    identifier: "ApiUrl",
    description
  })
)
