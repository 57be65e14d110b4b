/** `npm run bench -- shutdown`: the figures of docs/measurements.md, section "Shutdown". */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Exit } from "effect"
import * as path from "node:path"
import { parseArgs } from "node:util"
import * as Binaries from "../test/support/Binaries.js"
import * as Program from "../test/support/Program.js"
import * as TestRun from "../test/support/TestRun.js"
import { limits } from "./limits.js"
import * as Stops from "./shutdownStops.js"
import * as Table from "./support/Table.js"

const usage = "usage: npm run bench -- shutdown [--rounds N]"

export const main = (args: ReadonlyArray<string>): void => {
  const rounds = parse(args)
  NodeRuntime.runMain(
    Effect.gen(function* () {
      console.log(Table.machine())
      yield* Effect.acquireRelease(
        Effect.promise(() => TestRun.prepare(Binaries.find())),
        ({ dispose }) => Effect.promise(dispose)
      )
      const contenders = yield* files
      const stops = new Map<string, ReadonlyArray<Stops.Stop>>()
      for (let round = 0; round < rounds; round++) {
        for (const [name, file] of contenders) {
          stops.set(name, [...(stops.get(name) ?? []), yield* Stops.measure(file)])
        }
      }
      console.log(
        `wall time, medians of ${rounds} rounds, one after the other in each; 100 idle keep-alive ` +
          `connections, 10 requests of 300 ms in flight, 20 more during a lame-duck time of 100 ms\n`
      )
      Table.print({ rows: [...stops].flatMap(rowsOf), notes: [...stops].map(noteOf) })
    }).pipe(
      Effect.scoped,
      Effect.as(0),
      Effect.catchAll((error) =>
        Effect.sync(() => {
          console.error(`could not measure: ${error.message}`)
          return 1
        })
      )
    ),
    {
      teardown: (exit, onExit) => {
        onExit(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : 130)
      }
    }
  )
}

/** Name and file to run; the TypeScript ones are bundled. */
const files = Effect.gen(function* () {
  const folder = "bench/contenders/shutdown"
  const bundled = (name: string) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.promise(() => Program.bundle(`${folder}/${name}.ts`)),
        ({ dispose }) => Effect.promise(dispose)
      ),
      ({ file }) => [name, file] as const
    )
  const plain = (name: string) => [name, path.resolve(folder, `${name}.mjs`)] as const
  return [
    yield* bundled("holter"),
    plain("terminus"),
    plain("lightship"),
    plain("bare"),
    yield* bundled("platform")
  ]
})

const rowsOf = ([name, stops]: readonly [
  string,
  ReadonlyArray<Stops.Stop>
]): ReadonlyArray<Table.Row> => {
  const limit = limits.shutdown
  const ours = name === "holter"
  const values = (of: (stop: Stops.Stop) => number) => stops.map(of)
  return [
    {
      name: `${name}: exit after the last answer`,
      values: values(({ afterLast }) => afterLast),
      unit: "ms",
      ...(ours ? { limit: limit.afterLast } : {})
    },
    {
      name: `${name}: dropped of 10 in flight`,
      values: values(({ dropped }) => dropped),
      unit: "requests",
      ...(ours ? { limit: limit.dropped } : {})
    },
    {
      name: `${name}: answered of 20 late ones`,
      values: values(({ late }) => late),
      unit: "requests",
      ...(ours ? { limit: limit.late } : {})
    },
    {
      name: `${name}: exit with nothing in flight`,
      values: values(({ idle }) => idle),
      unit: "ms",
      ...(ours ? { limit: limit.idle } : {})
    }
  ]
}

const noteOf = ([name, stops]: readonly [string, ReadonlyArray<Stops.Stop>]): string =>
  `${name}: exit ${[...new Set(stops.flatMap(({ codes }) => codes))].join(" and ")}`

const parse = (args: ReadonlyArray<string>): number => {
  const rounds = Number(parsed(args).rounds)
  return Number.isInteger(rounds) && rounds > 0 ? rounds : misused()
}

const parsed = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...args],
      options: { rounds: { type: "string", default: "5" } }
    }).values
  } catch {
    return misused()
  }
}

const misused = (): never => {
  console.error(usage)
  return process.exit(64)
}
