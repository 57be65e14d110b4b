/**
 * What a shutdown will do and how long it may take: pure, so that it can be checked at start and
 * printed before anything has to stop.
 */
import { Duration, Either } from "effect"
import * as Phase from "./Phase.js"
import { PlanError } from "./PlanError.js"
import * as Format from "../Common/Format.js"

export interface Hook {
  readonly name: string
  readonly limit: Duration.Duration
}

export interface PlannedPhase extends Phase.Phase {
  /** In the order in which they run, one after the other. */
  readonly hooks: ReadonlyArray<Hook>
}

export interface Plan {
  /** How long the platform waits between its signal and its kill. */
  readonly grace: Duration.Duration
  /** How long the program still serves after the signal, before the first phase. */
  readonly lameDuck: Duration.Duration
  readonly phases: ReadonlyArray<PlannedPhase>
}

/**
 * The built-in phases with the program's own between them. Of two that go after the same phase the
 * later one is the nearer to it.
 */
export const order = (
  insertions: ReadonlyArray<Phase.Insertion>
): Either.Either<ReadonlyArray<Phase.Phase>, PlanError> => {
  const phases = [...Phase.builtIn]
  for (const insertion of insertions) {
    const { name, title = name } = insertion
    const anchor = insertion.before ?? insertion.after
    const at = phases.findIndex((phase) => phase.name === anchor)
    if (at === -1) return Either.left(unknownPhase(anchor, phases))
    if (phases.some((phase) => phase.name === name)) {
      return Either.left(
        new PlanError({ reason: "DuplicatePhase", found: name, expected: namesOf(phases) })
      )
    }
    phases.splice(insertion.before === undefined ? at + 1 : at, 0, { name, title })
  }
  return Either.right(phases)
}

/**
 * The limit of a hook that sets none: an equal part of what the others leave, at most a fifteenth of
 * the grace. A plan is too long only when somebody asked for too much.
 */
export const defaultLimit = (
  grace: Duration.Duration,
  /** The limits that were set, and the lame-duck time. */
  taken: Duration.Duration,
  hooks: number
): Duration.Duration => {
  const share = Duration.toMillis(Duration.subtract(grace, taken)) / Math.max(1, hooks)
  // Whole milliseconds, so that the sum of the parts is not more than the whole.
  const limit = Math.floor(Math.min(Duration.toMillis(grace) / 15, share))
  return Duration.max(leastLimit, Duration.millis(limit))
}

/** With less than this a hook that does nothing may overrun. */
const leastLimit = Duration.millis(100)

/** The longest that the shutdown may take: hooks run one after the other. */
export const total = (plan: Plan): Duration.Duration =>
  plan.phases
    .flatMap(({ hooks }) => hooks)
    .reduce((sum, { limit }) => Duration.sum(sum, limit), plan.lameDuck)

/** Refuses a plan that the platform would cut short. */
export const check = (plan: Plan): Either.Either<Plan, PlanError> => {
  const sum = total(plan)
  return Duration.lessThanOrEqualTo(sum, plan.grace)
    ? Either.right(plan)
    : Either.left(
        new PlanError({
          reason: "OverGrace",
          found: Format.measured(sum),
          expected: Format.measured(plan.grace)
        })
      )
}

/** The plan as a table, with its sum. */
export const text = (plan: Plan): string => {
  const rows = [
    ...(Duration.toMillis(plan.lameDuck) === 0
      ? []
      : [["lame duck", "still serving, readiness 503", Format.measured(plan.lameDuck)]]),
    ...plan.phases.flatMap(({ hooks, name, title }) =>
      hooks.length === 0
        ? [[name, `${title}: nothing to do`, "-"]]
        : hooks.map((hook, index) => [
            index === 0 ? name : "",
            index === 0 ? `${title}: ${hook.name}` : hook.name,
            Format.measured(hook.limit)
          ])
    )
  ]
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  const lines = rows.map(
    ([phase = "", what = "", limit = ""]) =>
      `${phase.padEnd(width(0))}  ${what.padEnd(width(1))}  ${limit}`
  )
  const sum = `at most ${Format.measured(total(plan))} of ${Format.measured(plan.grace)}`
  return [...lines, sum].join("\n")
}

/** @internal */
export const unknownPhase = (found: string, phases: ReadonlyArray<Phase.Phase>): PlanError =>
  new PlanError({ reason: "UnknownPhase", found, expected: namesOf(phases) })

const namesOf = (phases: ReadonlyArray<Phase.Phase>): string =>
  phases.map(({ name }) => name).join(", ")
