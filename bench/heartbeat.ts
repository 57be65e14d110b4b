/** `npm run bench -- heartbeat`: the figures of docs/measurements.md, section "Heartbeat". */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Exit } from "effect"
import { parseArgs } from "node:util"
import { limits } from "./limits.js"
import * as Beating from "./support/Beating.js"
import type { Beaten, Job } from "./support/Beating.js"
import { BenchError, type Contender, run, type Samples } from "./support/Rounds.js"
import * as Servers from "./support/Servers.js"
import * as Table from "./support/Table.js"
import { ratioRow, type Row } from "./support/Table.js"

const usage = "usage: npm run bench -- heartbeat [--rounds N] [--only trivial|http|soak|journal]"

const checks = 1000
const { heartbeat } = limits

/** Of all rounds, what the programs of one contender measured of themselves. */
class Measured implements Contender {
  readonly warmUps = 0
  readonly beaten: Array<Beaten> = []
  readonly measure: Effect.Effect<number, BenchError>

  constructor(job: Omit<Job, "checks">, count = checks) {
    this.measure = Effect.map(Beating.beat({ ...job, checks: count }), (beaten) => {
      this.beaten.push(beaten)
      return beaten.cpuPerBeat
    })
  }

  values(of: keyof Beaten): ReadonlyArray<number> {
    return this.beaten.map((beaten) => beaten[of])
  }
}

/** More results than it must take: what it took is then no matter of how many there were. */
const journaled = { checks: 1400, interval: 250 }

const measureAll = (contenders: Readonly<Record<string, Measured>>, rounds: number) =>
  run<string>(contenders, rounds)

const trivial = (rounds: number) =>
  Effect.gen(function* () {
    const job = {
      work: "trivial",
      url: "",
      listen: false,
      warmUp: 10_000,
      measured: 5_000
    } as const
    // Ten thousand beats a second, where a beat costs what its code costs.
    const warm = { ...job, interval: 100 }
    const once = { ...job, interval: 1_000, warmUp: 20_000 }
    const perSecond = new Measured({ ...once, by: "holter" })
    const samples = yield* measureAll(
      {
        bare: new Measured({ ...warm, by: "bare" }),
        holter: new Measured({ ...warm, by: "holter" }),
        bareSpread: new Measured({ ...once, by: "bareSpread" }),
        perSecond
      },
      rounds
    )
    return [
      ratio(
        "a trivial check, 10,000 a second / bare loop",
        samples,
        ["holter", "bare"],
        heartbeat.trivial
      ),
      ratio("the same, 1,000 a second / bare loop", samples, ["perSecond", "bareSpread"]),
      {
        name: "1,000 trivial checks a second",
        values: perSecond.values("cores"),
        unit: "cores",
        limit: heartbeat.cores
      }
    ] satisfies ReadonlyArray<Row>
  })

const http = (url: string, rounds: number) =>
  Effect.gen(function* () {
    const job = {
      work: "http",
      url,
      listen: true,
      interval: 1_000,
      warmUp: 20_000,
      measured: 10_000
    } as const
    const holter = new Measured({ ...job, by: "holter" })
    const samples = yield* measureAll(
      {
        spread: new Measured({ ...job, by: "bareSpread" }),
        together: new Measured({ ...job, by: "bare" }),
        holter
      },
      rounds
    )
    return [
      ratio(
        "1,000 HTTP checks at 1 s / undici, spread alike",
        samples,
        ["holter", "spread"],
        heartbeat.http
      ),
      ratio("the same / undici, all at once", samples, ["holter", "together"]),
      {
        name: "lateness of a beat, 99th percentile",
        values: holter.values("lateness"),
        unit: "ms",
        limit: heartbeat.lateness
      },
      {
        name: "resident memory with 1,000 HTTP checks",
        values: holter.values("megabytes"),
        unit: "MB",
        limit: heartbeat.megabytes
      }
    ] satisfies ReadonlyArray<Row>
  })

const journal = (rounds: number) =>
  Effect.gen(function* () {
    const holter = new Measured(
      {
        work: "journal",
        by: "holter",
        url: "",
        listen: false,
        interval: journaled.interval,
        warmUp: 15_000,
        measured: 10_000
      },
      journaled.checks
    )
    yield* measureAll({ holter }, rounds)
    const offered = (journaled.checks * 1000) / journaled.interval
    const name = `results written to SQLite, of ${offered} a second`
    return [
      { name, values: holter.values("written"), unit: "a second", limit: heartbeat.written },
      {
        name: "the same: beats that were skipped",
        values: holter.values("skipped"),
        unit: "beats",
        limit: heartbeat.skipped
      },
      {
        name: "the same: lateness of a beat, 99th percentile",
        values: holter.values("lateness"),
        unit: "ms",
        limit: heartbeat.lateness
      },
      { name: "the same: the latest beat", values: holter.values("latest"), unit: "ms" },
      { name: "the same: CPU", values: holter.values("cores"), unit: "cores" }
    ] satisfies ReadonlyArray<Row>
  })

/** 400,000 beats, after 600,000. */
const soak = Effect.gen(function* () {
  // The heap of V8 has its size after some hundred thousand beats.
  const time = { interval: 100, warmUp: 60_000, measured: 40_000 }
  const holter = new Measured({ work: "trivial", by: "holter", url: "", listen: false, ...time })
  yield* measureAll({ holter }, 1)
  return [
    {
      name: "most resident memory, 400,000 beats / 400,000 before",
      values: holter.values("growth"),
      unit: "x",
      limit: heartbeat.growth
    }
  ] satisfies ReadonlyArray<Row>
})

const ratio = (
  name: string,
  samples: Samples<string>,
  [subject, base]: readonly [string, string],
  limit?: Row["limit"]
) => ratioRow(name, samples[subject] ?? [], samples[base] ?? [], "us", limit)

export const main = (args: ReadonlyArray<string>): void => {
  const { only, rounds } = parse(args)
  NodeRuntime.runMain(
    Effect.gen(function* () {
      console.log(Table.machine())
      yield* Beating.prepare
      const { http: url } = yield* Servers.start
      const all: Readonly<Record<string, Effect.Effect<ReadonlyArray<Row>, BenchError>>> = {
        trivial: trivial(rounds),
        http: http(url, rounds),
        soak,
        journal: journal(rounds)
      }
      const parts = yield* Effect.forEach(
        Object.entries(all).filter(([name]) => only === undefined || name === only),
        ([, part]) => part
      )
      console.log(`CPU time, medians of ${rounds} rounds, one after the other in each\n`)
      Table.print({ rows: parts.flat(), notes: [Table.machine()] })
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
  const { only, rounds: text } = parseOptions(args)
  const rounds = Number(text)
  return Number.isInteger(rounds) && rounds > 0 ? { only, rounds } : misused()
}

const parseOptions = (args: ReadonlyArray<string>) => {
  try {
    const options = { rounds: { type: "string", default: "3" }, only: { type: "string" } } as const
    return parseArgs({ args: [...args], options }).values
  } catch {
    return misused()
  }
}

const misused = (): never => {
  console.error(usage)
  return process.exit(64)
}
