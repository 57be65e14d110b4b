/**
 * Tries a restore in place without its rows, and takes it back: whether what is there can be dropped
 * and made anew is for the server to say, since nobody else knows all that may depend on a table or
 * belong to another role. So a restore that must fail does so before the present is saved, which may
 * take long.
 *
 * Readers are in the way of that, and it in theirs: where they do not let it in within a moment it is
 * left out, and what is wrong shows in the restore itself.
 *
 * @internal
 */
import { Duration, Effect, type Scope } from "effect"
import type { BackupError } from "../../BackupError.js"
import * as Locks from "./Locks.js"
import type { Psql } from "./Psql.js"
import type { Session } from "./Session.js"
import type { Target } from "./Target.js"

/** How long others may be kept waiting for it, and it by them. */
const patience = Duration.seconds(2)

/** The session is one of its own, which ends with it and so takes back what it did. */
export const rehearse = <R>(
  target: Target,
  observer: Session,
  application: string,
  session: Effect.Effect<Psql, BackupError, R | Scope.Scope>,
  /** What the restore will do, but for the rows. */
  schema: (psql: Psql) => Effect.Effect<void, BackupError, R>
): Effect.Effect<void, BackupError, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const psql = yield* session
      yield* Effect.addFinalizer(() => Locks.end(observer, application))
      const attempt = Effect.zipRight(psql.execute("BEGIN"), Locks.atOnce(psql, patience)).pipe(
        Effect.zipRight(schema(psql))
      )
      yield* Effect.raceFirst(
        attempt,
        Locks.watch({ ...target, lockWait: patience }, observer, application)
      )
    })
  ).pipe(
    Effect.catchIf(
      ({ reason }) => reason === "Busy",
      () => Effect.void
    )
  )
