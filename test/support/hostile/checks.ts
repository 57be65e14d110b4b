/**
 * A program that checks one server after the other, a few at a time, and writes a line of JSON for
 * each result and one at its end. What nobody catches is counted, and ends nothing.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Duration, Effect, Layer, Redacted } from "effect"
import { readFileSync } from "node:fs"
import * as CheckRegistry from "../../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../../src/Check/CheckRunner.js"
import * as Database from "../../../src/plugins/Database.js"
import * as Redis from "../../../src/plugins/Redis.js"

export interface Target {
  readonly name: string
  readonly type: "postgresql" | "redis"
  readonly url: string
}

export interface Line {
  readonly name: string
  readonly status: string
  readonly reason?: string | undefined
  readonly message: string
  readonly millis: number
}

export interface LastLine {
  readonly uncaught: ReadonlyArray<string>
  readonly maxRssBytes: number
}

const [file = "", concurrency = "4", patienceMillis = "0"] = process.argv.slice(2)
const patience = Duration.millis(Number(patienceMillis))

const uncaught: Array<string> = []
process.on("uncaughtException", (error) => uncaught.push(String(error)))
process.on("unhandledRejection", (error) => uncaught.push(String(error)))

const layerOf = ({ type, url }: Target) => {
  const policy = {
    timeout: Duration.sum(patience, "1 second"),
    retry: { times: 0, base: "1 milli" }
  } as const
  return type === "redis"
    ? Redis.Redis.layerStandalone({ url: Redacted.make(url), responseTimeout: patience }, policy)
    : Database.Database.layerStandalone(
        { url: Redacted.make(url), acquireTimeout: patience },
        policy
      )
}

const check = (target: Target) =>
  Effect.gen(function* () {
    const registry = yield* CheckRegistry.CheckRegistry
    const runner = yield* CheckRunner.CheckRunner
    const [registered] = yield* registry.all
    if (registered === undefined) return yield* Effect.dieMessage("no check is registered")
    return yield* runner.run(registered)
  }).pipe(
    Effect.provide(
      Layer.merge(layerOf(target), CheckRunner.layer()).pipe(
        Layer.provideMerge(CheckRegistry.layer)
      )
    ),
    Effect.timed,
    Effect.map(([lasted, { message, reason, status }]) => ({
      name: target.name,
      status,
      reason,
      message,
      millis: Math.round(Duration.toMillis(lasted))
    }))
  )

const targets = JSON.parse(readFileSync(file, "utf8")) as ReadonlyArray<Target>
const say = (line: Line | LastLine) =>
  Effect.sync(() => void process.stdout.write(`${JSON.stringify(line)}\n`))

NodeRuntime.runMain(
  Effect.forEach(targets, (target) => Effect.flatMap(check(target), say), {
    concurrency: Number(concurrency),
    discard: true
  }).pipe(
    // What was left behind by the last of them shows itself in the next turns of the loop.
    Effect.zipRight(Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))),
    Effect.zipRight(
      Effect.suspend(() => say({ uncaught, maxRssBytes: process.resourceUsage().maxRSS * 1024 }))
    )
  )
)
