/**
 * What the fold decides by: the thresholds of each check, the routes, and the limits that keep a
 * storm of failures from becoming a storm of messages. Spans are in milliseconds here, decoded once
 * and not for each of a million events.
 */
import { Array as Arr, Duration } from "effect"
import * as CheckPolicy from "../../Check/CheckPolicy.js"
import * as Guidance from "../../Check/Guidance.js"
import * as Rhythm from "../../Check/Heartbeat/Rhythm.js"
import * as Routes from "../Routes.js"

/** A point of time or a span, in milliseconds. */
export type Millis = number

/** What the fold needs to know of one check. */
export interface CheckRules {
  readonly label: string
  readonly link?: string | undefined
  readonly runbook?: string | undefined
  readonly interval: Millis
  readonly failureThreshold: number
  readonly recoveryThreshold: number
  readonly critical: boolean
  readonly dependsOn: ReadonlyArray<string>
}

/** How a channel gets its alerts. */
export interface ChannelRules {
  /** Outages that start together are one message. Without, each change is told at once. */
  readonly grouped: boolean
  readonly reminders: boolean
  /** After so many attempts, and so long, it counts as away, and its fallback is told. */
  readonly unreachable?:
    | { readonly attempts: number; readonly after: Duration.DurationInput }
    | undefined
}

export interface Policy {
  /** By the service's name. */
  readonly checks: ReadonlyMap<string, CheckRules>
  readonly routes: Routes.Routes
  /** The channels that want to be told in another way than most. */
  readonly channels: ReadonlyMap<string, ChannelRules>
  /** How long after a start failures do not count. */
  readonly startGrace: Millis
  /** How long an outage waits for others that start with it. */
  readonly groupWindow: Millis
  /** Gaps between reminders; the last one repeats. */
  readonly reminders: ReadonlyArray<Millis>
  /** So many messages of one check on one channel, within that span. */
  readonly cap: { readonly messages: number; readonly within: Millis }
  /** So many openings within that span is flapping, until nothing changed for `calm`. */
  readonly flapping: { readonly openings: number; readonly within: Millis; readonly calm: Millis }
  /** Without a result for so many intervals a check is stale. */
  readonly staleAfter: number
  /** The zone in which people read the times in messages. */
  readonly timeZone?: string | undefined
}

export interface DescribedCheck {
  readonly name: string
  readonly label?: string
  readonly link?: string | undefined
  readonly runbook?: string | undefined
  readonly policy: CheckPolicy.CheckPolicy
}

export interface Options {
  /** `Alerting` takes them from the checks that the program has registered. */
  readonly checks?: Iterable<DescribedCheck> | undefined
  readonly routes?: Routes.Routes | undefined
  readonly channels?: Readonly<Record<string, Partial<ChannelRules>>> | undefined
  readonly startGrace?: Duration.DurationInput | undefined
  readonly groupWindow?: Duration.DurationInput | undefined
  readonly reminders?: ReadonlyArray<Duration.DurationInput> | undefined
  readonly cap?: { readonly messages: number; readonly within: Duration.DurationInput } | undefined
  readonly flapping?:
    | {
        readonly openings: number
        readonly within: Duration.DurationInput
        readonly calm: Duration.DurationInput
      }
    | undefined
  readonly staleAfter?: number | undefined
  /** The zone in which people read the times in messages, such as Europe/Berlin; UTC by default. */
  readonly timeZone?: string | undefined
}

/**
 * A policy: the defaults, with some parts set anew.
 *
 * @example
 * import { AlertPolicy } from "holter"
 *
 * AlertPolicy.make({ groupWindow: "30 seconds", reminders: ["15 minutes", "1 hour"] })
 */
export const make = (options: Options = {}): Policy => ({
  checks: rulesByName(options.checks ?? []),
  routes: options.routes ?? Routes.defaults(),
  channels: new Map(
    Object.entries(options.channels ?? {}).map(([name, rules]) => [name, { ...message, ...rules }])
  ),
  startGrace: millis(options.startGrace ?? "10 seconds"),
  groupWindow: millis(options.groupWindow ?? "10 seconds"),
  reminders: (options.reminders ?? ["15 minutes", "1 hour", "4 hours"]).map(millis),
  cap: {
    messages: options.cap?.messages ?? 10,
    within: millis(options.cap?.within ?? "1 hour")
  },
  flapping: {
    openings: options.flapping?.openings ?? 5,
    within: millis(options.flapping?.within ?? "30 minutes"),
    calm: millis(options.flapping?.calm ?? "10 minutes")
  },
  staleAfter: options.staleAfter ?? Rhythm.staleAfter,
  ...(options.timeZone === undefined ? {} : { timeZone: options.timeZone })
})

/** The policy with the rules of these checks, in the place of those that it has of them. */
export const withChecks = (policy: Policy, checks: Iterable<DescribedCheck>): Policy => ({
  ...policy,
  checks: new Map([...policy.checks, ...rulesByName(checks)])
})

export const withoutChecks = (policy: Policy, names: ReadonlyArray<string>): Policy => ({
  ...policy,
  checks: new Map([...policy.checks].filter(([name]) => !names.includes(name)))
})

/** The rules of a check; the defaults where the policy has none for it. */
export const rulesOf = (policy: Policy, service: string): CheckRules =>
  policy.checks.get(service) ?? checkRules(CheckPolicy.defaults, { label: service })

export const channelRules = (policy: Policy, channel: string): ChannelRules =>
  policy.channels.get(channel) ?? message

const message: ChannelRules = { grouped: true, reminders: true }

const millis = (input: Duration.DurationInput): Millis => Duration.toMillis(input)

const rulesByName = (checks: Iterable<DescribedCheck>): ReadonlyMap<string, CheckRules> =>
  new Map(
    Arr.fromIterable(checks).map((check) => [
      check.name,
      checkRules(check.policy, { ...Guidance.of(check), label: check.label ?? check.name })
    ])
  )

const checkRules = (
  policy: CheckPolicy.CheckPolicy,
  guidance: Guidance.Guidance & { readonly label: string }
): CheckRules => ({
  ...guidance,
  interval: Duration.toMillis(policy.interval),
  failureThreshold: policy.failureThreshold,
  recoveryThreshold: policy.recoveryThreshold,
  critical: policy.critical,
  dependsOn: policy.dependsOn
})
