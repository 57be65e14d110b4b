/** A law that a plugin breaks. */
import { Effect, Schema } from "effect"

export class ContractViolation extends Schema.TaggedError<ContractViolation>(
  "holter/testing/PluginContract/ContractViolation"
)("ContractViolation", {
  check: Schema.String,
  law: Schema.String,
  expected: Schema.String,
  found: Schema.String
}) {
  override get message(): string {
    return `The check "${this.check}" breaks the law of its ${this.law}: expected ${this.expected}, found ${this.found}`
  }
}

/** Fails where something does not hold. */
export const holds =
  (check: { readonly type: string }, law: string) =>
  (holding: boolean, expected: string, found: string): Effect.Effect<void, ContractViolation> =>
    holding
      ? Effect.void
      : Effect.fail(new ContractViolation({ check: check.type, law, expected, found }))
