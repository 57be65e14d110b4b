/**
 * The part of JSONPath that names one place: `$`, `$.name`, `$.list[0].name` and `$['any name']`.
 * Wildcards, slices and filters name many places, and are refused.
 *
 * @internal
 */
import { Option, Predicate } from "effect"
import type { Json } from "../../Check/Outcome.js"

export type JsonPath = ReadonlyArray<string | number>

const step = /\.([A-Za-z_$][\w$-]*)|\[(\d+)\]|\['([^']+)'\]/y

export const parse = (text: string): Option.Option<JsonPath> => {
  if (!text.startsWith("$")) return Option.none()
  const path: Array<string | number> = []
  step.lastIndex = 1
  while (step.lastIndex < text.length) {
    const match = step.exec(text)
    if (match === null) {
      step.lastIndex = 0
      return Option.none()
    }
    path.push(match[2] === undefined ? (match[1] ?? match[3] ?? "") : Number(match[2]))
  }
  return Option.some(path)
}

/** What stands at the path; nothing where it leads nowhere. */
export const select = (value: unknown, path: JsonPath): Option.Option<unknown> => {
  let here = value
  for (const key of path) {
    const there =
      typeof key === "number"
        ? Array.isArray(here) && key < here.length
        : Predicate.isRecord(here) && Object.hasOwn(here, key)
    if (!there) return Option.none()
    here = (here as Readonly<Record<string | number, unknown>>)[key]
  }
  return Option.some(here)
}

/** Equality of JSON values; the order of keys does not count. */
export const same = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => same(item, b[index]))
    )
  }
  if (!Predicate.isRecord(a) || !Predicate.isRecord(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]))
  )
}

/** A value for a message. Whole: the runner cuts a message, after secrets were taken out of it. */
export const show = (value: Json | undefined): string => JSON.stringify(value) ?? "nothing"
