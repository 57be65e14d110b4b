/** A plan for the shutdown that cannot work, and what to change. */
import { Schema } from "effect"

/**
 * | reason | what it means |
 * | --- | --- |
 * | `OverGrace` | the limits add up to more than the platform waits before it kills |
 * | `UnknownPhase` | a hook or a phase refers to a phase that does not exist |
 * | `DuplicatePhase` | two phases have one name |
 */
export class PlanError extends Schema.TaggedError<PlanError>("holter/Lifecycle/PlanError")(
  "PlanError",
  {
    reason: Schema.Literal("OverGrace", "UnknownPhase", "DuplicatePhase"),
    /** What was found: the sum, or the name. */
    found: Schema.String,
    /** What was expected: the grace, or the names there are. */
    expected: Schema.String
  }
) {
  override get message(): string {
    switch (this.reason) {
      case "OverGrace":
        return `The shutdown would take up to ${this.found}, and the platform kills after ${this.expected}: shorten limits, or raise the grace here and there`
      case "UnknownPhase":
        return `There is no shutdown phase "${this.found}": expected one of ${this.expected}`
      case "DuplicatePhase":
        return `There is a shutdown phase "${this.found}" already: choose another name than ${this.expected}`
    }
  }
}
