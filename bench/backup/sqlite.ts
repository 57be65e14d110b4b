/** `holter backup create` of a SQLite database, against the Python script's way and the plain tools. */
import { Effect, type Scope } from "effect"
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises"
import * as path from "node:path"
import * as Python from "../support/Python.js"
import { absent, type BenchError, type Contender, median, run } from "../support/Rounds.js"
import { type Measured, ratioRow, type Row } from "../support/Table.js"
import { fillSqlite } from "./databases.js"
import { limits } from "./limits.js"
import type { Ended, Spawn } from "./spawned.js"

export interface Options {
  readonly folder: string
  readonly rounds: number
  readonly scale: number
  /** Another Node, with zstd in its zlib. */
  readonly node: string | undefined
  /** The bin for that Node, where it needs another better-sqlite3 beside it. */
  readonly bin: string | undefined
}

interface Used {
  readonly cpu: Array<number>
  readonly wall: Array<number>
  readonly megabytes: Array<number>
  readonly size: Array<number>
}

export const measure = (
  spawn: Spawn,
  { bin: otherBin, folder, node, rounds, scale }: Options
): Effect.Effect<Measured, BenchError, Scope.Scope> =>
  Effect.gen(function* () {
    const source = path.join(folder, "bot.db")
    yield* Effect.sync(() => fillSqlite(source, scale))
    const { size } = yield* Effect.promise(() => stat(source))

    /** Runs the command in a folder of its own; what it wrote there is its size. */
    const command = (
      name: string,
      argvOf: (cwd: string) => ReadonlyArray<string>,
      settings?: string
    ) => {
      const used: Used = { cpu: [], wall: [], megabytes: [], size: [] }
      const cwd = path.join(folder, name)
      const config = `backup:\n  url: "sqlite:///${source}"\n  directory: out\n  ${settings ?? ""}\n`
      const contender: Contender = {
        warmUps: 1,
        measure: Effect.gen(function* () {
          yield* Effect.promise(() => freshFolder(cwd, settings === undefined ? undefined : config))
          const ended = yield* spawn({ argv: argvOf(cwd), cwd })
          record(used, ended, yield* Effect.promise(() => largest(path.join(cwd, "out"))))
          return ended.wallMillis
        })
      }
      return { contender, used }
    }
    const holter = (
      name: string,
      settings: string,
      [nodePath, program] = [process.execPath, bin]
    ) => command(name, () => [nodePath, program, "backup", "create"], settings)

    const idle = command("idle", () => [process.execPath, "-e", "setTimeout(() => {}, 300)"])
    const python = command("python", () => [
      Python.python,
      Python.script("backup_database.py"),
      source,
      "out/bot.db.gz"
    ])
    const tools = command("tools", () => ["/bin/sh", "-c", plainTools, "sh", source])
    const byDefault = holter("default", "keep: 7")
    const fastest = holter("fastest", "level: 1")
    const zstd =
      node === undefined ? undefined : holter("zstd", "compress: zstd", [node, otherBin ?? bin])
    yield* run(
      {
        idle: idle.contender,
        python: python.contender,
        tools: tools.contender,
        byDefault: byDefault.contender,
        fastest: fastest.contender,
        zstd: zstd?.contender ?? absent
      },
      rounds
    )
    // What came before the rounds does not count.
    const [idleUse, pythonUse, toolsUse, defaultUse, fastestUse] = [
      idle,
      python,
      tools,
      byDefault,
      fastest
    ].map(({ used }) => counted(used, rounds)) as [Used, Used, Used, Used, Used]

    const idleMegabytes = median(idleUse.megabytes)
    const above: Row = {
      name: "sqlite: memory of caller and child, each above an idle process",
      values: defaultUse.megabytes.map((megabytes) => megabytes - 2 * idleMegabytes),
      unit: "MB",
      limit: limits.sqlite.megabytes,
      from: `${median(defaultUse.megabytes).toFixed(0)} MB - 2 x ${idleMegabytes.toFixed(0)} MB`
    }
    const wall = (name: string, other: Used, own: Used, limit?: Row["limit"]) =>
      ratioRow(`sqlite: time of ${name}`, other.wall, own.wall, "ms", limit)
    return {
      rows: [
        wall("the Python way / holter", pythonUse, defaultUse, limits.sqlite.faster),
        wall("VACUUM INTO and gzip / holter", toolsUse, defaultUse),
        {
          ...ratioRow(
            "sqlite: size of holter / the Python way",
            defaultUse.size,
            pythonUse.size,
            "ms",
            limits.sqlite.size
          ),
          from: `${megabytes(defaultUse.size)} / ${megabytes(pythonUse.size)}`
        },
        ratioRow("sqlite: CPU of the Python way / holter", pythonUse.cpu, defaultUse.cpu, "ms"),
        ratioRow(
          "sqlite: CPU of the Python way / level 1",
          pythonUse.cpu,
          fastestUse.cpu,
          "ms",
          limits.sqlite.leanest
        ),
        wall("the Python way / level 1", pythonUse, fastestUse),
        ...(zstd === undefined
          ? []
          : [
              wall(
                "the Python way / zstd",
                pythonUse,
                counted(zstd.used, rounds),
                limits.sqlite.zstd
              )
            ]),
        above
      ],
      notes: [
        `the SQLite database has ${(size / 1e6).toFixed(0)} MB; holter verifies what it wrote, the others do not`,
        ...(node === undefined ? ["zstd was not measured: --node PATH of Node 22.15 or newer"] : [])
      ]
    }
  })

const bin = path.resolve("dist/bin.cjs")

const plainTools = `sqlite3 "$1" "VACUUM INTO 'out/copy.db'" && gzip -c out/copy.db > out/bot.db.gz && rm out/copy.db`

const freshFolder = async (cwd: string, config: string | undefined) => {
  await rm(cwd, { recursive: true, force: true })
  await mkdir(path.join(cwd, "out"), { recursive: true, mode: 0o700 })
  if (config !== undefined) await writeFile(path.join(cwd, "holter.config.yaml"), config)
}

const largest = async (folder: string): Promise<number> => {
  const names = await readdir(folder)
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(path.join(folder, name))).size)
  )
  return Math.max(0, ...sizes)
}

const record = (used: Used, ended: Ended, size: number): void => {
  used.cpu.push(ended.cpuMillis)
  used.wall.push(ended.wallMillis)
  used.megabytes.push(ended.treeMegabytes)
  used.size.push(size)
}

const counted = (used: Used, rounds: number): Used => ({
  cpu: used.cpu.slice(-rounds),
  wall: used.wall.slice(-rounds),
  megabytes: used.megabytes.slice(-rounds),
  size: used.size.slice(-rounds)
})

const megabytes = (sizes: ReadonlyArray<number>): string => `${(median(sizes) / 1e6).toFixed(1)} MB`
