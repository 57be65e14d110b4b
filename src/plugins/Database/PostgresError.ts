/**
 * Errors of a PostgreSQL connection as errors of the check.
 *
 * @internal
 */
import * as PostgresError from "../../Postgres/PostgresError.js"
import { DatabaseError } from "./DatabaseError.js"

export const fromCause = (cause: unknown, address: string): DatabaseError =>
  fromPostgres(PostgresError.fromCause(cause, address))

export const fromPostgres = (error: PostgresError.PostgresError): DatabaseError =>
  new DatabaseError({
    reason: error.reason,
    address: error.address,
    found: error.found,
    cause: error.cause
  })
