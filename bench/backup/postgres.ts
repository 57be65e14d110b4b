/** `holter backup create` of a PostgreSQL database, against `pg_dump -Fc` at its defaults. */
import { Effect, type Scope } from "effect"
import { mkdir, rm, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { PostgresServer } from "../../test/support/PostgresServer.js"
import type { ServerError } from "../../test/support/ServerError.js"
import { type BenchError, type Contender, run } from "../support/Rounds.js"
import { type Measured, ratioRow } from "../support/Table.js"
import { fillPostgres } from "./databases.js"
import { limits } from "./limits.js"
import type { Spawn } from "./spawned.js"

export interface Options {
  readonly folder: string
  readonly rounds: number
  readonly scale: number
  /** Where the client programs of the server are. */
  readonly bin: string
}

export const measure = (
  spawn: Spawn,
  { bin, folder, rounds, scale }: Options
): Effect.Effect<Measured, ServerError | BenchError, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* PostgresServer.make({ password: "bench-only" })
    yield* fillPostgres(server, scale)
    const [row] = yield* server.query<{ readonly size: string }>(
      `SELECT pg_database_size('${server.database}') AS size`
    )
    const url = server.urlWith({ params: {} })

    const command = (name: string, argv: ReadonlyArray<string>, settings?: string): Contender => {
      const cwd = path.join(folder, `postgres-${name}`)
      return {
        warmUps: 1,
        measure: Effect.gen(function* () {
          yield* Effect.promise(async () => {
            await rm(cwd, { recursive: true, force: true })
            await mkdir(cwd, { recursive: true })
            if (settings === undefined) return
            await writeFile(
              path.join(cwd, "holter.config.yaml"),
              `backup:\n  url: "${url}"\n  directory: out\n  ${settings}\n`
            )
          })
          return (yield* spawn({ argv, cwd })).wallMillis
        })
      }
    }
    const holter = [process.execPath, path.resolve("dist/bin.cjs"), "backup", "create"]
    const { byDefault, jobs, plain } = yield* run(
      {
        plain: command("plain", [path.join(bin, "pg_dump"), "-Fc", "-f", "bot.dump", url]),
        byDefault: command("default", holter, "keep: 7"),
        jobs: command("jobs", holter, "jobs: 2")
      },
      rounds
    )
    return {
      rows: [
        ratioRow(
          "postgres: time of pg_dump -Fc / holter",
          plain,
          byDefault,
          "ms",
          limits.postgres.faster
        ),
        ratioRow("postgres: time of pg_dump -Fc / jobs: 2", plain, jobs, "ms", limits.postgres.jobs)
      ],
      notes: [
        `the PostgreSQL database has ${(Number(row?.size) / 1e6).toFixed(0)} MB; holter counts rows and verifies, pg_dump does not`
      ]
    }
  })
