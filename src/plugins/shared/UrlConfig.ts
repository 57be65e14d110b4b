/**
 * A check whose `url` must also parse. A schema says in one sentence what it expects; a parser knows
 * which part of a URL is wrong, and must tell it before the check runs, without showing the URL.
 *
 * @internal
 */
import { Effect, Either, Layer, Predicate, Redacted, type Schema } from "effect"
import type { Check } from "../../Check/Check.js"
import { CheckConfigError, type CheckFailure, type ConfigIssue } from "../../Check/CheckError.js"

interface UrlIssue {
  readonly expected: string
  readonly found: string
}

/**
 * The check, whose standalone forms refuse a `url` for which `parse` fails, and one that is missing.
 * Its embedded form stays as it is: there the program brings its own client.
 */
export const checked = <
  Type extends string,
  Fields extends Schema.Struct.Fields,
  E extends CheckFailure,
  R
>(
  check: Check<Type, Fields, E, R>,
  expected: string,
  parse: (url: string) => Either.Either<unknown, UrlIssue>
): Check<Type, Fields, E, R> => {
  const issuesOf = (config: unknown): ReadonlyArray<ConfigIssue> => {
    const given = Predicate.hasProperty(config, "url") ? config.url : undefined
    const url = Redacted.isRedacted(given) ? Redacted.value(given) : given
    if (url === undefined || url === null) return [{ path: ["url"], expected, found: "nothing" }]
    // What is no text, or an empty one, the schema tells.
    if (typeof url !== "string" || url === "") return []
    return Either.match(parse(url), {
      onLeft: (issue) => [{ path: ["url"], expected: issue.expected, found: issue.found }],
      onRight: () => []
    })
  }
  return {
    ...check,
    layerStandalone: (input, options) =>
      Layer.unwrapEffect(
        Effect.suspend(() => {
          const issues = issuesOf(input)
          return issues.length === 0
            ? Effect.succeed(check.layerStandalone(input, options))
            : new CheckConfigError({ check: options?.name ?? check.name, issues })
        })
      ),
    decode: (input, options, scrub) => {
      const issues = Predicate.isRecord(input) ? issuesOf(input) : []
      return Either.match(check.decode(input, options, scrub), {
        onLeft: (others) =>
          Either.left([...others, ...issues.filter((issue) => !others.some(samePath(issue)))]),
        onRight: (layer) => (issues.length === 0 ? Either.right(layer) : Either.left(issues))
      })
    }
  }
}

const samePath =
  (issue: ConfigIssue) =>
  (other: ConfigIssue): boolean =>
    other.path.join(".") === issue.path.join(".")
