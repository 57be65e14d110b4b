/** The options of alerts do not fit the program: they name what it does not have, or would keep alerts back. */
import { Schema } from "effect"
import { ConfigIssue, formatIssues } from "../Plugin/ConfigIssue.js"

export class AlertingOptionsError extends Schema.TaggedError<AlertingOptionsError>(
  "holter/Alert/AlertingOptionsError"
)("AlertingOptionsError", { issues: Schema.Array(ConfigIssue) }) {
  override get message(): string {
    return formatIssues("The options of alerts are wrong:", this.issues).join("\n")
  }
}
