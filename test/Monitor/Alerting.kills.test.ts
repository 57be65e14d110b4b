import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect, Logger } from "effect"
import { existsSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { type Order, run, type Step, steps } from "../support/alerting/program.js"
import * as Program from "../support/Program.js"
import * as TempDir from "../support/TempDir.js"

let program: Program.Bundle

beforeAll(async () => {
  program = await Program.bundle("test/support/alerting/child.ts")
})
afterAll(() => program.dispose())

const down = ["down", "down", "down"] as const
const up = ["up", "up"] as const

/** Steps after which the channel has the alert, and the journal does not know it yet. */
const twice: ReadonlySet<Step> = new Set([
  "the channel has it, and nobody knows",
  "the channel is known to have it",
  "the acknowledgement waits to be written",
  "the acknowledgement is written, and not committed"
])

const lines = (file: string) =>
  existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []

const killed = (kill: NonNullable<Order["kill"]>, after: Order["results"]) =>
  Effect.gen(function* () {
    const folder = yield* TempDir.make("alerting")
    const order = {
      journal: path.join(folder, "journal.db"),
      taken: path.join(folder, "taken")
    }
    const first: Order = { ...order, results: [...down, ...up], kill }
    const child = yield* Program.start(program.file, { args: [JSON.stringify(first)] })
    const { signal, stderr } = yield* child.exit
    assert.strictEqual(signal, "SIGKILL", stderr)
    const incidents = yield* run({ ...order, results: after })
    assert.deepStrictEqual(incidents, {})
    const taken = lines(order.taken).map((line) => line.split(" "))
    const of = (kind: string) => taken.filter(([one]) => one === kind).map(([, key]) => key)
    return { taken: taken.map(([kind]) => kind), opened: of("opened"), resolved: of("resolved") }
  }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))

describe("a process that is killed between a result and its acknowledged alert", {
  timeout: 120_000
}, () => {
  for (const at of steps) {
    it.scopedLive(`the outage is told, with one key: ${at}`, () =>
      Effect.gen(function* () {
        const { opened, resolved, taken } = yield* killed({ kind: "opened", at }, [...down, ...up])
        assert.strictEqual(new Set(opened).size, 1)
        assert.strictEqual(new Set(resolved).size, 1)
        const expected = twice.has(at) ? ["opened", "opened", "resolved"] : ["opened", "resolved"]
        assert.deepStrictEqual(taken, expected)
      })
    )

    it.scopedLive(`its end is told, with one key: ${at}`, () =>
      Effect.gen(function* () {
        const { opened, resolved, taken } = yield* killed({ kind: "resolved", at }, up)
        assert.strictEqual(new Set(opened).size, 1)
        assert.strictEqual(new Set(resolved).size, 1)
        const expected = twice.has(at) ? ["opened", "resolved", "resolved"] : ["opened", "resolved"]
        assert.deepStrictEqual(taken, expected)
      })
    )
  }
})

describe("a process that is killed while it takes an acknowledgement of another program", {
  timeout: 120_000
}, () => {
  for (const at of steps.slice(1, 5)) {
    it.scopedLive(`hears of it once: ${at}`, () =>
      Effect.gen(function* () {
        const folder = yield* TempDir.make("alerting")
        const file = path.join(folder, "journal.db")
        const order = { journal: file, taken: path.join(folder, "taken") }
        const first: Order = {
          ...order,
          results: down,
          acknowledgement: "leave",
          kill: { kind: "acknowledged", at }
        }
        const child = yield* Program.start(program.file, { args: [JSON.stringify(first)] })
        const { signal, stderr } = yield* child.exit
        assert.strictEqual(signal, "SIGKILL", stderr)
        const incidents = yield* run({ ...order, results: [], acknowledgement: "await" })
        assert.strictEqual(incidents["redis"]?.acknowledgedBy, "ann")
        const database = new Sqlite(file, { readonly: true })
        const heard = database
          .prepare("SELECT decision FROM holter_decisions WHERE decision LIKE '%acknowledged it%'")
          .all()
        database.close()
        assert.lengthOf(heard, 1)
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
    )
  }
})
