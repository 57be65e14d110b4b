/**
 * The policy that alerting goes by: the limits of the program, the rules that its checks declare, and
 * routes to channels that it has. Pure but for what it remembers of the checks.
 *
 * @internal
 */
import { Array as Arr, Either } from "effect"
import { AlertingOptionsError } from "../../Alert/AlertingOptionsError.js"
import type { Severity } from "../../Alert/Alert.js"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import * as Limits from "../../Alert/AlertPolicy/Limits.js"
import * as Dependencies from "../../Alert/Dependencies.js"
import type * as Maintenance from "../../Alert/Maintenance.js"
import * as Routes from "../../Alert/Routes.js"
import * as CheckPolicy from "../../Check/CheckPolicy.js"
import type { RegisteredCheck } from "../../Check/CheckRegistry.js"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as ConfigIssues from "../../Plugin/ConfigIssues.js"

export interface Program {
  readonly checks: ReadonlyArray<RegisteredCheck>
  readonly channels: ReadonlyArray<string>
  readonly maintenance: ReadonlyArray<Maintenance.Window>
}

export const make = (
  options: AlertPolicy.Options,
  program: Program
): Either.Either<Rules, AlertingOptionsError> => {
  const { channels, checks } = program
  const routes = options.routes ?? Routes.toAll(channels)
  const issues = [
    ...Routes.issues(routes, channels, ["routes"]),
    // Who names the checks, as the command line does, has looked at the rest.
    ...(options.checks === undefined ? ownIssues(options, program) : [])
  ]
  return issues.length > 0
    ? Either.left(new AlertingOptionsError({ issues }))
    : Either.right(new Rules(AlertPolicy.make({ ...options, routes }), checks, options))
}

const ownIssues = (
  options: AlertPolicy.Options,
  { channels, checks, maintenance }: Program
): ReadonlyArray<ConfigIssue> => {
  const names = new Set(checks.map(({ name }) => name))
  const dependents = checks.map(({ name, policy }) => ({ name, dependsOn: policy.dependsOn }))
  return [
    ...(options.routes?.length === 0
      ? [{ path: ["routes"], expected: "at least one route", found: "an empty list" }]
      : []),
    ...Limits.issues({ ...options }, ["policy"]),
    ...unknown(
      "channel",
      Object.keys(options.channels ?? {}),
      [...channels, Routes.logChannel],
      ["policy", "channels"]
    ),
    ...maintenance.flatMap(({ services }, index) =>
      unknown("check", services ?? [], [...names], ["maintenance", String(index), "services"])
    ),
    ...Dependencies.issues(dependents, names)
  ]
}

const unknown = (
  what: string,
  given: ReadonlyArray<string>,
  known: ReadonlyArray<string>,
  path: ReadonlyArray<string>
): ReadonlyArray<ConfigIssue> =>
  given.flatMap((name) =>
    known.includes(name)
      ? []
      : [
          {
            path,
            expected: `the name of a ${what} (known: ${[...new Set(known)].join(", ")})`,
            found: ConfigIssues.show(name, (text) => text)
          }
        ]
  )

export class Rules {
  private readonly configured: ReadonlySet<string>
  private readonly known: Map<string, RegisteredCheck | undefined>
  /** Whether checks may be registered of which the options say nothing. */
  private readonly isOpen: boolean
  /** Whether every channel gets both severities. */
  private readonly isToAll: boolean

  constructor(
    private current: AlertPolicy.Policy,
    checks: ReadonlyArray<RegisteredCheck>,
    options: Pick<AlertPolicy.Options, "checks" | "routes">
  ) {
    this.isOpen = options.checks === undefined
    this.isToAll = options.routes === undefined
    this.configured = new Set(current.checks.keys())
    this.known = new Map(checks.map((check) => [check.name, check]))
    this.current = AlertPolicy.withChecks(current, checks)
  }

  get policy(): AlertPolicy.Policy {
    return this.current
  }

  /** The severities that some check can have, and no route takes. */
  get untaken(): ReadonlyArray<Severity> {
    const isAnyCritical = [...this.current.checks.values()].some(({ critical }) => critical)
    return this.isOpen
      ? Routes.untaken(this.current.routes).filter(
          (severity) => severity === "degraded" || isAnyCritical
        )
      : []
  }

  /**
   * A check may be registered while the program runs. Its dependencies that close a cycle explain nothing:
   * they are what this returns.
   */
  learn(check: RegisteredCheck): ReadonlyArray<string> {
    if (this.known.get(check.name) === check) return []
    this.known.set(check.name, check)
    const { dependsOn } = check.policy
    const closing = Dependencies.closing(
      { name: check.name, dependsOn },
      (name) => this.current.checks.get(name)?.dependsOn ?? []
    )
    const kept = dependsOn.filter((name) => !closing.includes(name))
    this.current = AlertPolicy.withChecks(this.current, [
      { ...check, policy: { ...check.policy, dependsOn: kept } }
    ])
    return closing
  }

  /** A channel may be registered too; one that left may come back. */
  reach(channels: ReadonlyArray<string>): void {
    if (!this.isToAll || channels.every((name) => Routes.names(this.current.routes, name))) return
    const known = this.current.routes.flatMap(({ to }) => to)
    const routes = Routes.toAll([...new Set([...known, ...channels])])
    this.current = { ...this.current, routes }
  }

  /**
   * Checks that an earlier run knew: they may be registered yet. Until one of them would become stale their
   * incidents stay open, by the default rules.
   */
  expect(names: Iterable<string>): void {
    if (!this.isOpen) return
    const unknown = Arr.filter([...names], (name) => !this.known.has(name))
    for (const name of unknown) this.known.set(name, undefined)
    this.current = AlertPolicy.withChecks(
      this.current,
      unknown.map((name) => ({ name, policy: CheckPolicy.defaults }))
    )
  }

  /**
   * Forgets the checks that are no longer registered, and says which. Those of the options stay: the
   * program that named them says when they are over.
   */
  keep(registered: ReadonlyArray<RegisteredCheck>): ReadonlyArray<string> {
    const names = new Set(registered.map(({ name }) => name))
    const gone = Arr.filter(
      [...this.known.keys()],
      (name) => !names.has(name) && !this.configured.has(name)
    )
    for (const name of gone) this.known.delete(name)
    if (gone.length > 0) this.current = AlertPolicy.withoutChecks(this.current, gone)
    return gone
  }
}
