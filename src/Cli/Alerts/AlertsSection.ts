/**
 * The shape of the `alerts` section of the configuration file, apart from the fields of each channel.
 */
import { Schema } from "effect"
import * as Limits from "../../Alert/AlertPolicy/Limits.js"
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
  timeZone: optional(Limits.timeZone),
  limits: optional(
    Limits.Limits.annotations({ description: "what keeps a storm of failures from many messages" })
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
