import { NodeContext } from "@effect/platform-node"
import { FileSystem } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer, Logger, Option, Schema } from "effect"
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Lifecycle from "../../src/Lifecycle/Lifecycle.js"
import * as ShutdownReport from "../../src/Lifecycle/ShutdownReport.js"
import * as StateStore from "../../src/Lifecycle/StateStore.js"
import * as TempDir from "../support/TempDir.js"

const Positions = Schema.Struct({ offset: Schema.Number, seen: Schema.Array(Schema.String) })

const state = { offset: 7, seen: ["a", "b"] }

/** A store over a file in a folder of its own, made anew as a restart does. */
const setup = Effect.gen(function* () {
  const folder = yield* TempDir.make("state")
  const file = path.join(folder, "data", "bot.json")
  const make = (
    options: Partial<StateStore.Options<typeof Positions.Type, typeof Positions.Encoded>> = {}
  ) => StateStore.make({ file, schema: Positions, version: 2, ...options })
  const write = (text: string) => {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return {
    file,
    make,
    write,
    text: () => readFileSync(file, "utf8"),
    names: () => readdirSync(path.dirname(file)).sort()
  }
})

/** What was logged, with the effect's value. */
const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
      lines.push(`${logLevel.label} ${String(message)}`)
    })
    return Effect.map(
      Effect.provide(effect, Logger.replace(Logger.defaultLogger, logger)),
      (value) => ({ value, lines })
    )
  })

const provided = Effect.provide(NodeContext.layer)

describe("a state store", () => {
  it.scoped("has nothing at the first start, and what was saved at the next", () =>
    Effect.gen(function* () {
      const { make, names, text } = yield* setup
      const store = yield* make()
      assert.isTrue(Option.isNone(yield* store.loadState))
      assert.isTrue(yield* store.saveState(state))
      const next = yield* make()
      assert.deepStrictEqual(Option.getOrNull(yield* next.loadState), state)
      assert.deepStrictEqual(names(), ["bot.json"])
      assert.deepInclude(JSON.parse(text()) as object, { version: 2, state })
    }).pipe(provided)
  )

  it.scoped("writes only what has changed", () =>
    Effect.gen(function* () {
      const { make, text } = yield* setup
      const store = yield* make()
      assert.isTrue(yield* store.saveState(state))
      const before = text()
      assert.isFalse(yield* store.saveState({ ...state }))
      assert.strictEqual(text(), before)
      assert.isTrue(yield* store.saveState({ ...state, offset: 8 }))
      const next = yield* make()
      yield* next.loadState
      assert.isFalse(yield* next.saveState({ ...state, offset: 8 }))
    }).pipe(provided)
  )

  it.scoped("keeps the file from others", () =>
    Effect.gen(function* () {
      const { file, make } = yield* setup
      const store = yield* make()
      yield* store.saveState(state)
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    }).pipe(provided)
  )

  const corrupt: ReadonlyArray<readonly [what: string, text: string]> = [
    ["cut in half", '{"version":2,"saved_at":"2026-01-01T00:00:00.000Z","state":{"offs'],
    ["empty", ""],
    ["zeros, as after a power cut", "\0".repeat(64)],
    ["of another kind", "<html></html>"],
    ["of another schema", '{"version":2,"saved_at":"x","state":{"offset":"seven","seen":[]}}'],
    ["of an older version without an upgrade", '{"version":1,"saved_at":"x","state":{}}']
  ]
  for (const [what, text] of corrupt) {
    it.scoped(`sets a file aside that is ${what}, and says so`, () =>
      Effect.gen(function* () {
        const { file, make, names, write } = yield* setup
        write(text)
        const store = yield* make()
        const { lines, value } = yield* logged(store.loadState)
        assert.isTrue(Option.isNone(value))
        const aside = names().find((name) => name.startsWith("bot.json.corrupt-"))
        assert.strictEqual(readFileSync(path.join(path.dirname(file), aside ?? ""), "utf8"), text)
        assert.lengthOf(lines, 1)
        assert.match(
          lines[0] ?? "",
          /^ERROR The state in .*bot\.json is of no use \(.+\): it was set/
        )
        assert.include(lines[0] ?? "", aside ?? "nothing")
        // And what is saved next goes beside it.
        yield* store.saveState(state)
        assert.lengthOf(names(), 2)
      }).pipe(provided)
    )
  }

  it.scoped("never overwrites a corrupt file, also when nobody loaded it, nor one set aside", () =>
    Effect.gen(function* () {
      const { make, names, write } = yield* setup
      for (const text of ["{", "["]) {
        write(text)
        const store = yield* make()
        yield* logged(store.saveState(state))
      }
      // Under the virtual clock both were set aside at the same millisecond.
      assert.deepStrictEqual(names(), ["bot.json", "bot.json.corrupt-0", "bot.json.corrupt-0-1"])
    }).pipe(provided)
  )

  it.scoped("shows no value of a state in its messages", () =>
    Effect.gen(function* () {
      const { make, write } = yield* setup
      write(
        '{"version":2,"saved_at":"x","state":{"offset":"canary-value","seen":["canary-value"]}}'
      )
      const store = yield* make()
      const { lines } = yield* logged(store.loadState)
      assert.include(lines.join(""), "offset")
      assert.notInclude(lines.join(""), "canary")
      const invalid = { offset: "canary-value", seen: [] } as unknown as typeof state
      const error = yield* Effect.flip(store.saveState(invalid))
      assert.strictEqual(error.reason, "Invalid")
      assert.notInclude(error.message, "canary")
    }).pipe(provided)
  )

  it.scoped("refuses a newer version and leaves the file, when loading and when saving", () =>
    Effect.gen(function* () {
      const { make, names, text, write } = yield* setup
      const newer = '{"version":3,"saved_at":"x","state":{"other":true}}'
      write(newer)
      const store = yield* make()
      const load = yield* Effect.flip(store.loadState)
      const save = yield* Effect.flip(store.saveState(state))
      assert.deepStrictEqual([load.reason, save.reason], ["Newer", "Newer"])
      assert.include(load.message, "version 3, and this program knows version 2")
      assert.strictEqual(text(), newer)
      assert.deepStrictEqual(names(), ["bot.json"])
    }).pipe(provided)
  )

  it.scoped("upgrades an older version, and writes it in the new form", () =>
    Effect.gen(function* () {
      const { make, text, write } = yield* setup
      write('{"version":1,"saved_at":"x","state":{"offset":7}}')
      const upgrade = (old: unknown, version: number) =>
        version === 1 ? Either.right({ ...(old as object), seen: [] }) : Either.left("too old")
      const store = yield* make({ upgrade })
      const upgraded = { offset: 7, seen: [] }
      assert.deepStrictEqual(Option.getOrNull(yield* store.loadState), upgraded)
      assert.isTrue(yield* store.saveState(upgraded))
      assert.include(text(), '"version":2')
    }).pipe(provided)
  )

  it.scoped("says what is in the way", () =>
    Effect.gen(function* () {
      const { file, make } = yield* setup
      mkdirSync(file, { recursive: true })
      const store = yield* make()
      const error = yield* Effect.flip(store.loadState)
      assert.strictEqual(error.reason, "Unreadable")
      assert.include(error.message, file)
    }).pipe(provided)
  )

  it.scoped("keeps what was saved before when it cannot write", () =>
    Effect.gen(function* () {
      const { file, make, text } = yield* setup
      const fs = yield* FileSystem.FileSystem
      const first = yield* make()
      yield* first.saveState(state)
      const before = text()
      const full = FileSystem.makeNoop({
        ...fs,
        rename: () => fs.rename(path.join(file, "nowhere"), file)
      })
      const store = yield* Effect.provideService(make(), FileSystem.FileSystem, full)
      yield* store.loadState
      const error = yield* Effect.flip(store.saveState({ ...state, offset: 8 }))
      assert.strictEqual(error.reason, "Unwritable")
      assert.strictEqual(text(), before)
      chmodSync(file, 0o600)
    }).pipe(provided)
  )

  it.scoped("syncs the file before it gets its name, and the folder after", () =>
    Effect.gen(function* () {
      const { file, make } = yield* setup
      const fs = yield* FileSystem.FileSystem
      const calls: Array<string> = []
      const name = (target: string) => path.relative(path.dirname(path.dirname(file)), target)
      const watching = FileSystem.make({
        ...fs,
        open: (target, options) =>
          Effect.map(fs.open(target, options), (opened) => {
            const sync = Effect.zipRight(
              Effect.sync(() => calls.push(`sync ${name(target)}`)),
              opened.sync
            )
            return new Proxy(opened, {
              get: (self, key) =>
                key === "sync" ? sync : (Reflect.get(self, key, self) as unknown)
            })
          }),
        rename: (from, to) => {
          calls.push(`rename ${name(from)} ${name(to)}`)
          return fs.rename(from, to)
        }
      })
      const store = yield* Effect.provideService(make(), FileSystem.FileSystem, watching)
      yield* store.saveState(state)
      assert.deepStrictEqual(calls, [
        "sync data/bot.json.tmp",
        "rename data/bot.json.tmp data/bot.json",
        "sync data"
      ])
    }).pipe(provided)
  )
})

