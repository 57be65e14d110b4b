import { assert, describe, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer, Option, Ref } from "effect"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import type { Status } from "../../src/Check/CheckResult.js"
import * as LastVerdict from "../../src/Cli/LastVerdict.js"
import { Output } from "../../src/Cli/Output.js"
import type { StatusSummary } from "../../src/Monitor/StatusSummary.js"
import * as TempDir from "../support/TempDir.js"

const summary = (services: Readonly<Record<string, Status>>): StatusSummary => ({
  overall_status: Object.values(services).includes("unhealthy") ? "unhealthy" : "healthy",
  timestamp: "2025-12-11T23:00:00.000Z",
  services: Object.fromEntries(
    Object.entries(services).map(([name, status]) => [
      name,
      { status, response_time_ms: 1, message: "secret text", last_check: null, details: {} }
    ])
  ),
  failure_counts: {},
  success_counts: {}
})

const statuses = (one: StatusSummary): Readonly<Record<string, Status>> =>
  Object.fromEntries(Object.entries(one.services).map(([name, { status }]) => [name, status]))

const healthy = summary({ a: "healthy", b: "healthy" })
const down = summary({ a: "unhealthy", b: "healthy" })

/** A working directory of its own, and what was sent and noted in it. */
const bench = Effect.gen(function* () {
  const folder = yield* TempDir.make("verdict")
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.cwd()
      process.chdir(folder)
      return before
    }),
    (before) => Effect.sync(() => process.chdir(before))
  )
  const notes = yield* Ref.make<ReadonlyArray<string>>([])
  const output = Layer.succeed(Output, {
    line: () => Effect.void,
    note: (text) => Ref.update(notes, (all) => [...all, text]),
    hide: () => Effect.void,
    look: { emoji: true, color: false }
  })
  const platform = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, output)
  const tell = <E>(
    verdict: StatusSummary,
    { always = false, question = everything }: Asked,
    send: (lost: ReadonlyArray<string>) => Effect.Effect<void, E>
  ) => LastVerdict.tell({ question, summary: verdict, always, send }).pipe(Effect.provide(platform))
  const told = (verdict: StatusSummary, asked: Asked = {}) =>
    Effect.gen(function* () {
      const messages = yield* Ref.make<ReadonlyArray<ReadonlyArray<string>>>([])
      yield* tell(verdict, asked, (lost) => Ref.update(messages, (all) => [...all, lost]))
      return yield* Ref.get(messages)
    })
  return {
    folder,
    data: path.join(folder, "data"),
    file: path.join(folder, "data", "last-verdict.json"),
    notes: Ref.get(notes),
    /** What was sent: for each message the services that are no longer checked. */
    told,
    /** How often it sent. */
    run: (verdict: StatusSummary, asked: Asked = {}) =>
      Effect.map(told(verdict, asked), (messages) => messages.length),
    runFailing: (verdict: StatusSummary, asked: Asked = {}) =>
      Effect.flip(tell(verdict, asked, () => Effect.fail("no answer")))
  }
})

interface Asked {
  readonly question?: LastVerdict.Question
  readonly always?: boolean
}

const everything: LastVerdict.Question = { source: "environment", only: Option.none() }

const only = (...names: ReadonlyArray<string>): LastVerdict.Question => ({
  source: "environment",
  only: Option.some(names)
})

