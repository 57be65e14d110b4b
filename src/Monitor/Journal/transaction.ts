/**
 * A transaction whose COMMIT may fail like any other statement: that of @effect/sql dies of it, and a
 * connection is cut there as well as elsewhere.
 *
 * @internal
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"

export const inTransaction = <A, E>(
  sql: SqlClient,
  work: Effect.Effect<A, E>
): Effect.Effect<A, E | SqlError> =>
  Effect.catchSomeDefect(sql.withTransaction(work), (defect) =>
    defect instanceof SqlError ? Option.some(Effect.fail(defect)) : Option.none()
  )
