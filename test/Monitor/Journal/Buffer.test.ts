/** What waits to be written while the store is there, slow, or taken away. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import * as Buffer from "../../../src/Monitor/Journal/Buffer.js"
import * as Changes from "../../../src/Monitor/Journal/Changes.js"

describe("Buffer", () => {
  it.scopedLive("of a store that is taken away while it writes waits until another is there", () =>
    Effect.gen(function* () {
      const [begun, answered, written] = yield* Effect.all([
        Deferred.make<void>(),
        Deferred.make<void>(),
        Deferred.make<void>()
      ])
      const buffer = yield* Buffer.make({
        write: () =>
          Deferred.succeed(begun, undefined).pipe(
            Effect.zipRight(Deferred.await(answered)),
            Effect.ensuring(Deferred.succeed(written, undefined))
          ),
        gather: () => 0,
        patience: "1 minute"
      })
      const change = { ...Changes.none, taken: ["a request"] }
      yield* buffer.add(change)
      yield* Deferred.await(begun)
      yield* buffer.suspend("its file is gone")
      yield* Deferred.succeed(answered, undefined)
      yield* Deferred.await(written)
      // Comes back at once, as nothing can be written.
      yield* buffer.flush
      yield* buffer.commit(change)
      assert.deepStrictEqual(yield* buffer.health, {
        down: "its file is gone",
        waiting: 1,
        lost: 0
      })
      yield* buffer.resume
      assert.deepStrictEqual(yield* buffer.health, { down: undefined, waiting: 0, lost: 0 })
    })
  )
})
