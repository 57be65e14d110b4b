/**
 * The embedding program's own `SqlClient`. Its file is not opened a second time: a second SQLite
 * library in one process, or a descriptor closed, drops the locks of the first.
 *
 * @internal
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import { abandonable } from "../../Common/abandonable.js"
import type { DatabaseClient, Kind, Session } from "./DatabaseClient.js"
import { DatabaseError } from "./DatabaseError.js"
import * as PostgresError from "./PostgresError.js"
import * as SqliteError from "./SqliteError.js"

export interface Options {
  /** How long to wait for a connection of the pool. */
  readonly acquireTimeout: Duration.DurationInput
}

export const make = (sql: SqlClient, options: Options): DatabaseClient["Type"] => {
  const kind: Kind | undefined = sql.onDialectOrElse({
    sqlite: () => "sqlite" as const,
    pg: () => "postgresql" as const,
    orElse: () => undefined
  })
  const address = "the program's own SqlClient"
  if (kind === undefined) {
    return {
      kind: "postgresql",
      address,
      withSession: () =>
        new DatabaseError({ reason: "Unsupported", address, found: "another dialect of SQL" })
    }
  }
  const mapped = (error: SqlError): DatabaseError =>
    kind === "sqlite"
      ? SqliteError.fromCause(error.cause, address)
      : PostgresError.fromCause(error.cause, address)
  const reserve = Effect.timeoutFail(abandonable(Effect.mapError(sql.reserve, mapped)), {
    duration: options.acquireTimeout,
    onTimeout: () =>
      new DatabaseError({
        reason: "AcquireTimedOut",
        address,
        found: `none within ${Duration.format(Duration.decode(options.acquireTimeout))}`
      })
  })
  const session = (connection: Connection): Session => ({
    query: (text) => Effect.mapError(connection.execute(text, [], undefined), mapped)
  })
  return {
    kind,
    address,
    withSession: (use) =>
      Effect.scoped(Effect.flatMap(reserve, (connection) => use(session(connection))))
  }
}
