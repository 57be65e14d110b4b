/**
 * Whether monitoring itself is alive, for those who tell somebody outside that it is.
 *
 * @since 0.1.0
 */
import { Context, Data, type Effect } from "effect"
import type { Status } from "../Check/CheckResult.js"

/**
 * @since 0.1.0
 * @category models
 */
export type Vital = Data.TaggedEnum<{
  /** Checks beat and have results. */
  Alive: { readonly overall: Status }
  /** The heartbeat is running, and nothing comes of it. */
  Stuck: { readonly why: string }
  /** It is not running, or there is no result yet. */
  Quiet: Readonly<Record<never, never>>
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const Vital = Data.taggedEnum<Vital>()

/**
 * @since 0.1.0
 * @category tags
 */
export class Vitals extends Context.Tag("holter/Alert/Vitals")<
  Vitals,
  { readonly now: Effect.Effect<Vital> }
>() {}
