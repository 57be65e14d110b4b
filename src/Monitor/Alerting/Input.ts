/**
 * What reaches alerting from outside, in the order in which it came.
 *
 * @internal
 */
import { Data, type Deferred } from "effect"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type * as Maintenance from "../../Alert/Maintenance.js"
import type { News } from "../../Alert/Notifier.js"
import type { RegisteredCheck } from "../../Check/CheckRegistry.js"
import type { HealthEvent } from "../HealthEvent.js"
import type { Rules } from "./Rules.js"

/** Another policy, and what else is another since it was made. */
export interface Change {
  readonly rules: Rules
  readonly maintenance: ReadonlyArray<Maintenance.Window>
  /** Registrations that are over: a result of theirs that comes now is dropped. */
  readonly gone: ReadonlyArray<RegisteredCheck>
  /** Channels that are others under the same name: what failed with the one before is tried again. */
  readonly changedChannels: ReadonlyArray<string>
  readonly removedChannels: ReadonlyArray<string>
  readonly event: (at: number) => AlertPolicy.Event.Event
}

/** A result as the monitor published it, or what befalls alerting itself. */
export type Input = Extract<HealthEvent, { readonly _tag: "Checked" }> | Asked

type Asked = Data.TaggedEnum<{
  /** What somebody said: a silence, an acknowledgement, that a channel is back. */
  Said: {
    /** It happens when it is folded: events of the past would look like a clock that was set. */
    readonly event: (at: number) => AlertPolicy.Event.Event
    readonly done: Deferred.Deferred<void> | undefined
    /** The id of what another program left in the journal: it is gone once this is written. */
    readonly request?: string
  }
  Disabled: { readonly channel: string; readonly why: string }
  /** What else befalls a channel. */
  News: { readonly news: News }
  Reconfigured: { readonly change: Change; readonly done: Deferred.Deferred<void> | undefined }
  /** From now on results are due, or none is. */
  Beating: { readonly isBeating: boolean; readonly done: Deferred.Deferred<void> | undefined }
  /** It is time to look at the time. */
  Look: { readonly done: Deferred.Deferred<void> | undefined }
}>

export const Input = Data.taggedEnum<Asked>()
