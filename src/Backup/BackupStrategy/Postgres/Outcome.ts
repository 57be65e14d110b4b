/**
 * Whether a transaction was done whose answer was lost with the connection: the server knows.
 *
 * @internal
 */
import { Effect, Schedule, Schema } from "effect"
import { BackupError } from "../../BackupError.js"
import * as Failure from "./Failure.js"
import * as Sessions from "./Session.js"
import type { Target } from "./Target.js"

const Status = Schema.Struct({ status: Schema.NullOr(Schema.String) })

/**
 * Succeeds where it was committed. Fails with the error that came instead of the answer where it was
 * not, and with how to look where the server does not tell.
 */
export const ofTransaction = (
  target: Target,
  database: string,
  transaction: string,
  error: BackupError
): Effect.Effect<void, BackupError> =>
  Sessions.open(target, database).pipe(
    Effect.flatMap((session) => settledStatus(session, transaction)),
    Effect.scoped,
    Effect.retry(Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(3))),
    Effect.catchAll(() => Effect.succeed(undefined)),
    Effect.flatMap((status) => {
      if (status === "committed") return Effect.void
      if (status === "aborted") return notDone(error)
      return unknown(
        target,
        error,
        `SELECT txid_status(${transaction}), in ${database}: "committed" means that it is restored, "aborted" that nothing has changed`
      )
    })
  )

/** It may be under way still: a server that commits does not ask whether anybody waits. */
const settledStatus = (
  session: Sessions.Session,
  transaction: string,
  patience = 50
): Effect.Effect<string | undefined, BackupError> =>
  Effect.gen(function* () {
    const [row] = yield* session.rows(Status, "SELECT txid_status($1::bigint) AS status", [
      transaction
    ])
    if (row?.status !== "in progress" || patience === 0) return row?.status ?? undefined
    yield* Effect.sleep("200 millis")
    return yield* settledStatus(session, transaction, patience - 1)
  })

export const notDone = (error: BackupError): BackupError =>
  new BackupError({ ...error, advice: "Nothing has changed: try again", cause: error })

/** Neither done nor not done, as far as anybody can tell from here. */
export const unknown = (target: Target, cause: BackupError, question: string): BackupError =>
  Failure.make(
    target,
    {
      reason: "Unreachable",
      expected: "an answer of the server to the last step of the restore",
      found: `${cause.found}, so that it is not known whether it is done`,
      advice: `When the server answers again, ask it: ${question}`
    },
    cause
  )
