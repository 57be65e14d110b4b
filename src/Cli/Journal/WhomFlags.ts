/**
 * Names of services, or `--all`: whom it is about. Neither is no answer, since an empty variable of a shell
 * would mean everything.
 */
import * as Args from "@effect/cli/Args"
import * as CliOptions from "@effect/cli/Options"
import { Effect } from "effect"
import { UsageError } from "../ConfigurationError.js"

export interface WhomFlags {
  readonly services: ReadonlyArray<string>
  readonly all: boolean
}

export const whomFlags = (all: string) => ({
  services: Args.repeated(Args.text({ name: "service" })),
  all: CliOptions.boolean("all").pipe(CliOptions.withDescription(all))
})

/** Each name once; `null` is all of them. */
export const whomOf = (
  command: string,
  { all, services }: WhomFlags
): Effect.Effect<ReadonlyArray<string> | null, UsageError> => {
  if (all !== services.length > 0) return Effect.succeed(all ? null : [...new Set(services)])
  const found = all ? "both" : "neither"
  return new UsageError({ flag: command, expected: "names of services, or --all", found })
}