describe("state in a shutdown", () => {
  const quiet = Logger.remove(Logger.defaultLogger)

  const savesOf = (changesIn: "drain" | "cancel" | "never") =>
    Effect.gen(function* () {
      const { make } = yield* setup
      const lifecycle = yield* Lifecycle.Lifecycle
      const store = yield* make()
      let offset = 1
      const count = Effect.sync(() => {
        offset += 1
      })
      yield* StateStore.saveOnShutdown(
        store,
        Effect.sync(() => ({ offset, seen: [] }))
      )
      if (changesIn !== "never") {
        yield* lifecycle.on(changesIn, "work", count, { first: changesIn === "cancel" })
      }
      const report = yield* lifecycle.shutdown
      assert.strictEqual(ShutdownReport.exitCode(report), 0)
      const next = yield* make()
      assert.strictEqual(Option.getOrThrow(yield* next.loadState).offset, offset)
      return report.entries
        .filter(({ hook }) => hook.startsWith("save state"))
        .map(({ notes, phase }) => `${phase}: ${notes.join().replace(/(to )?\S*bot\.json/, "it")}`)
    }).pipe(Effect.provide(Layer.mergeAll(Lifecycle.layer(), quiet, NodeContext.layer)))

  it.scoped("is saved at state, and not again when nothing changed", () =>
    Effect.map(savesOf("never"), (saves) =>
      assert.deepStrictEqual(saves, ["state: saved it", "cancel: it is up to date"])
    )
  )

  for (const phase of ["drain", "cancel"] as const) {
    it.scoped(`is saved again after cancel when it changed in ${phase}`, () =>
      Effect.map(savesOf(phase), (saves) =>
        assert.deepStrictEqual(saves, ["state: saved it", "cancel: saved it"])
      )
    )
  }
})
