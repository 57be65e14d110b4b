/**
 * One connection to a PostgreSQL server, as libpq would open it: TLS by `sslmode`, unix sockets,
 * `options`. It belongs to its scope.
 *
 * @internal
 */
import { Config, Duration, Effect, Exit, Redacted, type Scope } from "effect"
import { Socket } from "node:net"
import * as os from "node:os"
import type { Client } from "pg"
import * as DatabaseUrl from "../Common/DatabaseUrl.js"
import * as Guard from "../System/Guard.js"
import * as Frames from "./Frames.js"
import * as PassFile from "./PassFile.js"
import { fromCause, isRefusal, PostgresError } from "./PostgresError.js"
import * as PostgresSocket from "./PostgresSocket.js"
import * as PostgresTls from "./PostgresTls.js"

export interface Options {
  /** How long opening the connection may take. */
  readonly acquireTimeout: Duration.DurationInput
  /** How long an answer may be, 64 MiB without it: a server that never ends one takes all memory. */
  readonly maxAnswerBytes?: number
}

const defaultAnswerBytes = 64 * 1024 * 1024

export type Row = { readonly [column: string]: unknown }

export interface Connection {
  readonly client: Client
  readonly frames: Frames.Frames
  /** The server or the network closed it. */
  ended: boolean
  /** Statements that wait for the answer to the one before; none where nothing runs. */
  waiting: Array<() => void> | undefined
}

export const open = (
  url: DatabaseUrl.Postgres,
  options: Options
): Effect.Effect<Connection, PostgresError, Scope.Scope> => {
  const address = DatabaseUrl.address(url)
  const maxAnswerBytes = options.maxAnswerBytes ?? defaultAnswerBytes
  return Effect.timeoutFail(attempt({ url, address, maxAnswerBytes }), {
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
 * Runs a statement, after those that run on this connection. One that is interrupted goes on at the server,
 * and what follows waits for it.
 */
export const query = <E>(
  connection: Connection,
  sql: string,
  values: ReadonlyArray<unknown> | undefined,
  fail: (cause: unknown) => E
): Effect.Effect<ReadonlyArray<Row>, E> =>
  Effect.async((resume) => {
    const { client, frames } = connection
    const done = (cause: Error | null, result: { readonly rows: ReadonlyArray<Row> }) => {
      answered(connection)
      resume(cause ? Effect.fail(fail(reasonOf(client) ?? cause)) : Effect.succeed(result.rows))
    }
    inTurn(connection, () => {
      frames.ask()
      if (values === undefined) client.query(sql, done)
      else client.query(sql, [...values], done)
    })
  })

/**
 * What cleans up after an interrupted statement waits for the answer to that one. The driver's own queue is
 * deprecated, and its warning would be a mail of cron's.
 */
const inTurn = (connection: Connection, start: () => void): void => {
  if (connection.waiting !== undefined) {
    connection.waiting.push(start)
    return
  }
  connection.waiting = []
  start()
}

const answered = (connection: Connection): void => {
  const next = connection.waiting?.shift()
  if (next === undefined) connection.waiting = undefined
  else next()
}

interface Target {
  readonly url: DatabaseUrl.Postgres
  readonly address: string
  readonly maxAnswerBytes: number
}

/** Once the guard has ended a connection, the driver says only that it ended. */
const reasonOf = ({ connection }: Client): Guard.Violation | undefined => {
  const { errored } = connection.stream as Socket
  return errored instanceof Guard.Violation ? errored : undefined
}

/** By libpq's modes, whose default is `prefer`; a unix socket has no TLS. */
const attempt = (target: Target): Effect.Effect<Connection, PostgresError, Scope.Scope> => {
  const { address, url } = target
  const mode = modeOf(url)
  const place = { host: url.host, port: url.port, address }
  const plain =
    url.socketDir === undefined
      ? Effect.flatMap(PostgresSocket.connect(place), (socket) => connect(target, socket))
      : connect(target, undefined)
  if (mode === "disable") return plain
  // Files that cannot be read are a mistake, also where TLS is not a must.
  return Effect.flatMap(PostgresTls.options(url, mode, address), (tls) => {
    const negotiated = PostgresSocket.open(place, tls)
    const encrypted = Effect.flatMap(negotiated, (opened) =>
      opened.encrypted ? connect(target, opened.socket) : PostgresTls.none(address)
    )
    if (mode === "allow") return otherwise(plain, isRefusal, encrypted)
    if (mode !== "prefer") return encrypted
    const either = Effect.flatMap(negotiated, (opened) => {
      const first = connect(target, opened.socket)
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
  { address, maxAnswerBytes, url }: Target,
  socket: Socket | undefined
): Effect.Effect<Connection, PostgresError, Scope.Scope> =>
  Effect.gen(function* () {
    const pg = yield* Effect.promise(() => import("pg"))
    const { parameters, password } = url
    const user = url.user ?? (yield* defaultUser)
    const frames = Frames.make(maxAnswerBytes)
    const secret =
      password === undefined ? yield* PassFile.password(url, user) : Redacted.value(password)
    const client = new pg.Client({
      host: url.host,
      port: url.port,
      database: url.database,
      user,
      // Asked only where the server wants one; none keeps the driver from looking for it by itself.
      password: secret ?? (() => ""),
      options: url.options,
      application_name: parameters["application_name"] ?? "holter",
      keepAlive: true,
      stream: () =>
        Guard.guard(socket === undefined ? new Socket() : PostgresSocket.forDriver(socket), frames),
      // Made above, and not by PGSSLMODE and PGSSLNEGOTIATION of the environment.
      ssl: false,
      sslnegotiation: "postgres"
    })
    const connection: Connection = { client, frames, ended: false, waiting: undefined }
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
        resume(cause ? Effect.fail(fromCause(reasonOf(client) ?? cause, address)) : Effect.void)
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
