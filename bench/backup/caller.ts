/** How a program that embeds Holter fares while its database is backed up and verified. */
import { Effect, type Scope } from "effect"
import { existsSync } from "node:fs"
import { rm } from "node:fs/promises"
import * as path from "node:path"
import { type BenchError, run } from "../support/Rounds.js"
import type { Measured, Row } from "../support/Table.js"
import { fillSqlite } from "./databases.js"
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
    const source = path.join(folder, "bot.db")
    yield* Effect.sync(() => {
      if (!existsSync(source)) fillSqlite(source, scale)
    })
    const directory = path.join(folder, "embedded")
    const program = path.resolve("bench/backup/embedding.mjs")
    const delays: Array<{ readonly p99: number; readonly max: number }> = []
    yield* run(
      {
        embedding: {
          warmUps: 0,
          measure: Effect.gen(function* () {
            yield* Effect.promise(() => rm(directory, { recursive: true, force: true }))
            const argv = [process.execPath, program, `sqlite:///${source}`, directory]
            const ended = yield* spawn({ argv, cwd: folder })
            delays.push(JSON.parse(ended.output) as { p99: number; max: number })
            return ended.wallMillis
          })
        }
      },
      rounds
    )
    const row = (
      name: string,
      values: ReadonlyArray<number>,
      limit: Row["limit"] & object
    ): Row => ({
      name: `caller: delay of its event loop, ${name}`,
      values,
      unit: "ms",
      limit
    })
    return {
      rows: [
        row(
          "p99",
          delays.map(({ p99 }) => p99),
          limits.caller.p99
        ),
        row(
          "max",
          delays.map(({ max }) => max),
          limits.caller.max
        )
      ],
      notes: []
    }
  })
