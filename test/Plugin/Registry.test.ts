/** One shape for checks and channels: who registers, who takes a place, who hears of it. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Deferred, Effect, Exit, Fiber, Option, Scope, Stream } from "effect"
import * as Registry from "../../src/Plugin/Registry.js"

const item = (name: string, type = "queue") => ({ name, type })
const registry = Registry.make(
  (one: Registry.Item, existing) => `${one.type} and ${existing.type} are ${one.name}`
)

describe("a registry", () => {
  it.effect("has what is registered, in order, for as long as its scope is open", () =>
    Effect.gen(function* () {
      const { all, find, register } = yield* registry
      const first = yield* Scope.make()
      yield* Scope.extend(register(item("b")), first)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* register(item("a"))
          assert.deepStrictEqual(yield* all, [item("b"), item("a")])
          assert.deepStrictEqual(Option.getOrNull(yield* find("a")), item("a"))
        })
      )
      assert.deepStrictEqual(yield* all, [item("b")])
      yield* Scope.close(first, Exit.void)
      assert.deepStrictEqual(yield* all, [])
    })
  )

  it.scoped("takes no second one of a name, and says which there is", () =>
    Effect.gen(function* () {
      const { all, register } = yield* registry
      yield* register(item("a", "queue"))
      const refused = yield* Effect.flip(register(item("a", "spool")))
      assert.strictEqual(refused, "spool and queue are a")
      assert.deepStrictEqual(yield* all, [item("a", "queue")])
    })
  )

  it.scoped("has the one that took a place also when the other is taken out", () =>
    Effect.gen(function* () {
      const { find, register, replace } = yield* registry
      const before = yield* Scope.make()
      yield* Scope.extend(register(item("a", "queue")), before)
      yield* replace(item("a", "spool"))
      yield* Scope.close(before, Exit.void)
      // Two Options are alike to chai, whatever is in them.
      assert.deepStrictEqual(Option.getOrNull(yield* find("a")), item("a", "spool"))
    })
  )

  it.scoped("tells of what was added, exchanged and taken out", () =>
    Effect.gen(function* () {
      const { changes, register, replace } = yield* registry
      const heard = yield* Deferred.make<void>()
      const seen = yield* changes.pipe(
        Stream.map((all) => all.map(({ name, type }) => `${name}:${type}`).join()),
        Stream.tap(() => Deferred.succeed(heard, undefined)),
        Stream.changes,
        Stream.takeUntil((names) => names === "a:spool"),
        Stream.runCollect,
        Effect.fork
      )
      yield* Deferred.await(heard)
      yield* Effect.scoped(register(item("b")))
      yield* replace(item("a", "spool"))
      const names = Chunk.toReadonlyArray(yield* Fiber.join(seen))
      assert.strictEqual(names[0], "")
      assert.strictEqual(names.at(-1), "a:spool")
    })
  )
})
