/**
 * One PostgreSQL connection of the check's own, kept between beats.
 *
 * @internal
 */
import { Duration, Effect, Exit, Redacted, type Scope } from "effect"
import type { Socket } from "node:net"
import type { Client } from "pg"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as KeptConnection from "../shared/KeptConnection.js"
import type { DatabaseClient, Session } from "./DatabaseClient.js"
import { DatabaseError } from "./DatabaseError.js"
import * as PostgresError from "./PostgresError.js"
import * as PostgresSocket from "./PostgresSocket.js"
import * as PostgresTls from "./PostgresTls.js"

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
): Effect.Effect<Connection, DatabaseError, Scope.Scope> =>
  Effect.timeoutFail(attempt(url, address), {
    duration: options.acquireTimeout,
    onTimeout: () =>
      new DatabaseError({
        reason: "AcquireTimedOut",
        address,
        found: `none within ${Duration.format(Duration.decode(options.acquireTimeout))}`
      })
  })

/** By libpq's modes, whose default is `prefer`; a unix socket has no TLS. */
const attempt = (
  url: DatabaseUrl.Postgres,
  address: string
): Effect.Effect<Connection, DatabaseError, Scope.Scope> => {
  const mode = modeOf(url)
  const plain = connect(url, address, undefined)
  if (mode === "disable") return plain
  // Files that cannot be read are a mistake, also where TLS is not a must.
  return Effect.flatMap(PostgresTls.options(url, mode, address), (tls) => {
    const negotiated = PostgresSocket.open({ host: url.host, port: url.port, address }, tls)
    const encrypted = Effect.flatMap(negotiated, (opened) =>
      opened.encrypted ? connect(url, address, opened.socket) : PostgresTls.none(address)
    )
    if (mode === "allow") return otherwise(plain, PostgresError.isRefusal, encrypted)
    if (mode !== "prefer") return encrypted
    const either = Effect.flatMap(negotiated, (opened) => {
      const first = connect(url, address, opened.socket)
      return opened.encrypted ? otherwise(first, PostgresError.isRefusal, plain) : first
    })
    return otherwise(either, (error) => error.reason === "TlsFailed", plain)
  })
}

const modeOf = (url: DatabaseUrl.Postgres): DatabaseUrl.SslMode => {
  if (url.socketDir !== undefined) return "disable"
  // As libpq: who trusts every public authority must look at the name.
  return url.ssl ?? (url.parameters["sslrootcert"] === "system" ? "verify-full" : "prefer")
}

/**
 * The second way in, where it may help. Only a refusal before the password is worth it: the same
 * wrong password twice may lock an account. Where the second is refused too, the first one tells.
 */
const otherwise = <A, R>(
  first: Effect.Effect<A, DatabaseError, R>,
  mayHelp: (error: DatabaseError) => boolean,
  second: Effect.Effect<A, DatabaseError, R>
): Effect.Effect<A, DatabaseError, R> =>
  Effect.catchIf(first, mayHelp, (error) =>
    Effect.mapError(second, (next) =>
      next.reason === "TlsFailed" || PostgresError.isRefusal(next) ? error : next
    )
  )

/** Over this socket, or one of the driver's own without TLS. */
const connect = (
  url: DatabaseUrl.Postgres,
  address: string,
  socket: Socket | undefined
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
      ...(socket === undefined ? {} : { stream: () => PostgresSocket.forDriver(socket) }),
      // Made above, and not by PGSSLMODE and PGSSLNEGOTIATION of the environment.
      ssl: false,
      sslnegotiation: "postgres"
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
      // What is interrupted takes its connection with it: see KeptConnection.
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
