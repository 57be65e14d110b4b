/**
 * What channels are to hear about one incident, on its way through the stages that hold it back, and what
 * may hold it back.
 *
 * @internal
 */
import type { Kind, Severity } from "../Alert.js"
import type { Rule, SuppressionReason } from "./Decision.js"
import type { Millis } from "./Policy.js"
import type { Ended, Incident } from "./State.js"

export interface Notification {
  /** That it opened or became worse, that it is open still, or that it is over. */
  readonly about: "change" | "reminder" | "end"
  /** As it is in the state: at its worst. */
  readonly incident: Incident
  /** How bad a message may say it is; nothing while its last result is healthy. */
  readonly severity: Severity | undefined
  readonly channels: ReadonlyArray<string>
  /** What holds it back: all of it, or what each of several channels would get. */
  readonly heldBy: ReadonlyArray<Suppression>
  /** How it ended, where it is about that. */
  readonly ended?: Ended
}

export interface Suppression {
  readonly reason: SuppressionReason | "Recovering" | "NoRoute"
  readonly rule: Rule
  readonly why: string
  /** What the end of this suppression leads to, for the text of its decision. */
  readonly then?: string
  /** Differs between suppressions of one kind, so that each gets one decision. */
  readonly id: string
  /** When it ends by itself; what else ends it is an event. */
  readonly until: Millis | undefined
  /** The service that explains it, where it is a dependency. */
  readonly root?: string
}

/** The incident as a message may describe it now. */
export const present = ({ incident, severity }: Notification): Incident =>
  severity === undefined || severity === incident.severity ? incident : { ...incident, severity }

/** What one channel hears about one incident: a notification in words, before others join it in an alert. */
export interface Message {
  readonly incident: Incident
  readonly channel: string
  readonly kind: Kind
  readonly rule: Rule
  readonly why: string
  /** The channel that takes nothing, in whose place this one is notified. */
  readonly insteadOf: string | null
  /** When and how it ended and what there was to say then; nothing while it is open. */
  readonly over?: {
    readonly at: Millis
    readonly message: string
    readonly status: "healthy" | "unknown"
  }
}
