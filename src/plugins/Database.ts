/**
 * Whether a database answers a query: SQLite or PostgreSQL, by URL with a connection of the check's
 * own, or through the `SqlClient` of the program that embeds it.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { Duration, Effect, Layer, Redacted, Schedule, Schema } from "effect"
import * as Check from "../Check/Check.js"
import type { CheckConfigError, DuplicateCheckError } from "../Check/CheckError.js"
import type { CheckRegistry, Registered } from "../Check/CheckRegistry.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import { monotonicMillis } from "../Check/Deadlines.js"
import * as Outcome from "../Check/Outcome.js"
import * as DatabaseUrl from "../Common/DatabaseUrl.js"
import { DatabaseClient } from "./Database/DatabaseClient.js"
import { DatabaseError } from "./Database/DatabaseError.js"
import * as Embedded from "./Database/Embedded.js"
import * as Postgres from "./Database/Postgres.js"
import * as PostgresProbe from "./Database/PostgresProbe.js"
import * as Sqlite from "./Database/Sqlite.js"
import * as SqliteProbe from "./Database/SqliteProbe.js"
import * as Figures from "./shared/Figures.js"
import * as UrlConfig from "./shared/UrlConfig.js"
import * as Format from "../Common/Format.js"

export { DatabaseClient, DatabaseError }

const Config = Schema.Struct({
  url: Schema.optional(
    ConfigField.secret.annotations({
      description: `the database's URL, needed unless the program brings its own client: ${DatabaseUrl.supported}`
    })
  ),
  slow: ConfigField.withDefault(ConfigField.duration, "1 second").annotations({
    description: "degraded when the query takes longer"
  }),
  maxConnectionsPercent: ConfigField.withDefault(ConfigField.percent, 90).annotations({
    description: "degraded when more of PostgreSQL's max_connections are in use"
  }),
  writable: Schema.optionalWith(Schema.Boolean, { default: () => false }).annotations({
    description: "unhealthy when the database is read-only"
  }),
  quickCheck: Schema.optionalWith(Schema.Boolean, { default: () => false }).annotations({
    description: "SQLite: also run PRAGMA quick_check, which reads the whole file and blocks"
  }),
  acquireTimeout: ConfigField.withDefault(ConfigField.duration, "5 seconds").annotations({
    description: "how long to wait for a connection, or for another process's lock on SQLite"
  })
})

type Config = typeof Config.Type

const probe = (config: Config): Effect.Effect<Outcome.Outcome, DatabaseError, DatabaseClient> =>
  Effect.flatMap(DatabaseClient, (client) =>
    client.kind === "postgresql" ? probePostgres(client, config) : probeSqlite(client, config)
  )

const check = Check.make("database", {
  description: "Answers a query; connections, recovery and size of PostgreSQL, files of SQLite",
  label: "database",
  config: Config.fields,
  rules: UrlConfig.rule(
    "a database URL (in a program with a SqlClient of its own use Database.layerSqlClient)",
    DatabaseUrl.parseForConnection
  ),
  error: DatabaseError,
  statuses: { StartingUp: "degraded" },
  retry: {
    schedule: Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(1)),
    while: (error) => error.isRetryable
  },
  probe,
  // The URL was read before: a configuration with another one does not come this far.
  services: ({ acquireTimeout, url }) =>
    Layer.orDie(layerClientUrl({ url: url ?? Redacted.make(""), acquireTimeout }))
})

/**
 * Answers a query. On its own it needs a `url`; embedded, it uses the program's `SqlClient`.
 *
 * @example
 * import { Redacted } from "effect"
 * import { Database } from "holter/plugins/Database"
 *
 * const byUrl = Database.layerStandalone({ url: Redacted.make("sqlite:///data/bot.db") })
 *
 * // With the program's own SqlClient, which it provides once for the bot and the check.
 * const embedded = Database.layerSqlClient({ slow: "500 millis", writable: true })
 */
export const Database = {
  ...check,
  layerSqlClient: (
    config: Omit<Check.Input<typeof Config.fields>, "url"> = {},
    options?: Check.Options
  ): Layer.Layer<Registered, DuplicateCheckError | CheckConfigError, CheckRegistry | SqlClient> =>
    check
      .layer(config, options)
      .pipe(
        Layer.provide(
          layerClientSqlClient(
            config.acquireTimeout === undefined ? {} : { acquireTimeout: config.acquireTimeout }
          )
        )
      )
}

export interface ClientOptions {
  /** How long to wait for a connection, or for another process's lock on SQLite: 5 seconds. */
  readonly acquireTimeout?: Duration.DurationInput
}

