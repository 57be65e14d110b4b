import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Ref, TestClock } from "effect"
import * as InTurn from "../../src/System/InTurn.js"

type Candidate = { readonly after: number; readonly says: string; readonly fails?: boolean }

const attempt = ({ after, fails, says }: Candidate) =>
  Effect.delay(fails === true ? Effect.fail(says) : Effect.succeed(says), Duration.millis(after))

/** What comes out, and when. */
const told = (candidates: ReadonlyArray<Candidate>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(
      Effect.timed(Effect.either(InTurn.first(candidates, attempt, "250 millis")))
    )
    yield* TestClock.adjust("1 minute")
    const [took, outcome] = yield* Fiber.join(fiber)
    return [outcome._tag === "Right" ? outcome.right : outcome.left, Duration.toMillis(took)]
  })

describe("InTurn", () => {
  it.effect("a way that leads nowhere costs one step, and a long way takes its time", () =>
    Effect.gen(function* () {
      const nowhere = { after: 60_000, says: "never" }
      assert.deepStrictEqual(yield* told([nowhere, { after: 300, says: "far" }]), ["far", 550])
      assert.deepStrictEqual(
        yield* told([
          { after: 900, says: "first" },
          { after: 900, says: "second" }
        ]),
        ["first", 900]
      )
      assert.deepStrictEqual(yield* told([{ after: 2500, says: "only" }]), ["only", 2500])
    })
  )

  it.effect("a failure is not waited for", () =>
    Effect.gen(function* () {
      const refused = { after: 10, says: "refused", fails: true }
      assert.deepStrictEqual(yield* told([refused, { after: 30, says: "good" }]), ["good", 40])
      assert.deepStrictEqual(yield* told([refused, refused]), [["refused", "refused"], 20])
    })
  )

  it.effect("what is still under way at the end is interrupted", () =>
    Effect.gen(function* () {
      const interrupted = yield* Ref.make(0)
      const hangs = Effect.onInterrupt(Effect.never, () => Ref.update(interrupted, (n) => n + 1))
      const ways = [hangs, hangs, Effect.succeed("good")]
      const fiber = yield* Effect.fork(
        Effect.uninterruptible(InTurn.first(ways, (way) => way, "1 second"))
      )
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "good")
      assert.strictEqual(yield* Ref.get(interrupted), 2)
    })
  )
})
