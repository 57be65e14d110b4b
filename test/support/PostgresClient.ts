/** One connection to a test server, which closes without the server's consent. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import pg from "pg"
import { fromUnknown, type ServerError } from "./ServerError.js"

export interface PostgresClient {
  readonly query: <A = Record<string, unknown>>(
    sql: string,
    values?: ReadonlyArray<unknown>
  ) => Effect.Effect<ReadonlyArray<A>, ServerError>
}

export const connect = (
  config: pg.ClientConfig
): Effect.Effect<PostgresClient, ServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const made = new pg.Client(config)
        // Without a listener a server that goes away is an uncaught exception.
        made.on("error", () => {})
        return made
      }),
      (made) => Effect.sync(() => close(made))
    )
    yield* Effect.tryPromise({
      try: () => client.connect(),
      catch: fromUnknown("postgres", "connect")
    })
    return {
      query: <A>(sql: string, values: ReadonlyArray<unknown> = []) =>
        Effect.tryPromise({
          // The extended protocol takes one statement only, the simple one a whole script.
          try: () => (values.length === 0 ? client.query(sql) : client.query(sql, [...values])),
          catch: fromUnknown("postgres", "query")
        }).pipe(
          // The rows are what the caller's SQL says; a script gives the rows of its last statement.
          Effect.map(
            (result: pg.QueryResult | ReadonlyArray<pg.QueryResult>) =>
              ("rows" in result ? result.rows : (result.at(-1)?.rows ?? [])) as Array<A>
          )
        )
    }
  })

/** `end` waits for the server to hang up, and a paused server never does. */
const close = (client: pg.Client): void => {
  const { connection } = client as unknown as {
    readonly connection: { readonly stream: { readonly destroy: () => void } }
  }
  connection.stream.destroy()
}
