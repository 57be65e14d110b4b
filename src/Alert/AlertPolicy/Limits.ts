/**
 * What keeps a storm of failures from many messages, as a configuration writes it; the same rules hold for
 * what code writes.
 *
 * @internal
 */
import {
  DateTime,
  Duration,
  Either,
  identity,
  Option,
  ParseResult,
  Predicate,
  Schema
} from "effect"
import * as ConfigField from "../../Plugin/ConfigField.js"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as ConfigIssues from "../../Plugin/ConfigIssues.js"

/**
 * What stands behind it describes the field and not the mapping in it: a mapping that described
 * itself would hide what is wrong inside.
 */
const optional = <A, I>(field: Schema.Schema<A, I>) => Schema.optionalWith(field, { exact: true })

const fields = {
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
}

export const Limits = Schema.Struct(fields)

export const timeZone = Schema.String.pipe(
  Schema.filter((name) => Option.isSome(DateTime.zoneFromString(name)), {
    description: "the zone of the times in messages, such as Europe/Berlin (default UTC)"
  })
)

const names = [...Object.keys(fields), "timeZone"]

const Written = Schema.typeSchema(Schema.Struct({ ...fields, timeZone: optional(timeZone) }))

/** Everything that is wrong with the limits that code wrote. */
export const issues = (
  limits: Readonly<Record<string, unknown>>,
  path: ReadonlyArray<string>
): ReadonlyArray<ConfigIssue> => {
  const given = Object.fromEntries(
    Object.entries(limits).flatMap(([name, value]) =>
      names.includes(name) && value !== undefined ? [[name, spanned(name, value)]] : []
    )
  )
  const valid = ParseResult.validateEither(Written, { errors: "all" })(given)
  return Either.match(valid, {
    onLeft: (issue) =>
      ConfigIssues.fromParseIssue(issue, identity).map((one) => ({
        ...one,
        path: [...path, ...one.path]
      })),
    onRight: () => []
  })
}

const spans = ["startGrace", "groupWindow", "reminders", "within", "calm"]

/** A number that code writes is in milliseconds, as everywhere in Effect; one in a file says nothing. */
const spanned = (name: string, value: unknown): unknown => {
  if (Array.isArray(value)) {
    // As a duration: seconds and nanoseconds.
    return name === "reminders"
      ? value.map((one) => spanned(name, one))
      : Option.getOrElse(Duration.decodeUnknown(value), (): unknown => value)
  }
  if (typeof value === "number") {
    return spans.includes(name) && value >= 0 ? Duration.millis(value) : value
  }
  return Predicate.isRecord(value) && !Duration.isDuration(value)
    ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, spanned(key, one)]))
    : value
}
