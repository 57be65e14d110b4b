/**
 * The address of an API.
 *
 * @internal
 */
import { Schema } from "effect"

const description = "the address of an API such as https://api.example.com, without a query"

export const apiUrl = Schema.String.pipe(
  Schema.filter((text) => /^https?:\/\//i.test(text) && URL.canParse(text) && !/[?#]/.test(text), {
    // It may carry a password, so a wrong one is not shown.
    identifier: "SecretApiUrl",
    description,
    // Without this the description of a bare filter is not part of the JSON Schema.
    jsonSchema: { description }
  })
)
