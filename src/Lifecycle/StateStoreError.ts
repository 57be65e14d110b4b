/** What can go wrong with a state file, and what to do about it. */
import { Schema } from "effect"

/**
 * | reason | what it means |
 * | --- | --- |
 * | `Newer` | a newer version of the program wrote the file: it is left as it is |
 * | `Unreadable` | the file is there and cannot be read |
 * | `Unwritable` | the file cannot be written |
 * | `Invalid` | the state does not fit its own schema |
 */
export class StateStoreError extends Schema.TaggedError<StateStoreError>(
  "holter/Lifecycle/StateStoreError"
)("StateStoreError", {
  reason: Schema.Literal("Newer", "Unreadable", "Unwritable", "Invalid"),
  file: Schema.String,
  found: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    switch (this.reason) {
      case "Newer":
        return `The state in ${this.file} is of ${this.found}: it is left as it is. Run the newer program, or move the file away to begin anew`
      case "Unreadable":
        return `The state in ${this.file} cannot be read (${this.found}): it must be a file that this user may read`
      case "Unwritable":
        return `The state could not be written to ${this.file} (${this.found}): what was saved there before is still there`
      case "Invalid":
        return `The state for ${this.file} was not saved: ${this.found}`
    }
  }
}
