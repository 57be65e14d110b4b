/** What the laws are told: the check, and samples of its configuration. */
import type { Either, Schema } from "effect"
import type * as Check from "../../Check/Check.js"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as Secrets from "../../Common/Secrets.js"

/** Anything made by `Check.make`. */
export interface Subject extends Check.Any {
  readonly error: Schema.Schema.AnyNoContext
}

/** What a check and a channel have in common: a configuration. */
export interface Configured {
  readonly type: string
  readonly config: Schema.Schema.AnyNoContext
  readonly decode: (input: unknown) => Either.Either<unknown, ReadonlyArray<ConfigIssue>>
}

/**
 * Configurations as a file has them. What they point to need not exist, and its absence is worth a
 * sample.
 */
export interface Samples {
  readonly valid: readonly [unknown, ...ReadonlyArray<unknown>]
  readonly invalid: ReadonlyArray<unknown>
  /** Stands in the samples where a secret would, at least six characters. */
  readonly secrets?: ReadonlyArray<string>
}

/** Which secret a text contains, in any of its forms. */
export const leakIn = (samples: Samples, text: string): string | undefined =>
  (samples.secrets ?? []).find((secret) => Secrets.make([secret]).scrub(text) !== text)

/** A sample as it may be shown. */
export const shown = (samples: Samples, sample: unknown): string =>
  Secrets.make(samples.secrets ?? []).scrub(JSON.stringify(sample) ?? "nothing")
