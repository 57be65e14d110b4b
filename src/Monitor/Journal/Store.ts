/**
 * A journal that is open: what can be read from it, and what it takes, past any buffer.
 *
 * @internal
 */
import type { Duration, Effect, Option, Stream } from "effect"
import type { Alert } from "../../Alert/Alert.js"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { Failed } from "./Buffer.js"
import type { Changes } from "./Changes.js"
import type * as Entry from "./Entry.js"
import type { JournalError } from "./JournalError.js"

export interface Reading {
  /**
   * The state of the alert policy, as it was written last. Until this run writes one it is what was
   * read when the journal was opened, and cannot fail.
   */
  readonly state: Effect.Effect<Option.Option<AlertPolicy.State>, JournalError>
  readonly results: (
    query: Entry.Query
  ) => Effect.Effect<ReadonlyArray<Entry.JournaledResult>, JournalError>
  readonly decisions: (
    query: Entry.Query
  ) => Effect.Effect<ReadonlyArray<AlertPolicy.Decision>, JournalError>
  readonly incidents: (
    query: Entry.Query
  ) => Effect.Effect<ReadonlyArray<Entry.JournaledIncident>, JournalError>
  /** All events since then, as they came, for the policy to be folded over again. */
  readonly history: (since: number) => Stream.Stream<AlertPolicy.Event.Event, JournalError>
  /** Leaves an event for the program that watches: a silence, an acknowledgement. */
  readonly request: (event: AlertPolicy.Event.Event) => Effect.Effect<void, JournalError>
  /**
   * What other programs left and this one has not taken yet, oldest first. It is gone with the step that
   * takes it (`Commit.taken`), and not before.
   */
  readonly requests: Effect.Effect<Entry.Requests, JournalError>
  /** Moves requests that cannot be read where they are in the way of no other. */
  readonly setAside: (
    unreadable: ReadonlyArray<Entry.Unreadable>
  ) => Effect.Effect<void, JournalError>
  /** What became of these alerts, by key; nothing of those that it does not know. */
  readonly deliveries: (
    alerts: ReadonlyArray<Pick<Alert, "channel" | "key">>
  ) => Effect.Effect<ReadonlyMap<string, Entry.Delivery>, JournalError>
}

export interface Store extends Reading {
  readonly write: (changes: Changes) => Effect.Effect<void, Failed>
  /** How long what need not be written at once may wait for more. */
  readonly gather: Duration.DurationInput
  /** What the outbox has. */
  readonly pending: Effect.Effect<ReadonlyArray<Alert>, JournalError>
}
