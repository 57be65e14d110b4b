import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Scope, TestClock } from "effect"
import * as Turns from "../../../src/Cli/Journal/turns.js"

const connection = {} as Connection // never used: only who has it matters

describe("the turns of one connection", () => {
  it.scoped("go on after one that had no connection, though its scope stays open", () =>
    Effect.gen(function* () {
      let isDown = true
      const acquire = yield* Turns.make(
        Effect.suspend(() =>
          isDown ? new SqlError({ cause: "down", message: "down" }) : Effect.succeed(connection)
        )
      )
      // As @effect/sql does it: a transaction that cannot begin does not close its scope.
      const open = yield* Scope.make()
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Scope.extend(acquire, open))))
      isDown = false
      assert.strictEqual(yield* Effect.scoped(acquire), connection)
      assert.strictEqual(yield* Effect.scoped(acquire), connection)
    })
  )

  it.scoped("are one at a time, and end with the scope", () =>
    Effect.gen(function* () {
      const acquire = yield* Turns.make(Effect.succeed(connection))
      const first = yield* Scope.make()
      yield* Scope.extend(acquire, first)
      const second = yield* Effect.fork(Effect.scoped(acquire))
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Option.isNone(yield* Fiber.poll(second)))
      yield* Scope.close(first, Exit.void)
      assert.strictEqual(yield* Fiber.join(second), connection)
    })
  )
})
