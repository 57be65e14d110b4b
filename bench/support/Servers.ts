/** The servers that the benchmarks ask, each a process of its own: their CPU time is not counted. */
import { Effect, type Scope } from "effect"
import { writeFile } from "node:fs/promises"
import * as path from "node:path"
import * as Binaries from "../../test/support/Binaries.js"
import { installLine } from "../../test/support/Install.js"
import * as ManagedProcess from "../../test/support/ManagedProcess.js"
import { PostgresServer, type PostgresInstance } from "../../test/support/PostgresServer.js"
import { RedisServer } from "../../test/support/RedisServer.js"
import type { ServerError } from "../../test/support/ServerError.js"
import * as TestRun from "../../test/support/TestRun.js"
import { BenchError } from "./Rounds.js"

export interface Servers {
  /** A folder for files of the benchmark; it goes with the servers. */
  readonly folder: string
  readonly http: string
  readonly postgres: string
  readonly redis: string
  /** How many connections the server has from clients other than this one. */
  readonly postgresConnections: Effect.Effect<number, ServerError>
}

export const start: Effect.Effect<Servers, ServerError | BenchError, Scope.Scope> = Effect.gen(
  function* () {
    const binaries = Binaries.find()
    const missing = Binaries.missing(binaries, ["postgres", "redis"])
    if (missing.length > 0) {
      return yield* Effect.fail(
        new BenchError(`${missing.join(" and ")} not found. Type: ${installLine(missing)}`)
      )
    }
    const { run } = yield* Effect.acquireRelease(
      Effect.promise(() => TestRun.prepare(binaries)),
      (prepared) => Effect.promise(prepared.dispose)
    )
    const postgres = yield* PostgresServer.make({ password: "bench-only", maxConnections: 150 })
    const redis = yield* RedisServer.make()
    return {
      folder: run.root,
      http: yield* startHttp,
      postgres: postgres.urlWith({ params: {} }),
      redis: redis.url,
      postgresConnections: countConnections(postgres)
    }
  }
)

const startHttp = Effect.gen(function* () {
  const { root } = yield* TestRun.current
  const server = yield* ManagedProcess.start({
    name: "http server",
    command: process.execPath,
    args: [path.join(import.meta.dirname, "httpServer.mjs")],
    cwd: root
  })
  const [, port] = yield* server.awaitOutput(/port (\d+)/)
  return `http://127.0.0.1:${port}/up`
})

const countConnections = (postgres: PostgresInstance) =>
  postgres
    .query<{ readonly count: string }>("SELECT count(*) FROM pg_stat_activity WHERE usename = $1", [
      postgres.user
    ])
    .pipe(Effect.map(([row]) => Number(row?.count)))

export interface Exporter {
  readonly pid: number
  readonly url: string
}

/** `undefined` where it is not installed. */
export const startBlackboxExporter: Effect.Effect<Exporter | undefined, ServerError, Scope.Scope> =
  Effect.gen(function* () {
    const binary = ["prometheus-blackbox-exporter", "blackbox_exporter"]
      .map((name) => Binaries.findInPath(name, process.env["PATH"] ?? ""))
      .find((found) => found !== undefined)
    if (binary === undefined) return undefined
    const { root } = yield* TestRun.current
    const config = path.join(root, "blackbox.yml")
    yield* Effect.promise(() =>
      writeFile(
        config,
        "modules:\n  http_2xx: { prober: http, http: { preferred_ip_protocol: ip4 } }\n"
      )
    )
    const exporter = yield* ManagedProcess.start({
      name: "blackbox exporter",
      command: binary,
      args: [`--config.file=${config}`, "--web.listen-address=127.0.0.1:0"],
      cwd: root
    })
    const [, address] = yield* exporter.awaitOutput(/address=(127\.0\.0\.1:\d+)/)
    return { pid: exporter.pid, url: `http://${address}` }
  })
