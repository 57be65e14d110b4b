/**
 * What the fold remembers. All of it goes to the journal and comes back after a restart.
 *
 * Times are those of the fold's own clock, which never goes back: the wall clock plus `offset`.
 */
import { HashMap, Schema } from "effect"
import { Status } from "../../Check/CheckResult.js"
import * as Thresholds from "../../Check/Thresholds.js"
import { Severity } from "../Alert.js"

const time = Schema.Number

/** What is known of a check, incident or not. */
export const CheckState = Schema.Struct({
  /** The last status that was known. */
  status: Status,
  /** The one before the failures began. */
  previous: Status,
  message: Schema.String,
  lastResult: time,
  /** Without a result by then the check is stale; `null` when that was told already. */
  expectedBy: Schema.NullOr(time),
  /** Results in a row that were not healthy. */
  failures: Schema.Number,
  /** Of them, the last ones in a row that were unhealthy. */
  unhealthy: Schema.Number,
  successes: Schema.Number,
  /** The first of the failures in a row. */
  failingSince: Schema.NullOr(time),
  /** When an incident opened, as far back as flapping looks. */
  openings: Schema.Array(time),
  /** When the last incident ended. */
  recovered: Schema.NullOr(time),
  /** When messages were sent, by channel, as far back as the cap looks. */
  sent: Schema.Record({ key: Schema.String, value: Schema.Array(time) })
})

export type CheckState = typeof CheckState.Type

/** An incident that is open. */
export const Incident = Schema.Struct({
  id: Schema.String,
  service: Schema.String,
  /** `stale`: opened because no result came. */
  cause: Schema.Literal("failures", "stale"),
  severity: Severity,
  previous: Status,
  /** What people called it when it opened, and what they were to do: for its end, where it is checked no more. */
  guidance: Schema.optional(
    Schema.Struct({
      label: Schema.String,
      link: Schema.optional(Schema.String),
      runbook: Schema.optional(Schema.String)
    })
  ),
  opened: time,
  /** When it began: the first failure. */
  since: time,
  /** The channels that were told, and what they were told last. */
  told: Schema.Record({ key: Schema.String, value: Severity }),
  /** For channels that know it under other ids, as a run without the journal told it: all of these. */
  names: Schema.optionalWith(
    Schema.Record({ key: Schema.String, value: Schema.Array(Schema.String) }),
    { default: () => ({}) }
  ),
  /** How many messages there were about it. */
  messages: Schema.Number,
  /** Reminders so far, and when the next one is due; none before somebody was told. */
  reminders: Schema.Number,
  remindAt: Schema.NullOr(time),
  acknowledgedBy: Schema.NullOr(Schema.String),
  /** Whether it flaps, how often it changed, when the last time, and whether it is up now. */
  flapping: Schema.NullOr(
    Schema.Struct({ changes: Schema.Number, lastChange: time, up: Schema.Boolean })
  ),
  /** Channels that are told in the place of another one, which did not take what was told, and of which. */
  standIns: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), {
    default: () => ({})
  }),
  /** What holds its messages back, as it was last decided. */
  held: Schema.Array(Schema.String)
})

export type Incident = typeof Incident.Type

/** A maintenance or a silence. */
export const Quiet = Schema.Struct({
  kind: Schema.Literal("Maintenance", "Silence"),
  id: Schema.String,
  services: Schema.NullOr(Schema.Array(Schema.String)),
  until: Schema.NullOr(time),
  why: Schema.String
})

export type Quiet = typeof Quiet.Type

/** An incident that is over, whose end some channels do not have yet. */
export const Ended = Schema.Struct({
  incident: Incident,
  at: time,
  message: Schema.String,
  why: Schema.String,
  rule: Schema.Literal("recovery", "flapping", "removed"),
  channels: Schema.Array(Schema.String),
  /** Channels that are told in the place of another one, and of which. */
  standIns: Schema.Record({ key: Schema.String, value: Schema.String })
})

export type Ended = typeof Ended.Type

export const State = Schema.Struct({
  now: time,
  offset: Schema.Number,
  /** Since when Holter runs without a gap: its start, or the end of the machine's sleep. */
  awakeSince: time,
  /** No rule that goes by time has anything to say before. */
  due: Schema.NullOr(time),
  sequence: Schema.Number,
  checks: Schema.HashMap({ key: Schema.String, value: CheckState }),
  /** By service: there is one open incident of each at most. */
  incidents: Schema.Record({ key: Schema.String, value: Incident }),
  ended: Schema.Array(Ended),
  /** When what starts or ends together is told. */
  groupUntil: Schema.NullOr(time),
  quiets: Schema.Array(Quiet),
  /** Disabled channels, and why. */
  disabled: Schema.Record({ key: Schema.String, value: Schema.String }),
  /** Channels that take nothing for a while, and why: what is new goes to their fallback. */
  unreachable: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), {
    default: () => ({})
  })
})

export type State = typeof State.Type

export const initial: State = {
  now: 0,
  offset: 0,
  awakeSince: 0,
  due: null,
  sequence: 0,
  checks: HashMap.empty(),
  incidents: {},
  ended: [],
  groupUntil: null,
  quiets: [],
  disabled: {},
  unreachable: {}
}

/**
 * What comes now is counted from nothing.
 *
 * @internal
 */
export const uncounted = { ...Thresholds.none, failingSince: null }

/**
 * @internal
 */
export const unseen: CheckState = {
  ...uncounted,
  status: "unknown",
  previous: "unknown",
  message: "No result yet",
  lastResult: 0,
  expectedBy: null,
  openings: [],
  recovered: null,
  sent: {}
}
