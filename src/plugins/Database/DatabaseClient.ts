/**
 * The database as the check sees it, whoever holds the connection: the check itself or the program
 * that embeds it.
 */
import { Context, type Effect } from "effect"
import type { DatabaseError } from "./DatabaseError.js"

export type Kind = "sqlite" | "postgresql"

export type Row = { readonly [column: string]: unknown }

export interface Session {
  /** Runs one statement without parameters. Columns come as the statement names them. */
  readonly query: (sql: string) => Effect.Effect<ReadonlyArray<Row>, DatabaseError>
}

export class DatabaseClient extends Context.Tag("holter/plugins/Database/DatabaseClient")<
  DatabaseClient,
  {
    readonly kind: Kind
    /** Where the database is, for messages: no user, no password. */
    readonly address: string
    /**
     * Acquires a session, uses it and gives it back. What fails, dies or is interrupted takes its
     * connection with it. The time until the use starts is the time to acquire.
     */
    readonly withSession: <A, E, R>(
      use: (session: Session) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | DatabaseError, R>
  }
>() {}
