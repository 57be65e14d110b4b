/**
 * One PostgreSQL connection of the check's own, kept between beats.
 *
 * @internal
 */
import { Duration, Effect, Exit, Redacted, type Scope } from "effect"
import { readFile } from "node:fs/promises"
import type { ConnectionOptions } from "node:tls"
import type { Client } from "pg"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as KeptConnection from "../shared/KeptConnection.js"
import type { DatabaseClient, Session } from "./DatabaseClient.js"
import { DatabaseError } from "./DatabaseError.js"
import * as PostgresError from "./PostgresError.js"

export interface Options {
  /** How long opening the connection may take. */
  readonly acquireTimeout: Duration.DurationInput
}

export const make = (
  url: DatabaseUrl.Postgres,
  options: Options
): Effect.Effect<DatabaseClient["Type"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const address = DatabaseUrl.address(url)
    let latest: Connection | undefined
    const kept = yield* KeptConnection.make(
      Effect.tap(open(url, address, options), (connection) => {
        latest = connection
        return Effect.void
      })
    )
    return {
      kind: "postgresql" as const,
      address,
      withSession: (use) =>
        Effect.suspend(() => {
          const used = kept.use((connection) => use(connection.session))
          // A server that closed the connection between two beats costs a new one, not a failure.
          return latest?.ended === true ? Effect.zipRight(kept.drop, used) : used
        })
    }
  })

interface Connection {
  readonly session: Session
  ended: boolean
}

const open = (
  url: DatabaseUrl.Postgres,
  address: string,
  options: Options
): Effect.Effect<Connection, DatabaseError, Scope.Scope> => {
  const secure = url.socketDir === undefined && url.ssl !== undefined
  const plain = connect(url, address, false)
  const encrypted = Effect.flatMap(tlsOptions(url, address), (ssl) => connect(url, address, ssl))
  const attempt =
    !secure || url.ssl === "disable" || url.ssl === "allow"
      ? plain
      : url.ssl === "prefer"
        ? Effect.catchIf(
            encrypted,
            (error) => error.reason === "TlsFailed",
            () => plain
          )
        : encrypted
  return Effect.timeoutFail(attempt, {
    duration: options.acquireTimeout,
    onTimeout: () =>
      new DatabaseError({
        reason: "AcquireTimedOut",
        address,
        found: `none within ${Duration.format(Duration.decode(options.acquireTimeout))}`
      })
  })
}

const connect = (
  url: DatabaseUrl.Postgres,
  address: string,
  ssl: false | ConnectionOptions
): Effect.Effect<Connection, DatabaseError, Scope.Scope> =>
  Effect.gen(function* () {
    const pg = yield* Effect.promise(() => import("pg"))
    const { parameters, password } = url
    const client = new pg.Client({
      host: url.host,
      port: url.port,
      database: url.database,
      user: url.user,
      password: password === undefined ? undefined : Redacted.value(password),
      options: url.options,
      application_name: parameters["application_name"] ?? "holter",
      keepAlive: true,
      ssl
    })
    const connection: Connection = { session: session(client, address), ended: false }
    // Without a listener the end of an idle connection would end the process.
    client.on("error", () => {
      connection.ended = true
    })
    client.on("end", () => {
      connection.ended = true
    })
    yield* Effect.addFinalizer((exit) => close(client, Exit.isSuccess(exit) && !connection.ended))
    yield* Effect.async<void, DatabaseError>((resume) => {
      client.connect((cause: Error | null) => {
        resume(cause ? Effect.fail(PostgresError.fromCause(cause, address)) : Effect.void)
      })
      return Effect.sync(() => destroy(client))
    })
    return connection
  })

const session = (client: Client, address: string): Session => ({
  query: (sql) =>
    Effect.async((resume) => {
      client.query(sql, (cause: Error | null, result) => {
        resume(
          cause ? Effect.fail(PostgresError.fromCause(cause, address)) : Effect.succeed(result.rows)
        )
      })
      // What still travels on it is nobody's any more, and a server that hangs takes no goodbye.
      return Effect.sync(() => destroy(client))
    })
})

const destroy = (client: Client): void => {
  client.connection.stream.destroy()
}

/** A goodbye to the server where it may listen, within a limit; then nothing holds the process. */
const close = (client: Client, politely: boolean): Effect.Effect<void> =>
  Effect.ensuring(
    politely
      ? Effect.promise(() => client.end()).pipe(
          Effect.interruptible,
          Effect.timeout("500 millis"),
          Effect.ignore
        )
      : Effect.void,
    Effect.sync(() => destroy(client))
  )

/** libpq's modes: only `verify-*` and a root certificate ask who the server is. */
const tlsOptions = (
  url: DatabaseUrl.Postgres,
  address: string
): Effect.Effect<ConnectionOptions, DatabaseError> => {
  const { sslcert, sslkey, sslrootcert } = url.parameters
  const file = (name: string, path: string | undefined) =>
    path === undefined || (name === "ca" && path === "system")
      ? Effect.succeed({})
      : Effect.tryPromise({
          try: async () => ({ [name]: await readFile(path, "utf8") }),
          catch: (cause) =>
            new DatabaseError({
              reason: "TlsFailed",
              address,
              found: `cannot read the file of its ${name}`,
              cause
            })
        })
  const verifies = url.ssl?.startsWith("verify") === true || sslrootcert !== undefined
  return Effect.map(
    Effect.all([file("ca", sslrootcert), file("cert", sslcert), file("key", sslkey)]),
    ([ca, cert, key]) => ({
      ...ca,
      ...cert,
      ...key,
      rejectUnauthorized: verifies,
      ...(url.ssl === "verify-full" ? {} : { checkServerIdentity: () => undefined })
    })
  )
}
