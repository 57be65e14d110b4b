/**
 * One connection that several fibers use, one at a time: a transaction is nobody else's.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"

/**
 * Gives the connection to one at a time, for as long as its scope is open. Who gets none has had its
 * turn: a transaction that could not begin leaves its scope open.
 */
export const make = (
  connection: Effect.Effect<Connection, SqlError>
): Effect.Effect<Connection.Acquirer> =>
  Effect.map(Effect.makeSemaphore(1), (turn) =>
    Effect.uninterruptibleMask((restore) =>
      restore(turn.take(1)).pipe(
        Effect.zipRight(Effect.onError(restore(connection), () => turn.release(1))),
        Effect.zipLeft(Effect.addFinalizer(() => turn.release(1)))
      )
    )
  )