describe("LastVerdict", () => {
  it.scopedLive("tells a problem once, and its end", () =>
    Effect.gen(function* () {
      const { run } = yield* bench
      assert.strictEqual(yield* run(healthy), 0)
      assert.strictEqual(yield* run(healthy), 0)
      assert.strictEqual(yield* run(down), 1)
      assert.strictEqual(yield* run(down), 0)
      assert.strictEqual(yield* run(healthy), 1)
      assert.strictEqual(yield* run(healthy), 0)
    })
  )

  it.scopedLive("tells the first run's problem", () =>
    Effect.gen(function* () {
      const { run } = yield* bench
      assert.strictEqual(yield* run(down), 1)
      assert.strictEqual(yield* run(down), 0)
    })
  )

  it.scopedLive("tells that another service is down, though the whole is as bad as before", () =>
    Effect.gen(function* () {
      const { run } = yield* bench
      yield* run(down)
      assert.strictEqual(yield* run(summary({ a: "healthy", b: "unhealthy" })), 1)
      // The order is no difference.
      assert.strictEqual(yield* run(summary({ b: "unhealthy", a: "healthy" })), 0)
    })
  )

  it.scopedLive(
    "takes a healthy service that joins for no news, and its first problem for some",
    () =>
      Effect.gen(function* () {
        const { run } = yield* bench
        yield* run(healthy)
        const joined = summary({ a: "healthy", b: "healthy", c: "healthy", d: "unknown" })
        assert.strictEqual(yield* run(joined), 0)
        assert.strictEqual(yield* run(summary({ ...statuses(joined), c: "unhealthy" })), 1)
      })
  )

  it.scopedLive("names the services that are no longer checked", () =>
    Effect.gen(function* () {
      const { told } = yield* bench
      yield* told(summary({ a: "healthy", b: "healthy", c: "healthy", d: "unknown" }))
      assert.deepStrictEqual(yield* told(summary({ a: "healthy", b: "unknown" })), [["b", "c"]])
      assert.deepStrictEqual(yield* told(summary({ a: "healthy" })), [])
    })
  )

  it.scopedLive("keeps the verdict of each question on its own", () =>
    Effect.gen(function* () {
      const { data, folder, run } = yield* bench
      const questions: ReadonlyArray<LastVerdict.Question> = [
        everything,
        only("a"),
        only("a", "b"),
        { source: "/etc/holter.yaml", only: Option.none() },
        { source: "/etc/holter.yaml", only: Option.some(["a"]) }
      ]
      for (const question of questions) assert.strictEqual(yield* run(down, { question }), 1)
      for (const question of questions) assert.strictEqual(yield* run(down, { question }), 0)
      // The same questions in other words.
      assert.strictEqual(yield* run(down, { question: only("b", "a", "b") }), 0)
      const usual = path.join(folder, "holter.config.yaml")
      assert.strictEqual(yield* run(down, { question: { ...everything, source: usual } }), 0)
      const files = readdirSync(data)
      assert.lengthOf(files, questions.length)
      assert.include(files, "last-verdict.json")
      for (const file of files) assert.match(file, /^last-verdict(\.[0-9a-f]{12})?\.json$/)
    })
  )

  it.scopedLive("sends always where that is asked for, and keeps the verdict all the same", () =>
    Effect.gen(function* () {
      const { run, runFailing } = yield* bench
      assert.strictEqual(yield* run(healthy, { always: true }), 1)
      assert.strictEqual(yield* run(healthy, { always: true }), 1)
      assert.strictEqual(yield* run(down, { always: true }), 1)
      assert.strictEqual(yield* run(down), 0)
      assert.strictEqual(yield* runFailing(healthy, { always: true }), "no answer")
      assert.strictEqual(yield* run(healthy), 1)
    })
  )

  it.scopedLive("sends again what failed to be sent", () =>
    Effect.gen(function* () {
      const { run, runFailing } = yield* bench
      yield* run(healthy)
      assert.strictEqual(yield* runFailing(down), "no answer")
      assert.strictEqual(yield* runFailing(down), "no answer")
      assert.strictEqual(yield* run(down), 1)
      assert.strictEqual(yield* run(down), 0)
    })
  )

  it.scopedLive("keeps statuses and nothing else, and leaves nothing beside the file", () =>
    Effect.gen(function* () {
      const { data, file, run } = yield* bench
      yield* run(down)
      yield* run(healthy)
      assert.deepStrictEqual(JSON.parse(readFileSync(file, "utf8")), {
        overall_status: "healthy",
        services: { a: "healthy", b: "healthy" }
      })
      assert.deepStrictEqual(readdirSync(data), ["last-verdict.json"])
    })
  )

  it.scopedLive("takes a damaged file for none", () =>
    Effect.gen(function* () {
      const { data, file, run } = yield* bench
      mkdirSync(data)
      for (const text of ["", "{", '{"overall_status":"fine","services":{}}', "\0\0\0"]) {
        writeFileSync(file, text)
        assert.strictEqual(yield* run(down), 1, text)
        assert.strictEqual(yield* run(down), 0, text)
      }
    })
  )

  it.scopedLive("says so where the verdict cannot be kept", () =>
    Effect.gen(function* () {
      const { data, notes, run } = yield* bench
      writeFileSync(data, "a file where the folder should be")
      assert.strictEqual(yield* run(down), 1)
      const [note = "", ...more] = yield* notes
      assert.deepStrictEqual(more, [])
      assert.include(note, "data/last-verdict.json")
      assert.include(note, "may repeat this notification")
      assert.strictEqual(yield* run(down), 1)
    })
  )
})
