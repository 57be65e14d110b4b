/** What is wrong in a configuration, as a value: its place, what was expected, what was found. */
import { Schema } from "effect"
import * as Text from "../Common/Text.js"

/**
 * One thing that is wrong in a configuration: where, what was expected, what was found. A secret
 * is never shown, not even a wrong one.
 */
export const ConfigIssue = Schema.Struct({
  path: Schema.Array(Schema.String),
  expected: Schema.String,
  found: Schema.String
})

export type ConfigIssue = typeof ConfigIssue.Type

export const formatIssue = (issue: ConfigIssue): string =>
  `${issue.path.map(onOneLine).join(".") || "(top level)"}: expected ${issue.expected}, found ${issue.found}`

/** The lines of an error that lists all of them. */
export const formatIssues = (
  heading: string,
  issues: ReadonlyArray<ConfigIssue>
): ReadonlyArray<string> => [heading, ...issues.map((issue) => `  ${formatIssue(issue)}`)]

/** A key may be any text, also one with line breaks. */
const onOneLine = (step: string): string =>
  Text.visible(step) === step ? step : Text.escaped(JSON.stringify(step))
