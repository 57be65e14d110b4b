/**
 * The policy that alerting goes by: the limits of the program, the rules that its checks declare, and
 * routes to channels that it has. Pure but for what it remembers of the checks.
 *
 * @internal
 */
import { Array as Arr, Either } from "effect"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import * as Routes from "../../Alert/Routes.js"
import * as CheckPolicy from "../../Check/CheckPolicy.js"
import type { RegisteredCheck } from "../../Check/CheckRegistry.js"

export interface Program {
  readonly checks: ReadonlyArray<RegisteredCheck>
  readonly channels: ReadonlyArray<string>
}

export const make = (
  options: AlertPolicy.Options,
  { channels, checks }: Program
): Either.Either<Rules, Routes.RoutesError> => {
  const routes = options.routes ?? Routes.toAll(channels)
  const issues = Routes.issues(routes, channels, ["routes"])
  return issues.length > 0
    ? Either.left(new Routes.RoutesError({ issues }))
    : Either.right(
        new Rules(AlertPolicy.make({ ...options, routes }), checks, options.checks === undefined)
      )
}

export class Rules {
  private readonly configured: ReadonlySet<string>
  private readonly known: Map<string, RegisteredCheck | undefined>

  constructor(
    private current: AlertPolicy.Policy,
    checks: ReadonlyArray<RegisteredCheck>,
    /** Whether checks may be registered of which the options say nothing. */
    private readonly isOpen: boolean
  ) {
    this.configured = new Set(current.checks.keys())
    this.known = new Map(checks.map((check) => [check.name, check]))
    this.current = AlertPolicy.withChecks(current, checks)
  }

  get policy(): AlertPolicy.Policy {
    return this.current
  }

  /** A check may be registered while the program runs. */
  learn(check: RegisteredCheck): void {
    if (this.known.get(check.name) === check) return
    this.known.set(check.name, check)
    this.current = AlertPolicy.withChecks(this.current, [check])
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
