/** Whether monitoring itself is alive, as a dead man's switch reports it. */
import { Context, Data, type Duration, type Effect } from "effect"
import type { Status } from "../Check/CheckResult.js"

export type Vital = Data.TaggedEnum<{
  /** Checks beat and have results. */
  Alive: { readonly overall: Status }
  /** The heartbeat is running, and nothing comes of it. */
  Stuck: { readonly why: string }
  /** It is not running, or there is no result yet. */
  Quiet: Readonly<Record<never, never>>
}>

export const Vital = Data.taggedEnum<Vital>()

export class Vitals extends Context.Tag("holter/Alert/Vitals")<
  Vitals,
  { readonly now: Effect.Effect<Vital> }
>() {}

/** What the layer of a dead man's switch gives: a layer that pings nobody is none. */
export class DeadManSwitch extends Context.Tag("holter/Alert/DeadManSwitch")<
  DeadManSwitch,
  { readonly interval: Duration.DurationInput }
>() {}
