import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect } from "effect"
import * as ChildDouble from "./ChildDouble.js"

const options = { server: { port: 0 }, api: { _tag: "Routes", options: {} } } as const
/** As in a finalizer, which nothing interrupts. */
const problemOf = (asked: Effect.Effect<unknown>) =>
  Effect.map(Effect.flip(Effect.sandbox(Effect.uninterruptible(asked))), Cause.pretty)

describe("ChildDouble", () => {
  it.scopedLive("answers where nothing can be interrupted", () =>
    Effect.gen(function* () {
      const { ask } = yield* ChildDouble.start(options)
      assert.deepStrictEqual(yield* Effect.uninterruptible(ask({ _tag: "Requests" })), [])
    })
  )

  it.scopedLive("says what it was asked when no answer comes, or none can", () =>
    Effect.gen(function* () {
      const { ask, child } = yield* ChildDouble.start(options, Duration.millis(100))
      yield* child.pause
      const late = yield* problemOf(ask({ _tag: "Requests" }))
      assert.include(late, "double: ask Requests: no answer within 100ms")
      yield* child.resume
      assert.deepStrictEqual(yield* ask({ _tag: "Requests" }), [])
      yield* child.kill
      assert.include(yield* problemOf(ask({ _tag: "Clear" })), "double: ask Clear: it has ended")
    })
  )
})
