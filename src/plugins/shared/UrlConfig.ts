/**
 * The rule of a check whose `url` must also parse. A schema says in one sentence what it expects; a
 * parser knows which part of a URL is wrong, and tells it without showing the URL.
 *
 * @internal
 */
import { Either, Redacted } from "effect"
import type { Use } from "../../Plugin/Plugin.js"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"

interface UrlIssue {
  readonly expected: string
  readonly found: string
}

/** On its own a check needs a `url` that parses; embedded, the program brings its own client. */
export const rule =
  (expected: string, parse: (url: string) => Either.Either<unknown, UrlIssue>) =>
  (given: Readonly<Record<string, unknown>>, use: Use): ReadonlyArray<ConfigIssue> => {
    if (use === "embedded") return []
    const field = given["url"]
    const url = Redacted.isRedacted(field) ? Redacted.value(field) : field
    if (url === undefined || url === null) return [{ path: ["url"], expected, found: "nothing" }]
    // What is no text, or an empty one, the schema tells.
    if (typeof url !== "string" || url === "") return []
    return Either.match(parse(url), {
      onLeft: (issue) => [{ path: ["url"], expected: issue.expected, found: issue.found }],
      onRight: () => []
    })
  }
