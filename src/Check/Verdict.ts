/**
 * What the end of a run means: the one place where a failure becomes a result.
 *
 * @internal
 */
import { Cause, type Clock, DateTime, Duration, Either, Exit } from "effect"
import type { Secrets } from "../Common/Secrets.js"
import * as Text from "../Common/Text.js"
import type { CheckFailure, RunnerReason } from "./CheckError.js"
import type { RegisteredCheck } from "./CheckRegistry.js"
import type { CheckResult, Status } from "./CheckResult.js"
import * as Deadlines from "./Deadlines.js"
import * as Details from "./Details.js"
import type { Outcome } from "./Outcome.js"

export interface Run {
  readonly check: RegisteredCheck
  readonly clock: Clock.Clock
  readonly startedAt: number
  /** Fibers of the check that are past their deadline and have not ended. */
  readonly orphans: () => number
}

type End = Exit.Exit<Outcome, CheckFailure>

/** Total: what a probe ends with can throw while it is read (a getter, a text that is none). */
export const ended = (run: Run, exit: End): CheckResult =>
  Either.getOrElse(
    Either.try(() => judge(run, exit)),
    (thrown) => broken(run, "Crashed", `The probe's answer cannot be read: ${describe(thrown)}`)
  )

export const timedOut = (run: Run): CheckResult =>
  broken(run, "Timeout", `No answer within ${Duration.format(run.check.policy.timeout)}`)

/** Not even started: too many earlier runs never ended. */
export const refused = (run: Run): CheckResult =>
  broken(
    run,
    "StillRunning",
    `Not started: ${run.orphans()} earlier runs are past their deadline and cannot be stopped`
  )

const judge = (run: Run, exit: End): CheckResult => {
  // A probe that kept the CPU busy ends before the timer can fire: too late is too late.
  if (elapsed(run) > Duration.toMillis(run.check.policy.timeout)) return timedOut(run)
  if (Exit.isSuccess(exit)) {
    if (!says(exit.value)) return broken(run, "Crashed", "The probe's answer is no Outcome")
    const { _tag, details, message, note } = exit.value
    return make(run, {
      status: _tag === "Healthy" ? "healthy" : "degraded",
      message,
      note,
      reason: undefined,
      details,
      retryAfter: undefined
    })
  }
  const failure = Cause.failureOption(exit.cause)
  if (failure._tag === "Some") {
    const error = failure.value
    if (says(error)) return failed(run, error)
    return broken(run, "Crashed", `The probe failed without an error: ${describe(error)}`)
  }
  if (Cause.isInterruptedOnly(exit.cause)) {
    return broken(run, "Interrupted", "The probe interrupted itself")
  }
  return broken(run, "Crashed", `The probe crashed: ${describe(Cause.squash(exit.cause))}`)
}

const failed = (run: Run, error: CheckFailure): CheckResult =>
  make(run, {
    status: run.check.statusOf(error),
    message: error.message,
    note: undefined,
    reason: error.reason,
    details: error.details ?? {},
    retryAfter: error.retryAfter
  })

const broken = (run: Run, reason: RunnerReason, message: string): CheckResult =>
  make(run, {
    status: "unhealthy",
    message,
    note: undefined,
    reason,
    details: {},
    retryAfter: undefined
  })

type Part = Pick<CheckResult, "message" | "note" | "reason" | "details" | "retryAfter"> & {
  readonly status: Status
}

const make = (run: Run, part: Part): CheckResult => {
  const { name, secrets } = run.check
  const orphans = run.orphans()
  const details = Details.clean(part.details, secrets)
  return {
    service: name,
    status: part.status,
    message: Text.clip(shown(part.message, secrets), longestMessage),
    note: part.note === undefined ? undefined : shown(part.note, secrets),
    responseTime: Duration.millis(elapsed(run)),
    lastCheck: DateTime.unsafeMake(run.clock.unsafeCurrentTimeMillis()),
    details: orphans === 0 ? details : { ...details, orphaned_runs: orphans },
    reason: part.reason,
    retryAfter: part.retryAfter
  }
}

const elapsed = (run: Run): number =>
  Math.max(0, Deadlines.monotonicMillis(run.clock) - run.startedAt)

/** It goes to chats, databases and programs, which refuse what is no text. */
const shown = (text: string, { scrub }: Secrets): string => Text.wellFormed(scrub(text))

/**
 * A service may answer with a page of text. It is cut here and nowhere before: half a secret is no
 * longer recognised as one.
 */
const longestMessage = 500

/** A probe written in JavaScript can end with anything. */
const says = (value: { readonly message: string } | undefined): boolean =>
  typeof value?.message === "string"

const describe = (defect: unknown): string =>
  Either.getOrElse(
    Either.try(() =>
      defect instanceof Error ? String(defect.message) || defect.name : String(defect)
    ),
    () => "something that has no text"
  )
