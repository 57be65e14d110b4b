/**
 * What `holter silence` and `holter maintenance start` ask alike: of whom nobody is told, until when, and why.
 */
import * as CliOptions from "@effect/cli/Options"
import { configFlag } from "../Flags.js"
import * as EndFlags from "./EndFlags.js"
import type * as JournalRun from "./JournalRun.js"
import * as WhomFlags from "./WhomFlags.js"

export interface SuppressionFlags extends EndFlags.EndFlags, JournalRun.Asked, WhomFlags.WhomFlags {
  readonly why: string
}

export const suppressionFlags = {
  ...WhomFlags.whomFlags("Every service, also those that are added later"),
  ...EndFlags.endFlags,
  why: CliOptions.text("why").pipe(
    CliOptions.withDescription("A reason, which holter status and holter why show"),
    CliOptions.withDefault("by hand")
  ),
  config: configFlag
}
