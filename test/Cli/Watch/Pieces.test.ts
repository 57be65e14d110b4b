import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Redacted, Scope } from "effect"
import * as Pieces from "../../../src/Cli/Watch/Pieces.js"

const piece = (name: string, entry: unknown = {}): Pieces.Piece => ({ name, entry })
const names = (pieces: ReadonlyArray<Pieces.Piece>) => pieces.map(({ name }) => name)

const open = (
  all: Pieces.Pieces<Pieces.Piece>,
  one: Pieces.Piece,
  finalizer: Effect.Effect<unknown> = Effect.void
) =>
  Effect.flatMap(
    all.stage((scope) => Scope.addFinalizer(scope, finalizer)),
    (scope) => all.put(one, scope)
  )

describe("the pieces of a watch", () => {
  it.scoped("are told apart by their names and by what is in them", () =>
    Effect.gen(function* () {
      const parent = yield* Effect.scope
      const all = Pieces.make<Pieces.Piece>(Effect.succeed(parent))
      yield* Effect.forEach(
        [piece("a", { url: "x", nested: [1, { b: 2 }] }), piece("b", 1), piece("c")],
        (one) => open(all, one)
      )
      const found = all.difference([
        piece("d"),
        piece("b", 2),
        piece("a", { nested: [1, { b: 2 }], url: "x" })
      ])
      assert.deepStrictEqual(
        [names(found.added), names(found.changed), found.removed, found.kept],
        [["d"], ["b"], ["c"], ["a"]]
      )
    })
  )

  it("are the same by the values of their secrets and times", () => {
    const entry = (secret: string, seconds: number) => ({
      url: Redacted.make(secret),
      timeout: Duration.seconds(seconds)
    })
    assert.isTrue(Pieces.same(entry("a", 1), entry("a", 1)))
    assert.isFalse(Pieces.same(entry("a", 1), entry("b", 1)))
    assert.isFalse(Pieces.same(entry("a", 1), entry("a", 2)))
  })

  it.scoped("close one by one, or with what they are in", () =>
    Effect.gen(function* () {
      const closed: Array<string> = []
      const parent = yield* Scope.make()
      const pieces = Pieces.make<Pieces.Piece>(Effect.succeed(parent))
      yield* Effect.forEach(["a", "b"], (name) =>
        open(
          pieces,
          piece(name),
          Effect.sync(() => closed.push(name))
        )
      )
      yield* pieces.take("a")
      yield* pieces.take("a")
      assert.deepStrictEqual(closed, ["a"])
      assert.deepStrictEqual(names(pieces.difference([piece("a")]).added), ["a"])
      yield* Scope.close(parent, Exit.void)
      assert.deepStrictEqual(closed, ["a", "b"])
    })
  )
})
