/**
 * What an earlier run left, read in one snapshot by the attempt that opens the journal. It is known as
 * a whole or not at all: nothing is concluded from the absence of a part that could not be read.
 *
 * @internal
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import type { Alert } from "../../Alert/Alert.js"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { JournalError } from "./JournalError.js"
import { fromSqlError } from "./open.js"
import * as Read from "./read.js"
import { inTransaction } from "./transaction.js"

export interface Earlier {
  readonly state: Option.Option<AlertPolicy.State>
  readonly pending: ReadonlyArray<Alert>
}

/** `check` looks in the same snapshot whether this program still has the journal. */
export const read = (
  sql: SqlClient,
  version: number,
  check: Effect.Effect<void, JournalError | SqlError>
): Effect.Effect<Earlier, JournalError> =>
  inTransaction(
    sql,
    Effect.gen(function* () {
      yield* sql.onDialectOrElse({
        pg: () => sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`,
        orElse: () => Effect.void
      })
      const state = yield* Read.state(sql)
      const { pending, unreadable } = yield* Read.owed(sql, version)
      yield* check
      // They stay where they are: the Holter that wrote them can send them.
      yield* Effect.forEach(unreadable, (why) => Effect.logError(notSent(why)), { discard: true })
      return { state, pending }
    })
  ).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(fromSqlError(error))))

const notSent = (why: string): string =>
  `An alert of an earlier run is not sent: this version of Holter cannot read it (${why}). It stays in holter_outbox for the version that wrote it`
