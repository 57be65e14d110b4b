/**
 * The configuration cannot be used. Everything that is wrong is listed at once.
 */
import { Schema } from "effect"
import { ConfigIssue, formatIssues } from "../Plugin/ConfigIssue.js"

export class ConfigurationError extends Schema.TaggedError<ConfigurationError>(
  "holter/Cli/ConfigurationError"
)("ConfigurationError", { source: Schema.String, issues: Schema.Array(ConfigIssue) }) {
  get lines(): ReadonlyArray<string> {
    return formatIssues(`The configuration (${this.source}) cannot be used:`, this.issues)
  }
  override get message(): string {
    return this.lines.join("\n")
  }
}

/** A flag has a value that makes no sense; the usage is to blame, not the configuration. */
export class UsageError extends Schema.TaggedError<UsageError>("holter/Cli/UsageError")(
  "UsageError",
  { flag: Schema.String, expected: Schema.String, found: Schema.String }
) {
  override get message(): string {
    return `${this.flag}: expected ${this.expected}, found ${this.found}`
  }
}
