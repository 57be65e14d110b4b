/** What one run of the installed command costs: the CPU time of the whole child process. */
import { Effect, type Scope } from "effect"
import { existsSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import * as path from "node:path"
import type { ServerError } from "../test/support/ServerError.js"
import { limits } from "./limits.js"
import * as Environment from "./support/Environment.js"
import * as LineProcess from "./support/LineProcess.js"
import * as Python from "./support/Python.js"
import { BenchError, type Contender, median, run } from "./support/Rounds.js"
import type { Servers } from "./support/Servers.js"
import { type Measured, ratioRow, type Row } from "./support/Table.js"

export interface Options {
  readonly rounds: number
  /** Another Node to compare with this one. */
  readonly node: string | undefined
  /** The command as it is installed for that Node: the driver of SQLite is compiled for one version. */
  readonly bin: string | undefined
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
    const noPort = Python.missing(["httpx", "sqlalchemy", "aiosqlite", "asyncpg", "redis"])
    const commands = commandsOf(servers, places, options, noPort === undefined)
    const environments = Environment.environments(servers.folder)
    // Both environments in one run: whatever slows the machine slows both.
    const columns = environments.flatMap((environment) =>
      commands.map((command) => ({ environment, command, megabytes: [] as Array<number> }))
    )
    const samples = yield* run(
      Object.fromEntries(
        columns.map(({ command, environment, megabytes }) => [
          `${environment.name} ${command.name}`,
          contender(spawner, command, environment, (ended) => megabytes.push(ended.megabytes))
        ])
      ),
      options.rounds
    )
    return {
      rows: environments.flatMap(({ name }) =>
        rowsOf(
          name,
          (command) => samples[`${name} ${command}`],
          columns
            .find((column) => column.environment.name === name && column.command.name === "four")
            ?.megabytes.slice(-options.rounds)
        )
      ),
      notes: [
        Environment.note,
        ...environments.map(
          ({ name }) => `node -e 0, ${name}: ${median(samples[`${name} node`] ?? []).toFixed(1)} ms`
        ),
        ...(noPort === undefined ? [] : [`the Python port was not measured, ${noPort}`])
      ]
    }
  })

type Name =
  | "node"
  | "version"
  | "help"
  | "sqlite"
  | "four"
  | "unbundled"
  | "python"
  | "otherNode"
  | "otherFour"

interface Command {
  readonly name: Name
  readonly argv: ReadonlyArray<string>
  readonly cwd: string
}

const commandsOf = (
  servers: Servers,
  places: { readonly sqlite: string; readonly four: string },
  options: Options,
  withPort: boolean
): ReadonlyArray<Command> => {
  const node = process.execPath
  const command = (name: Name, argv: ReadonlyArray<string>, cwd = servers.folder): Command => ({
    name,
    argv,
    cwd
  })
  const check = [bin, "check", "--json"]
  return [
    command("node", [node, "-e", "0"]),
    command("version", [node, bin, "--version"]),
    command("help", [node, bin, "--help"]),
    command("sqlite", [node, ...check], places.sqlite),
    command("four", [node, ...check], places.four),
    command("unbundled", [node, unbundled, "check", "--json"], places.four),
    ...(withPort ? [command("python", pythonCheck(servers))] : []),
    ...(options.node === undefined
      ? []
      : [
          command("otherNode", [options.node, "-e", "0"]),
          command("otherFour", [options.node, options.bin ?? bin, "check", "--json"], places.four)
        ])
  ]
}

const rowsOf = (
  environment: string,
  of: (name: Name) => ReadonlyArray<number> | undefined,
  megabytes: ReadonlyArray<number> | undefined
): ReadonlyArray<Row> => {
  const { cold } = limits
  const row = (name: string, subject: Name, base: Name, limit?: Row["limit"]) => {
    const [values, baseValues] = [of(subject), of(base)]
    return values === undefined || baseValues === undefined
      ? []
      : [ratioRow(`cold, ${environment}: ${name}`, values, baseValues, "ms", limit)]
  }
  return [
    ...row("holter --version / node -e 0", "version", "node", cold.version),
    ...row("holter --help / node -e 0", "help", "node", cold.help),
    ...row("holter check, SQLite / node -e 0", "sqlite", "node", cold.sqlite),
    ...row("holter check, four services / node -e 0", "four", "node", cold.four),
    ...row("the same, unbundled / node -e 0", "unbundled", "node"),
    ...(megabytes === undefined
      ? []
      : [
          {
            name: `cold, ${environment}: peak memory, four services`,
            values: megabytes,
            unit: "MB" as const,
            limit: cold.megabytes
          }
        ]),
    ...row("four services / Python port", "four", "python", cold.python),
    ...row("four services, other Node / this one", "otherFour", "four", cold.newerNode),
    ...row("node -e 0, other Node / this one", "otherNode", "node")
  ]
}

const contender = (
  spawner: LineProcess.LineProcess,
  { argv, cwd }: Command,
  { variables }: Environment.Environment,
  onEnd: (ended: Ended) => void
): Contender => ({
  measure: Effect.map(spawn(spawner, argv, cwd, variables), (ended) => {
    onEnd(ended)
    return ended.cpuMillis
  }),
  // The first run of another Node fills its code cache, which is read from then on.
  warmUps: 2
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
  env: NodeJS.ProcessEnv
): Effect.Effect<Ended, BenchError> =>
  spawner.ask(JSON.stringify({ argv, cwd, env })).pipe(
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
