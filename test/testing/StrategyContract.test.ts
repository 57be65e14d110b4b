/** The contract of backup strategies: ours keeps it, another package's does, and a bad one is found out. */
import { assert, describe, it } from "@effect/vitest"
import { NodeContext } from "@effect/platform-node"
import { Effect, Redacted } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Strategy } from "../../src/Backup/BackupStrategy/Strategy.js"
import * as StrategyContract from "../../src/testing/StrategyContract.js"
import { inDatabase, strategy } from "../support/SqliteBackup.js"
import { Tar } from "../support/tarStrategy.js"
import * as TempDir from "../support/TempDir.js"

const sqlite = Effect.gen(function* () {
  const file = path.join(yield* TempDir.make("contract"), "bot.db")
  inDatabase(file, (database) =>
    database.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1)")
  )
  return {
    strategy: yield* strategy(file),
    directory: yield* TempDir.make("dumps"),
    content: Effect.sync(() =>
      inDatabase(file, (database) => JSON.stringify(database.prepare("SELECT * FROM orders").all()))
    ),
    change: Effect.sync(() => {
      inDatabase(file, (database) =>
        database.exec("INSERT INTO orders SELECT max(id) + 1 FROM orders")
      )
    })
  }
})

const tar = Effect.gen(function* () {
  const directory = path.join(yield* TempDir.make("contract"), "files")
  fs.mkdirSync(directory)
  fs.writeFileSync(path.join(directory, "notes"), "one\ntwo\n")
  const made = yield* Tar.make(Redacted.make(`tar://${directory}`)).pipe(
    Effect.provide(NodeContext.layer)
  )
  return {
    strategy: made,
    directory: yield* TempDir.make("dumps"),
    content: Effect.sync(() =>
      fs
        .readdirSync(directory)
        .map((name) => `${name}: ${fs.readFileSync(path.join(directory, name), "utf8")}`)
        .join("\n")
    ),
    change: Effect.sync(() => {
      fs.appendFileSync(path.join(directory, "notes"), "more\n")
    })
  }
})

describe("The strategy for SQLite", () => {
  for (const law of StrategyContract.laws("sqlite", sqlite)) it.effect(law.name, () => law.effect)
})

describe("The strategy of another package", () => {
  for (const law of StrategyContract.laws("tar", tar)) it.effect(law.name, () => law.effect)
})

describe("A strategy that breaks its contract", () => {
  const broken = (change: (good: Strategy) => Partial<Strategy>) =>
    Effect.gen(function* () {
      const changed = Effect.map(tar, (one) => ({
        ...one,
        strategy: { ...one.strategy, ...change(one.strategy) }
      }))
      const found = yield* Effect.forEach(
        StrategyContract.laws("bad", changed),
        ({ effect, name }) => Effect.match(effect, { onSuccess: () => [], onFailure: () => [name] })
      )
      return found.flat()
    })

  it.effect("is told which law that is", () =>
    Effect.gen(function* () {
      const naive = yield* broken(() => ({ verify: () => Effect.succeed({ warnings: [] }) }))
      assert.deepStrictEqual(naive, ["verifies a good dump, and refuses a damaged one"])
      const silent = yield* broken((good) => ({
        restore: (payload, options) => good.restore(payload, { ...options, onOutcome: silence })
      }))
      assert.deepStrictEqual(silent, [
        "restores what was dumped, and tells what has become of the present"
      ])
      const loud = yield* broken(() => ({ engine: "My Engine" }))
      assert.include(loud, "names its engine, its files and its database")
    })
  )
})

const silence = () => Effect.void