/**
 * A client with a connection of its own: one for PostgreSQL, made when it is first needed and kept;
 * a SQLite file is opened for each run and left as it was. In a program that has the same SQLite
 * file open itself, use `layerClientSqlClient`: two SQLite libraries in one process drop each other's
 * locks.
 *
 * @example
 * import { Redacted } from "effect"
 * import * as Database from "holter/plugins/Database"
 *
 * Database.layerClientUrl({ url: Redacted.make("postgresql://bot:secret@localhost/bot") })
 */
export const layerClientUrl = (
  options: ClientOptions & { readonly url: Redacted.Redacted<string> }
): Layer.Layer<DatabaseClient, DatabaseUrl.DatabaseUrlError> =>
  Layer.scoped(
    DatabaseClient,
    Effect.gen(function* () {
      const url = yield* DatabaseUrl.parseForConnection(options.url)
      const limits = { acquireTimeout: options.acquireTimeout ?? "5 seconds" }
      return yield* url._tag === "Postgres" ? Postgres.make(url, limits) : Sqlite.make(url, limits)
    })
  )

/** A client that uses the program's own `SqlClient`, of @effect/sql-pg or @effect/sql-sqlite-node. */
export const layerClientSqlClient = (
  options: ClientOptions = {}
): Layer.Layer<DatabaseClient, never, SqlClient> =>
  // Loaded when it is used: a command line that checks by URL pays nothing for @effect/sql.
  Layer.unwrapEffect(
    Effect.map(
      Effect.promise(() => import("@effect/sql/SqlClient")),
      ({ SqlClient }) =>
        Layer.effect(
          DatabaseClient,
          Effect.map(SqlClient, (sql) =>
            Embedded.make(sql, { acquireTimeout: options.acquireTimeout ?? "5 seconds" })
          )
        )
    )
  )

type Client = DatabaseClient["Type"]

const probePostgres = (client: Client, config: Config) =>
  Effect.flatMap(
    timed(client, (session) => PostgresProbe.ask(session, client.address)),
    ({ answer, times }) => {
      if (config.writable && (answer.read_only || answer.in_recovery)) {
        return new DatabaseError({
          reason: "ReadOnly",
          address: client.address,
          found: answer.in_recovery ? "it is in recovery" : "transactions are read-only"
        })
      }
      const { connections_max: max, connections_used: used } = answer
      const share = Figures.share(used, max)
      const full =
        share > config.maxConnectionsPercent
          ? `Database uses ${Format.percent(share)} of its connections (${used} of ${max})`
          : undefined
      return Effect.succeed(
        report(config, { kind: client.kind, ...times, ...PostgresProbe.details(answer) }, full)
      )
    }
  )

const probeSqlite = (client: Client, config: Config) =>
  Effect.gen(function* () {
    const { answer, times } = yield* timed(client, (session) =>
      SqliteProbe.ask(session, client.address, config.quickCheck)
    )
    if (config.writable && !(yield* SqliteProbe.isWritable(answer.file))) {
      return yield* new DatabaseError({
        reason: "ReadOnly",
        address: client.address,
        found: "no write permission for the file or its folder"
      })
    }
    const details = yield* SqliteProbe.details(answer)
    return report(config, { kind: client.kind, ...times, ...details }, undefined)
  })

interface Times {
  readonly acquire_ms: number
  readonly query_ms: number
}

const timed = <A>(
  client: Client,
  ask: (
    session: Parameters<Parameters<Client["withSession"]>[0]>[0]
  ) => Effect.Effect<A, DatabaseError>
): Effect.Effect<{ readonly answer: A; readonly times: Times }, DatabaseError> =>
  Effect.clockWith((clock) => {
    const startedAt = monotonicMillis(clock)
    return client.withSession((session) => {
      const acquiredAt = monotonicMillis(clock)
      return Effect.map(ask(session), (answer) => ({
        answer,
        times: {
          acquire_ms: Figures.rounded(acquiredAt - startedAt),
          query_ms: Figures.rounded(monotonicMillis(clock) - acquiredAt)
        }
      }))
    })
  })

const report = (
  config: Config,
  details: Outcome.Details & Times & { readonly kind: string },
  full: string | undefined
): Outcome.Outcome => {
  const options = { details, note: details.kind }
  const limit = Duration.decode(config.slow)
  if (details.query_ms > Duration.toMillis(limit)) {
    return Outcome.degraded(
      `Database is slow: ${details.query_ms} ms for a query, more than ${Duration.format(limit)}`,
      options
    )
  }
  return full === undefined
    ? Outcome.healthy("Database connection OK", options)
    : Outcome.degraded(full, options)
}
