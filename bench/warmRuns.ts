/** What a run of a check costs in a program that keeps running: CPU time per check. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, Redacted, type Scope } from "effect"
import { Redis as Driver } from "ioredis"
import { Database } from "../src/plugins/Database.js"
import { Http } from "../src/plugins/Http.js"
import * as Redis from "../src/plugins/Redis.js"
import type { ServerError } from "../test/support/ServerError.js"
import { bound, checksAtOnce } from "./contenders/bounded.js"
import * as Drivers from "./contenders/drivers.js"
import * as Holter from "./contenders/holter.js"
import * as Others from "./contenders/others.js"
import * as Recorded from "./contenders/recorded.js"
import { limits } from "./limits.js"
import * as Python from "./support/Python.js"
import { absent, type BenchError, run } from "./support/Rounds.js"
import { type Servers, startBlackboxExporter } from "./support/Servers.js"
import { type Measured, ratioRow } from "./support/Table.js"

type Measure = Effect.Effect<Measured, ServerError | BenchError, Scope.Scope>

export const measures = (servers: Servers, rounds: number): ReadonlyArray<Measure> => [
  http(servers, rounds),
  postgres(servers, rounds),
  redis(servers, rounds)
]

const { warm } = limits

const http = ({ http: url }: Servers, rounds: number): Measure =>
  Effect.gen(function* () {
    const exporter = yield* startBlackboxExporter
    const noPort = Python.missing(["httpx"])
    // Checks of one program share their connections: `bound` of them.
    const standalone = (name: string) => Http.layerStandalone({ url }, { name })
    const samples = yield* run(
      {
        holter: yield* Holter.make("http", checksAtOnce, standalone, Layer.empty),
        undici: yield* Drivers.undici(url),
        blackbox: exporter === undefined ? absent : yield* Others.blackboxExporter(exporter, url),
        python: noPort === undefined ? yield* Others.pythonPort(url) : absent
      },
      rounds
    )
    const { blackbox, holter, python, undici } = samples
    const ratio = (name: string, other: ReadonlyArray<number>, limit: typeof warm.python) =>
      ratioRow(`warm: ${name} / holter, HTTP`, other, holter, "us", limit)
    return {
      rows: [
        ratioRow("warm: holter, HTTP / undici", holter, undici, "us", warm.http),
        ...(exporter === undefined ? [] : [ratio("blackbox exporter", blackbox, warm.blackbox)]),
        ...(noPort === undefined ? [ratio("Python port", python, warm.python)] : [])
      ],
      notes: [
        ...(exporter === undefined
          ? ["the blackbox exporter was not measured: apt-get install prometheus-blackbox-exporter"]
          : []),
        ...(noPort === undefined ? [] : [`the Python port was not measured, ${noPort}`])
      ]
    }
  })

const postgres = (servers: Servers, rounds: number): Measure =>
  Effect.gen(function* () {
    const url = Redacted.make(servers.postgres)
    // A check on its own keeps one connection, so a hundred checks would open a hundred.
    const standalone = (name: string) => Database.layerStandalone({ url }, { name })
    const holter = yield* Holter.make("postgres", bound, standalone, Layer.empty)
    // In a program with a client, all its checks share the connections of that.
    const embedded = yield* Holter.make(
      "embedded",
      checksAtOnce,
      (name) => Database.layerSqlClient({}, { name }),
      PgClient.layer({ url, maxConnections: bound })
    )
    yield* holter.once
    const statements = yield* Recorded.statements(holter.once)
    const samples = yield* run(
      { holter, embedded, pg: yield* Drivers.postgres(servers.postgres, statements) },
      rounds
    )
    const connections = yield* servers.postgresConnections
    return {
      rows: [
        ratioRow("warm: holter, PostgreSQL / pg", samples.holter, samples.pg, "us", warm.postgres),
        ratioRow("warm: the same on the program's SqlClient", samples.embedded, samples.pg, "us")
      ],
      notes: [
        `PostgreSQL: ${statements.length} statement(s) a check; ${connections} connections for three times ${bound} at once`
      ]
    }
  })

const redis = (servers: Servers, rounds: number): Measure =>
  Effect.gen(function* () {
    const url = Redacted.make(servers.redis)
    const standalone = (name: string) => Redis.Redis.layerStandalone({ url }, { name })
    const holter = yield* Holter.make("redis", bound, standalone, Layer.empty)
    // The first run connects; only this check may talk to Redis while its commands are recorded.
    yield* holter.once
    const commands = yield* Recorded.commands(holter.once)
    const driver = yield* Effect.acquireRelease(
      Effect.sync(() => new Driver(servers.redis)),
      (open) => Effect.sync(() => open.disconnect())
    )
    const embedded = yield* Holter.make(
      "embedded",
      checksAtOnce,
      (name) => Redis.Redis.layer({}, { name }),
      Redis.layerClientIORedis(driver)
    )
    const samples = yield* run(
      { holter, embedded, ioredis: yield* Drivers.redis(servers.redis, commands) },
      rounds
    )
    const { ioredis } = samples
    return {
      rows: [
        ratioRow("warm: holter, Redis / ioredis", samples.holter, ioredis, "us", warm.redis),
        ratioRow("warm: the same on the program's ioredis", samples.embedded, ioredis, "us")
      ],
      notes: [
        `Redis: a check sends ${commands.map(({ name }) => name).join(" and ")}; ${bound} connections for holter, one for ioredis`
      ]
    }
  })
