/**
 * One connection to a PostgreSQL server, as libpq would open it: TLS by `sslmode`, unix sockets,
 * `options`. It belongs to its scope.
 *
 * @internal
 */
import { Config, Duration, Effect, Exit, Redacted, type Scope } from "effect"
import type { Socket } from "node:net"
import * as os from "node:os"
import type { Client } from "pg"
import * as DatabaseUrl from "../Common/DatabaseUrl.js"
import { fromCause, isRefusal, PostgresError } from "./PostgresError.js"
import * as PostgresSocket from "./PostgresSocket.js"
import * as PostgresTls from "./PostgresTls.js"

export interface Options {
  /** How long opening the connection may take. */
  readonly acquireTimeout: Duration.DurationInput
}

export type Row = { readonly [column: string]: unknown }

export interface Connection {
  readonly client: Client
  /** The server or the network closed it. */
  ended: boolean
}

export const open = (
  url: DatabaseUrl.Postgres,
  options: Options
): Effect.Effect<Connection, PostgresError, Scope.Scope> => {
  const address = DatabaseUrl.address(url)
  return Effect.timeoutFail(attempt(url, address), {
    duration: options.acquireTimeout,
    onTimeout: () =>
      new PostgresError({
        reason: "AcquireTimedOut",
        address,
        found: `none within ${Duration.format(Duration.decode(options.acquireTimeout))}`
      })
  })
}

/**
 * Runs a statement. What is interrupted leaves the connection in the middle of an answer: it can
 * only be closed then.
 */
export const query = <E>(
  { client }: Connection,
  sql: string,
  values: ReadonlyArray<unknown> | undefined,
  fail: (cause: unknown) => E
): Effect.Effect<ReadonlyArray<Row>, E> =>
  Effect.async((resume) => {
    const done = (cause: Error | null, result: { readonly rows: ReadonlyArray<Row> }) => {
      resume(cause ? Effect.fail(fail(cause)) : Effect.succeed(result.rows))
    }
    if (values === undefined) client.query(sql, done)
    else client.query(sql, [...values], done)
  })

/** By libpq's modes, whose default is `prefer`; a unix socket has no TLS. */
const attempt = (
  url: DatabaseUrl.Postgres,
  address: string
): Effect.Effect<Connection, PostgresError, Scope.Scope> => {
  const mode = modeOf(url)
  const target = { host: url.host, port: url.port, address }
  const plain =
    url.socketDir === undefined
      ? Effect.flatMap(PostgresSocket.connect(target), (socket) => connect(url, address, socket))
      : connect(url, address, undefined)
  if (mode === "disable") return plain
  // Files that cannot be read are a mistake, also where TLS is not a must.
  return Effect.flatMap(PostgresTls.options(url, mode, address), (tls) => {
    const negotiated = PostgresSocket.open(target, tls)
    const encrypted = Effect.flatMap(negotiated, (opened) =>
      opened.encrypted ? connect(url, address, opened.socket) : PostgresTls.none(address)
    )
    if (mode === "allow") return otherwise(plain, isRefusal, encrypted)
    if (mode !== "prefer") return encrypted
    const either = Effect.flatMap(negotiated, (opened) => {
      const first = connect(url, address, opened.socket)
      return opened.encrypted ? otherwise(first, isRefusal, plain) : first
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
  first: Effect.Effect<A, PostgresError, R>,
  mayHelp: (error: PostgresError) => boolean,
  second: Effect.Effect<A, PostgresError, R>
): Effect.Effect<A, PostgresError, R> =>
  Effect.catchIf(first, mayHelp, (error) =>
    Effect.mapError(second, (next) =>
      next.reason === "TlsFailed" || isRefusal(next) ? error : next
    )
  )

/** Over this socket; to a unix socket the driver makes the connection itself. */
const connect = (
  url: DatabaseUrl.Postgres,
  address: string,
  socket: Socket | undefined
): Effect.Effect<Connection, PostgresError, Scope.Scope> =>
  Effect.gen(function* () {
    const pg = yield* Effect.promise(() => import("pg"))
    const { parameters, password } = url
    const user = url.user ?? (yield* defaultUser)
    const client = new pg.Client({
      host: url.host,
      port: url.port,
      database: url.database,
      user,
      password: password === undefined ? undefined : Redacted.value(password),
      options: url.options,
      application_name: parameters["application_name"] ?? "holter",
      keepAlive: true,
      ...(socket === undefined ? {} : { stream: () => PostgresSocket.forDriver(socket) }),
      // Made above, and not by PGSSLMODE and PGSSLNEGOTIATION of the environment.
      ssl: false,
      sslnegotiation: "postgres"
    })
    const connection: Connection = { client, ended: false }
    // Without a listener the end of an idle connection would end the process.
    client.on("error", () => {
      connection.ended = true
    })
    client.on("end", () => {
      connection.ended = true
    })
    yield* Effect.addFinalizer((exit) => close(client, Exit.isSuccess(exit) && !connection.ended))
    yield* Effect.async<void, PostgresError>((resume) => {
      client.connect((cause: Error | null) => {
        resume(cause ? Effect.fail(fromCause(cause, address)) : Effect.void)
      })
      return Effect.sync(() => destroy(client))
    })
    return connection
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

/** As libpq: PGUSER, then who the system says it is. The driver asks USER, which cron does not set. */
const defaultUser = Config.nonEmptyString("PGUSER").pipe(
  Effect.orElse(() => Effect.try(() => os.userInfo().username)),
  Effect.orElseSucceed(() => undefined)
)
