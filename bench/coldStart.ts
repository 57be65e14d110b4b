/** What one run of the installed command costs: the CPU time of the whole child process. */
import { Effect, type Scope } from "effect"
import { existsSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import * as path from "node:path"
import type { ServerError } from "../test/support/ServerError.js"
import { limits } from "./limits.js"
import * as LineProcess from "./support/LineProcess.js"
import * as Python from "./support/Python.js"
import { absent, BenchError, type Contender, median, run } from "./support/Rounds.js"
import type { Servers } from "./support/Servers.js"
import { type Measured, ratioRow, type Row } from "./support/Table.js"

export interface Options {
  readonly rounds: number
  /** Another Node to compare with this one. */
  readonly node: string | undefined
}

const bin = path.resolve("dist/bin.cjs")
const unbundled = path.resolve("dist/Main.js")

export const measure = (
  servers: Servers,
  options: Options
): Effect.Effect<Measured, ServerError | BenchError, Scope.Scope> =>
  Effect.gen(function* () {
    if (!existsSync(bin)) {
      return yield* Effect.fail(new BenchError("dist/bin.cjs is missing: npm run build"))
    }
    const noSpawner = Python.missing([])
    if (noSpawner !== undefined) return yield* Effect.fail(new BenchError(noSpawner))
    const spawner = yield* LineProcess.start("spawn.py", Python.python, [Python.script("spawn.py")])
    const places = yield* Effect.promise(() => writeConfigurations(servers))
    const megabytes: Array<number> = []
    const command = (
      argv: ReadonlyArray<string>,
      cwd = servers.folder,
      onEnd: (ended: Ended) => void = () => {}
    ): Contender => ({
      measure: Effect.map(spawn(spawner, argv, cwd, servers.folder), (ended) => {
        onEnd(ended)
        return ended.cpuMillis
      }),
      // The first run of another Node fills its code cache, which is read from then on.
      warmUps: 2
    })

    const node = process.execPath
    const noPort = Python.missing(["httpx", "sqlalchemy", "aiosqlite", "asyncpg", "redis"])
    const four = [bin, "check", "--json"]
    const samples = yield* run(
      {
        node: command([node, "-e", "0"]),
        version: command([node, bin, "--version"]),
        help: command([node, bin, "--help"]),
        sqlite: command([node, ...four], places.sqlite),
        four: command([node, ...four], places.four, (ended) => megabytes.push(ended.megabytes)),
        unbundled: command([node, unbundled, "check", "--json"], places.four),
        python: noPort === undefined ? command(pythonCheck(servers)) : absent,
        newerNode:
          options.node === undefined ? absent : command([options.node, ...four], places.four)
      },
      options.rounds
    )

    const { cold } = limits
    const row = (name: string, sample: ReadonlyArray<number>, limit?: Row["limit"]) =>
      ratioRow(`cold: ${name} / node -e 0`, sample, samples.node, "ms", limit)
    return {
      rows: [
        row("holter --version", samples.version, cold.version),
        row("holter --help", samples.help, cold.help),
        row("holter check, SQLite", samples.sqlite, cold.sqlite),
        row("holter check, four services", samples.four, cold.four),
        row("the same, unbundled", samples.unbundled),
        {
          name: "cold: peak memory, four services",
          values: megabytes.slice(-options.rounds),
          unit: "MB",
          limit: cold.megabytes
        },
        ...(noPort === undefined
          ? [
              ratioRow(
                "cold: four services / Python port",
                samples.four,
                samples.python,
                "ms",
                cold.python
              )
            ]
          : []),
        ...(options.node === undefined
          ? []
          : [
              ratioRow(
                "cold: four services, other Node / this one",
                samples.newerNode,
                samples.four,
                "ms",
                cold.newerNode
              )
            ])
      ],
      notes: [
        `node -e 0: ${median(samples.node).toFixed(1)} ms of CPU`,
        ...(noPort === undefined ? [] : [`the Python port was not measured, ${noPort}`])
      ]
    }
  })

interface Ended {
  readonly code: number
  readonly cpuMillis: number
  readonly megabytes: number
  readonly output: string
}

/** Runs a command that must end with 0; anything else measures a failure. */
const spawn = (
  spawner: LineProcess.LineProcess,
  argv: ReadonlyArray<string>,
  cwd: string,
  home: string
): Effect.Effect<Ended, BenchError> =>
  // A bare environment: NODE_OPTIONS or a DATABASE_URL of the caller would change the work.
  spawner.ask(JSON.stringify({ argv, cwd, env: { PATH: process.env["PATH"], HOME: home } })).pipe(
    Effect.map((line) => JSON.parse(line) as Ended),
    Effect.filterOrFail(
      (ended) => ended.code === 0,
      (ended) => new BenchError(`${argv.join(" ")} ended with ${ended.code}:\n${ended.output}`)
    )
  )

/** One folder for each configuration, with the file that `holter` finds there. */
const writeConfigurations = async (servers: Servers) => {
  const sqlite = path.join(servers.folder, "cold-sqlite")
  const four = path.join(servers.folder, "cold-four")
  await mkdir(sqlite)
  await mkdir(four)
  const { default: Database } = await import("better-sqlite3")
  const file = databaseFile(servers)
  new Database(file).exec("CREATE TABLE beats (at INTEGER)").close()
  const main = `main: { type: database, url: "sqlite:///${file}" }`
  await writeFile(path.join(sqlite, "holter.config.yaml"), `checks:\n  ${main}\n`)
  await writeFile(
    path.join(four, "holter.config.yaml"),
    [
      "checks:",
      main,
      `postgres: { type: database, url: "${servers.postgres}" }`,
      `cache: { type: redis, url: "${servers.redis}" }`,
      `website: { type: http, url: "${servers.http}" }`
    ].join("\n  ")
  )
  return { sqlite, four }
}

const databaseFile = (servers: Servers): string => path.join(servers.folder, "main.db")

const pythonCheck = (servers: Servers): ReadonlyArray<string> => [
  Python.python,
  Python.script("health_monitor.py"),
  "--json",
  ...["--database", `sqlite+aiosqlite:///${databaseFile(servers)}`],
  ...["--database", servers.postgres.replace(/^postgres(ql)?:/, "postgresql+asyncpg:")],
  ...["--redis", servers.redis],
  ...["--api", servers.http]
]
