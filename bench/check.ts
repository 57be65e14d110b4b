/** `npm run bench -- check`: the figures of docs/measurements.md, section "Checks". */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Exit } from "effect"
import { parseArgs } from "node:util"
import * as ColdStart from "./coldStart.js"
import * as Servers from "./support/Servers.js"
import * as Table from "./support/Table.js"
import * as WarmRuns from "./warmRuns.js"

const usage =
  "usage: npm run bench -- check [--rounds N] [--only cold|warm] [--node PATH [--bin PATH]]"

export const main = (args: ReadonlyArray<string>): void => {
  const { bin, node, only, rounds } = parse(args)
  NodeRuntime.runMain(
    Effect.gen(function* () {
      console.log(Table.machine())
      const servers = yield* Servers.start
      const parts = [
        ...(only === "warm" ? [] : [ColdStart.measure(servers, { rounds, node, bin })]),
        ...(only === "cold" ? [] : WarmRuns.measures(servers, rounds))
      ]
      const measured = yield* Effect.forEach(parts, (part) => Effect.scoped(part))
      console.log(`CPU time, medians of ${rounds} rounds, one after the other in each\n`)
      Table.print({
        rows: measured.flatMap((part) => part.rows),
        notes: measured.flatMap((part) => part.notes)
      })
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
    // Otherwise an interrupted run ends with 0, as if it had measured something.
    {
      teardown: (exit, onExit) => {
        onExit(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : 130)
      }
    }
  )
}

const parse = (args: ReadonlyArray<string>) => {
  const { bin, node, only, rounds } = parseOptions(args)
  const count = Number(rounds)
  if (!(Number.isInteger(count) && count > 0) || !["all", "cold", "warm"].includes(only)) {
    return misused()
  }
  return { bin, node, only, rounds: count }
}

const parseOptions = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: "string", default: "9" },
        only: { type: "string", default: "all" },
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
