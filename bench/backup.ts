/** `npm run bench -- backup`: the figures of docs/measurements.md, section "Backup". */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Exit } from "effect"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import * as Binaries from "../test/support/Binaries.js"
import * as TestRun from "../test/support/TestRun.js"
import * as Caller from "./backup/caller.js"
import * as Crowded from "./backup/crowded.js"
import * as Postgres from "./backup/postgres.js"
import * as Spawned from "./backup/spawned.js"
import * as Sqlite from "./backup/sqlite.js"
import { BenchError } from "./support/Rounds.js"
import * as Table from "./support/Table.js"

const usage =
  "usage: npm run bench -- backup [--rounds N] [--only sqlite|caller|crowd|postgres] [--scale 1] [--node PATH [--bin PATH]]"

export const main = (args: ReadonlyArray<string>): void => {
  const { bin, node, only, rounds, scale } = parse(args)
  NodeRuntime.runMain(
    Effect.gen(function* () {
      if (!existsSync("dist/bin.cjs")) {
        return yield* Effect.fail(new BenchError("dist/bin.cjs is missing: npm run build"))
      }
      console.log(Table.machine())
      const binaries = Binaries.find()
      yield* Effect.acquireRelease(
        Effect.promise(() => TestRun.prepare(binaries)),
        (prepared) => Effect.promise(prepared.dispose)
      )
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(path.join(tmpdir(), "holter-bench-"))),
        (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
      )
      const spawn = yield* Spawned.make
      const wants = (part: string) => only === "all" || only === part
      const parts = [
        ...(wants("sqlite") ? [Sqlite.measure(spawn, { folder, rounds, scale, node, bin })] : []),
        ...(wants("caller") ? [Caller.measure(spawn, { folder, rounds, scale })] : []),
        ...(wants("crowd") ? [Crowded.measure(spawn, { folder, rounds, scale })] : []),
        ...(wants("postgres")
          ? [Postgres.measure(spawn, { folder, rounds, scale, bin: binaries.postgres ?? "" })]
          : [])
      ]
      const measured = yield* Effect.forEach(parts, (part) => Effect.scoped(part))
      console.log(`medians of ${rounds} rounds, one after the other in each\n`)
      Table.print({
        rows: measured.flatMap((part) => part.rows),
        notes: measured.flatMap((part) => part.notes)
      })
      return 0
    }).pipe(
      Effect.scoped,
      Effect.catchAll((error) =>
        Effect.sync(() => {
          console.error(`could not measure: ${error.message}`)
          return 1
        })
      )
    ),
    // Otherwise an interrupted run ends with 0, as if it had measured something.
    {
      teardown: (exit, onExit) => {
        onExit(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : 130)
      }
    }
  )
}

const parse = (args: ReadonlyArray<string>) => {
  const { bin, node, only, rounds, scale } = parseOptions(args)
  const count = Number(rounds)
  const factor = Number(scale)
  const parts = ["all", "sqlite", "caller", "crowd", "postgres"]
  if (!(Number.isInteger(count) && count > 0) || !(factor > 0) || !parts.includes(only)) {
    return misused()
  }
  return { bin, node, only, rounds: count, scale: factor }
}

const parseOptions = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: "string", default: "3" },
        only: { type: "string", default: "all" },
        scale: { type: "string", default: "1" },
        node: { type: "string" },
        bin: { type: "string" }
      }
    }).values
  } catch {
    return misused()
  }
}

const misused = (): never => {
  console.error(usage)
  return process.exit(64)
}
