/**
 * The shape of the `alerts` section of the configuration file, apart from the fields of each channel.
 */
import { DateTime, Option, Schema } from "effect"
import * as Maintenance from "../../Alert/Maintenance.js"
import * as Routes from "../../Alert/Routes.js"
import * as ConfigField from "../../Plugin/ConfigField.js"
import type * as Decoder from "../../Plugin/Decoder.js"
import * as DeadMan from "../../plugins/DeadMan.js"
import * as Section from "../Section.js"

/**
 * What stands behind it describes the field and not the mapping in it: a mapping that described
 * itself would hide what is wrong inside.
 */
const optional = <A, I>(field: Schema.Schema<A, I>) => Schema.optionalWith(field, { exact: true })

const ChannelEntry = Schema.Record({ key: Schema.String, value: Schema.Unknown }).pipe(
  Schema.filter((entry) => typeof entry["type"] === "string", {
    description: "a mapping with a `type` (see `holter plugins list`) and the fields of that type"
  })
)

/** What an entry says beside the type and the fields of its channel. */
export const ChannelRules = Schema.Struct({
  grouped: optional(
    Schema.Boolean.annotations({
      description: "false: outages that start together are separate messages, at once"
    })
  ),
  reminders: optional(
    Schema.Boolean.annotations({ description: "false: no reminders of what is still down" })
  ),
  unreachable: optional(
    Schema.Struct({
      attempts: ConfigField.withDefault(ConfigField.count, 5),
      after: ConfigField.withDefault(ConfigField.duration, "5 minutes")
    })
  ).annotations({
    description:
      "after so many attempts, and so long, in which it took nothing its fallback is notified in its place (default 5, 5 minutes)"
  })
})

const Limits = Schema.Struct({
  startGrace: optional(
    ConfigField.durationOrZero.annotations({
      description: "how long after a start failures do not count (default 10 seconds)"
    })
  ),
  groupWindow: optional(
    ConfigField.durationOrZero.annotations({
      description: "how long an outage waits for others that start with it (default 10 seconds)"
    })
  ),
  reminders: optional(
    Schema.Array(ConfigField.duration).annotations({
      description:
        "gaps between reminders, of which the last repeats (default 15 minutes, 1 hour, 4 hours); an empty list: none"
    })
  ),
  cap: optional(
    Schema.Struct({
      messages: ConfigField.withDefault(ConfigField.count, 10),
      within: ConfigField.withDefault(ConfigField.duration, "1 hour")
    })
  ).annotations({
    description: "the most messages of one check on one channel (default 10 within 1 hour)"
  }),
  flapping: optional(
    Schema.Struct({
      openings: ConfigField.withDefault(ConfigField.count, 5),
      within: ConfigField.withDefault(ConfigField.duration, "30 minutes"),
      calm: ConfigField.withDefault(ConfigField.duration, "10 minutes")
    })
  ).annotations({
    description:
      "so many outages within that time is flapping, until nothing changed for `calm` (default 5 within 30 minutes, 10 minutes)"
  }),
  staleAfter: optional(
    ConfigField.count.annotations({
      description: "after so many intervals without a result a check is stale (default 3)"
    })
  )
})

export const AlertsSection = Schema.Struct({
  channels: optional(
    Schema.Record({ key: Schema.String, value: ChannelEntry }).annotations({
      description: "one entry a channel; the key is its name"
    })
  ),
  routes: optional(
    Schema.Array(Routes.Route).annotations({
      description: "which channels get which severity"
    })
  ),
  maintenance: optional(
    Schema.Array(Maintenance.Settings).annotations({
      description: "times at which outages that begin and end meanwhile are not sent"
    })
  ),
  timeZone: optional(
    Schema.String.pipe(
      Schema.filter((name) => Option.isSome(DateTime.zoneFromString(name)), {
        description: "the zone of the times in messages, such as Europe/Berlin (default UTC)"
      })
    )
  ),
  limits: optional(
    Limits.annotations({ description: "what keeps a storm of failures from many messages" })
  ),
  deadMan: optional(DeadMan.Settings).annotations({
    description: "pings to a service outside, which raises the alarm when they stop"
  })
})

export type AlertsSection = typeof AlertsSection.Type

/** The section, or everything that is wrong in its shape, by its path in the file. */
export const decode = (
  content: unknown,
  reading: Section.Reading
): Decoder.Checked<AlertsSection> =>
  Section.decodeAt(AlertsSection, ["alerts"], reading)(content ?? {})
