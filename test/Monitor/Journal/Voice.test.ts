/** When a program may send: with the lease, without an answer, and with somebody who waits. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, Option, TestClock } from "effect"
import * as Voice from "../../../src/Monitor/Journal/Voice.js"
import { start } from "../../Alert/trace.js"

const leader = (answer: () => Voice.Answer) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const voice = yield* Voice.make
    yield* voice.held(
      Effect.sync(() => answer()),
      yield* Voice.moment
    )
    return voice
  })

const waiting = { token: "b", name: "process b", count: 1 }

/** Whether it may send now. */
const speaks = (voice: Voice.Service) =>
  Effect.gen(function* () {
    const turn = yield* Effect.fork(voice.turn)
    yield* Effect.yieldNow()
    yield* TestClock.adjust(0)
    const done = Option.isSome(yield* Fiber.poll(turn))
    yield* Fiber.interrupt(turn)
    return done
  }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))

describe("the voice of a program", () => {
  it.scoped("is its own for ten seconds after a sign of life, then it asks", () =>
    Effect.gen(function* () {
      let asked = 0
      const voice = yield* leader(() => {
        asked += 1
        return "held"
      })
      yield* TestClock.adjust("9 seconds")
      assert.isTrue(yield* speaks(voice))
      assert.strictEqual(asked, 0)
      yield* TestClock.adjust("2 seconds")
      assert.isTrue(yield* speaks(voice))
      assert.strictEqual(asked, 1)
    })
  )

  it.scoped("is kept where the database answers nobody and nobody else is known", () =>
    Effect.gen(function* () {
      const voice = yield* leader(() => "unreachable")
      yield* TestClock.adjust("1 hour")
      assert.isTrue(yield* speaks(voice))
    })
  )

  it.scoped("is held back while another may have taken over, ten minutes at most", () =>
    Effect.gen(function* () {
      let answer: Voice.Answer = "unreachable"
      const voice = yield* leader(() => answer)
      yield* voice.saw(waiting)
      yield* TestClock.adjust("11 seconds")
      assert.isFalse(yield* speaks(voice))
      answer = "held"
      yield* TestClock.adjust("6 seconds")
      assert.isTrue(yield* speaks(voice))
      answer = "unreachable"
      yield* TestClock.adjust("6 seconds")
      assert.isFalse(yield* speaks(voice))
      // The same count again is no sign of life.
      yield* voice.saw(waiting)
      yield* TestClock.adjust("10 minutes")
      assert.isTrue(yield* speaks(voice))
    })
  )

  it.scoped("is gone when another has taken over, and asks again after a sleep", () =>
    Effect.gen(function* () {
      const answers: Array<Voice.Answer> = ["again", "lost"]
      const voice = yield* leader(() => answers.shift() ?? "lost")
      yield* TestClock.adjust("1 minute")
      assert.isFalse(yield* speaks(voice))
      assert.deepStrictEqual(answers, [])
      yield* voice.lost
      yield* TestClock.adjust("1 hour")
      assert.isFalse(yield* speaks(voice))
    })
  )
})
