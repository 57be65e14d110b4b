/** What other files in the directory of backups cost: ten thousand backups, many files of somebody else. */
import Database from "better-sqlite3"
import { Effect, type Scope } from "effect"
import { link, mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { BenchError, median, run } from "../support/Rounds.js"
import type { Limit } from "../limits.js"
import type { Measured, Row } from "../support/Table.js"
import { limits } from "./limits.js"
import type { Spawn } from "./spawned.js"

export interface Options {
  readonly folder: string
  readonly rounds: number
  readonly scale: number
}

export const measure = (
  spawn: Spawn,
  { folder, rounds, scale }: Options
): Effect.Effect<Measured, BenchError, Scope.Scope> =>
  Effect.gen(function* () {
    const source = path.join(folder, "small.db")
    yield* Effect.sync(() => {
      fill(source)
    })
    const counts = {
      backups: Math.round(10_000 * scale),
      foreign: Math.round(120_000 * scale)
    }
    /** A working directory with a backup in it, and what `crowd` puts beside that. */
    const place = (name: string, crowd: (out: string) => Promise<void>) =>
      Effect.gen(function* () {
        const cwd = path.join(folder, `crowded-${name}`)
        yield* Effect.promise(() => prepare(cwd, source))
        yield* spawn({ argv: holter("create"), cwd })
        yield* Effect.tryPromise({
          try: () => crowd(path.join(cwd, "out")),
          catch: (cause) => new BenchError(`could not fill ${cwd}: ${String(cause)}`)
        })
        return cwd
      })
    const alone = yield* place("alone", () => Promise.resolve())
    const backups = yield* place("backups", (out) => addBackups(out, counts.backups))
    const foreign = yield* place("foreign", (out) => addForeign(out, counts.foreign))
    const cpu = new Map<string, Array<number>>()
    const timed = (command: string, cwd: string) => ({
      warmUps: 1,
      measure: Effect.map(spawn({ argv: holter(command), cwd }), ({ cpuMillis, wallMillis }) => {
        const key = `${command} ${cwd}`
        cpu.set(key, [...(cpu.get(key) ?? []), cpuMillis])
        return wallMillis
      })
    })
    const samples = yield* run(
      {
        list: timed("list", backups),
        alone: timed("create", alone),
        backups: timed("create", backups),
        foreign: timed("create", foreign)
      },
      rounds
    )
    const cpuOf = (command: string, cwd: string) =>
      median((cpu.get(`${command} ${cwd}`) ?? []).slice(-rounds))
    const own = (name: string, cwd: string, beside: ReadonlyArray<number>, limit: Limit): Row => ({
      name: `crowd: create beside ${name}, less what it takes alone`,
      values: beside.map((millis, round) => millis - (samples.alone[round] ?? Number.NaN)),
      unit: "ms",
      limit,
      from: `CPU: ${(cpuOf("create", cwd) - cpuOf("create", alone)).toFixed(0)} ms`
    })
    return {
      rows: [
        {
          name: `crowd: list of ${counts.backups} backups`,
          values: samples.list,
          unit: "ms",
          limit: limits.crowd.list,
          from: `CPU: ${cpuOf("list", backups).toFixed(0)} ms`
        },
        own(`${counts.backups} backups`, backups, samples.backups, limits.crowd.backups),
        own(`${counts.foreign} foreign files`, foreign, samples.foreign, limits.crowd.foreign)
      ],
      notes: []
    }
  })

const holter = (command: string): ReadonlyArray<string> => [
  process.execPath,
  path.resolve("dist/bin.cjs"),
  "backup",
  command
]

const fill = (file: string): void => {
  const database = new Database(file)
  database.exec("CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT)")
  const insert = database.prepare("INSERT INTO items (title) VALUES (?)")
  for (let id = 0; id < 100; id++) insert.run(`item ${id}`)
  database.close()
}

const prepare = async (cwd: string, source: string): Promise<void> => {
  await mkdir(cwd, { recursive: true })
  // Nothing is to be pruned: that would be the work of another day.
  const config = `backup:\n  url: "sqlite:///${source}"\n  directory: out\n  keep: 1000000\n`
  await writeFile(path.join(cwd, "holter.config.yaml"), config)
}

const ending = ".manifest.json"

/** The backup that is there under the names of other minutes, each with a manifest of its own. */
const addBackups = async (out: string, count: number): Promise<void> => {
  const made = (await readdir(out)).find((name) => name.endsWith(ending))
  if (made === undefined) throw new BenchError(`no backup in ${out}`)
  const manifest = JSON.parse(await readFile(path.join(out, made), "utf8")) as object
  const first = made.slice(0, -ending.length)
  for (let index = 0; index < count; index++) {
    const at = new Date(Date.UTC(2024, 0, 1, 0, index)).toISOString()
    const stamp = at.replaceAll(/[-:Z]/g, "").replaceAll(/[T.]/g, "_")
    const name = first.replace(/\d{8}_\d{6}_\d{3}/, stamp)
    await link(path.join(out, first), path.join(out, name))
    const text = JSON.stringify({ ...manifest, name, started_at: at, finished_at: at })
    await writeFile(path.join(out, name + ending), text, { mode: 0o600 })
  }
}

const addForeign = async (out: string, count: number): Promise<void> => {
  for (let index = 0; index < count; index++) {
    await writeFile(path.join(out, `photo_${index}.jpg`), "x")
  }
}
