/**
 * Details as they will be read. What is no JSON must neither stop the report of all other checks nor
 * carry a secret past the search for it.
 *
 * @internal
 */
import type { Secrets } from "../Common/Secrets.js"
import type { Details, Json } from "./Outcome.js"

/** Keys are searched for secrets too: a map of a plugin's may have its accounts as keys. */
export const clean = (details: Details, { scrub }: Secrets): Details =>
  spotless(details, scrub) ?? (scrubbed(asJson(details), scrub) as Details)

/**
 * Nearly all details are a flat record without a secret, for which the way through JSON is a waste,
 * and one search is enough: what is found in a part is found in the text of all parts.
 */
const spotless = (details: Details, scrub: (text: string) => string): Details | undefined => {
  if (Object.getPrototypeOf(details) !== Object.prototype) return undefined
  const copy: Record<string, Json> = {}
  let text = ""
  for (const key of Object.keys(details)) {
    const value = details[key]
    if (key === "__proto__") return undefined
    if (typeof value === "string") {
      text += `\n${key}\n${value}`
      copy[key] = value
    } else if (typeof value === "boolean" || value === null || Number.isFinite(value)) {
      text += `\n${key}`
      copy[key] = value as Json // a number, a boolean or null
    } else return undefined
  }
  return scrub(text) === text ? copy : undefined
}

const asJson = (details: Details): Json =>
  JSON.parse(
    JSON.stringify(details, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value
    )
  ) as Json

const scrubbed = (value: Json, scrub: (text: string) => string): Json => {
  if (typeof value === "string") return scrub(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((item: Json) => scrubbed(item, scrub))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [scrub(key), scrubbed(item, scrub)])
  )
}
