/** How a check is run and judged: limits, retries, thresholds, weight. */
import { Duration, Either, identity, ParseResult, Schedule, Schema } from "effect"
import type { CheckFailure } from "./CheckError.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as ConfigIssues from "../Plugin/ConfigIssues.js"

/**
 * `readiness`: the service can do its work. `liveness`: the process itself is sound; a platform
 * restarts what is not, so nothing outside the process belongs there.
 */
export const Group = Schema.Literal("readiness", "liveness")

export type Group = typeof Group.Type

export interface Retry<E extends CheckFailure = CheckFailure> {
  readonly schedule: Schedule.Schedule<unknown, E>
  /** Which failures another attempt may mend. */
  readonly while: (error: E) => boolean
}

export interface CheckPolicy {
  /** From the start of one beat to the start of the next. */
  readonly interval: Duration.Duration
  /** By how much a beat may start after its time, at random. */
  readonly jitter: Duration.Duration | undefined
  /** How long after a first failure the check is run once more, before its next beat. */
  readonly confirm: Duration.Duration | undefined
  /** The whole run, retries included. */
  readonly timeout: Duration.Duration
  /** One attempt of a run; only useful with a retry. */
  readonly attemptTimeout: Duration.Duration | undefined
  readonly retry: Retry | undefined
  /** Consecutive failures before an incident opens. */
  readonly failureThreshold: number
  /** Consecutive successes before it is resolved. */
  readonly recoveryThreshold: number
  /** Whether the whole is down when this check is. */
  readonly critical: boolean
  readonly group: Group
  /** Names of checks whose outage explains an outage of this one. */
  readonly dependsOn: ReadonlyArray<string>
}

/** The parts of a policy that a configuration may set, as it writes them. */
export const Fields = {
  interval: Schema.optional(ConfigField.duration),
  jitter: Schema.optional(ConfigField.durationOrZero),
  confirm: Schema.optional(ConfigField.duration),
  timeout: Schema.optional(ConfigField.duration),
  attemptTimeout: Schema.optional(ConfigField.duration),
  retry: Schema.optional(
    Schema.Struct({
      times: Schema.Int.pipe(
        Schema.between(0, 100, { description: "a whole number from 0 to 100" })
      ),
      base: ConfigField.withDefault(ConfigField.durationOrZero, "500 millis")
    })
  ),
  failureThreshold: Schema.optional(ConfigField.count),
  recoveryThreshold: Schema.optional(ConfigField.count),
  critical: Schema.optional(Schema.Boolean),
  group: Schema.optional(Group),
  dependsOn: Schema.optional(Schema.Array(Schema.String))
}

export const Settings = Schema.Struct(Fields)

export type Settings = typeof Settings.Type

export const defaults: CheckPolicy = {
  interval: Duration.seconds(30),
  jitter: undefined,
  confirm: undefined,
  timeout: Duration.seconds(10),
  attemptTimeout: undefined,
  retry: undefined,
  failureThreshold: 3,
  recoveryThreshold: 2,
  critical: true,
  group: "readiness",
  dependsOn: []
}

/**
 * A policy with some of its parts set anew. A retry given as numbers repeats what the check itself
 * calls retryable, after `base`, twice that, four times that and so on.
 */
export const override = (policy: CheckPolicy, settings: Settings): CheckPolicy => ({
  interval: decodeOr(settings.interval, policy.interval),
  jitter: decodeOr(settings.jitter, policy.jitter),
  confirm: decodeOr(settings.confirm, policy.confirm),
  timeout: decodeOr(settings.timeout, policy.timeout),
  attemptTimeout: decodeOr(settings.attemptTimeout, policy.attemptTimeout),
  retry: settings.retry === undefined ? policy.retry : countedRetry(policy, settings.retry),
  failureThreshold: settings.failureThreshold ?? policy.failureThreshold,
  recoveryThreshold: settings.recoveryThreshold ?? policy.recoveryThreshold,
  critical: settings.critical ?? policy.critical,
  group: settings.group ?? policy.group,
  dependsOn: settings.dependsOn ?? policy.dependsOn
})

/**
 * Everything that is wrong with the parts of a policy that code wrote, by the rules that hold for a
 * configuration file: durations are positive, finite and have a unit, thresholds are at least 1. An
 * attempt cannot have more time than the whole run, a run no more than there is between two beats.
 */
export const issues = (policy: CheckPolicy, settings: unknown): ReadonlyArray<ConfigIssue> => {
  const valid = ParseResult.validateEither(Schema.typeSchema(Settings), {
    errors: "all",
    onExcessProperty: "error"
  })(settings)
  if (Either.isLeft(valid)) return ConfigIssues.fromParseIssue(valid.left, identity)
  return misfits(override(policy, valid.right), valid.right)
}

/**
 * The durations that do not fit together. Only what was set is told of: what a check's own
 * definition says, or the defaults, is no mistake of whoever configures it.
 */
const misfits = (policy: CheckPolicy, set: Settings): ReadonlyArray<ConfigIssue> => {
  const { attemptTimeout, confirm, interval, jitter, timeout } = policy
  const between = Duration.subtract(interval, timeout)
  return [
    // A shorter timeout than the check's own attempts have is no mistake: the run ends first.
    ...(set.attemptTimeout === undefined
      ? []
      : atMost("attemptTimeout", attemptTimeout, timeout, "the timeout of the run")),
    ...(set.interval === undefined
      ? []
      : atLeast("interval", interval, timeout, "the timeout of a run")),
    ...(set.timeout === undefined || set.interval !== undefined
      ? []
      : atMost("timeout", timeout, interval, "the interval")),
    ...atMost("jitter", jitter, between, "the interval less the timeout"),
    ...atMost("confirm", confirm, between, "the interval less the timeout")
  ]
}

/**
 * What the durations that do not fit together are compared with: where one of these is not known, nor
 * is whether they fit.
 *
 * @internal
 */
export const compared: Readonly<Record<string, ReadonlyArray<string>>> = {
  attemptTimeout: ["attemptTimeout", "timeout"],
  interval: ["interval", "timeout"],
  timeout: ["interval", "timeout"],
  jitter: ["jitter", "interval", "timeout"],
  confirm: ["confirm", "interval", "timeout"]
}

const atMost = (
  path: keyof Settings,
  value: Duration.Duration | undefined,
  limit: Duration.Duration,
  what: string
): ReadonlyArray<ConfigIssue> =>
  value === undefined || Duration.lessThanOrEqualTo(value, limit)
    ? []
    : [
        {
          path: [path],
          expected: `at most ${what} (${Duration.format(limit)})`,
          found: Duration.format(value)
        }
      ]

const atLeast = (
  path: keyof Settings,
  value: Duration.Duration,
  limit: Duration.Duration,
  what: string
): ReadonlyArray<ConfigIssue> =>
  Duration.greaterThanOrEqualTo(value, limit)
    ? []
    : [
        {
          path: [path],
          expected: `at least ${what} (${Duration.format(limit)})`,
          found: Duration.format(value)
        }
      ]

const decodeOr = <A>(input: Duration.DurationInput | undefined, fallback: A) =>
  input === undefined ? fallback : Duration.decode(input)

const countedRetry = (
  policy: CheckPolicy,
  retry: NonNullable<Settings["retry"]>
): Retry | undefined =>
  retry.times === 0
    ? undefined
    : {
        schedule: Schedule.intersect(
          Schedule.exponential(retry.base),
          Schedule.recurs(retry.times)
        ),
        while: policy.retry?.while ?? ((error) => error.isRetryable === true)
      }
