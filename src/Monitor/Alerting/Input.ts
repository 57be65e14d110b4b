/**
 * What reaches alerting from outside, in the order in which it came.
 *
 * @internal
 */
import { Data, type Deferred } from "effect"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { News } from "../../Alert/Notifier.js"
import type { CheckResult } from "../../Check/CheckResult.js"

export type Input = Data.TaggedEnum<{
  Checked: { readonly result: CheckResult }
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
  /** From now on there are no more results. */
  Rest: { readonly done: Deferred.Deferred<void> | undefined }
  /** It is time to look at the time. */
  Look: { readonly done: Deferred.Deferred<void> | undefined }
}>

export const Input = Data.taggedEnum<Input>()
