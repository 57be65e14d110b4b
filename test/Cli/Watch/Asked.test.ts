import { assert, describe, it } from "@effect/vitest"
import { Effect, Mailbox } from "effect"
import * as Asked from "../../../src/Cli/Watch/Asked.js"

const taken = (...waiting: ReadonlyArray<string | null>) =>
  Effect.gen(function* () {
    const asked = yield* Mailbox.make<string | null>()
    yield* asked.offerAll(waiting)
    return yield* Asked.take(asked)
  })

describe("reloads that wait", () => {
  it.effect("are one for all signals, and one for each who wants an answer", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* taken(...Array.from({ length: 100 }, () => null)), [null])
      assert.deepStrictEqual(yield* taken(null, "a", null, "b"), ["a", "b"])
      assert.deepStrictEqual(yield* taken("a"), ["a"])
    })
  )
})
