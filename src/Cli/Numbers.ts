/**
 * `port: ${PORT}` is a text to YAML. Where a text that came from a variable is refused and reads as
 * a number or a boolean, that is tried instead; a token of digits stays the text that it is. Pure.
 */
import { Either, Predicate } from "effect"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"

type Decode<A> = (input: unknown) => Either.Either<A, ReadonlyArray<ConfigIssue>>

/** `path` is where the input lies in the file; `interpolated` are the paths of variables there. */
export const withNumbers =
  (path: ReadonlyArray<string>, interpolated: ReadonlySet<string>) =>
  <A>(input: unknown, decode: Decode<A>): Either.Either<A, ReadonlyArray<ConfigIssue>> =>
    Either.orElse(decode(input), (issues) => {
      const places = issues.filter((issue) => interpolated.has([...path, ...issue.path].join("\0")))
      const converted = places.reduce((value, issue) => convertAt(value, issue.path), input)
      return converted === input ? Either.left(issues) : decode(converted)
    })

/** The same value where nothing at this path reads as a number or a boolean. */
const convertAt = (value: unknown, path: ReadonlyArray<string>): unknown => {
  const [key, ...rest] = path
  if (key === undefined) {
    const reads = typeof value === "string" && /^(true|false|-?\d+(\.\d+)?)$/.test(value)
    return reads ? (Number.isNaN(Number(value)) ? value === "true" : Number(value)) : value
  }
  if (Array.isArray(value)) {
    const items: ReadonlyArray<unknown> = value
    return items.map((item, index) => (String(index) === key ? convertAt(item, rest) : item))
  }
  return Predicate.isRecord(value) ? { ...value, [key]: convertAt(value[key], rest) } : value
}
