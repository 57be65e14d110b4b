/** The dead man's switch: against a local server, and over virtual hours. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Layer, Logger, Redacted, Scope, TestClock } from "effect"
import { Vital, Vitals } from "../../src/Alert/Vitals.js"
import { DeadMan, HttpExchange, type Options } from "../../src/plugins/DeadMan.js"
import { HttpFault, Reply, type Request } from "../../src/plugins/shared/HttpExchange.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as HttpDouble from "../support/HttpDouble.js"
import { noneOpen } from "./registered.js"

const alive = Vital.Alive({ overall: "degraded" })
const stuck = Vital.Stuck({ why: "nothing comes of it" })

/** Vitals that a test changes, and a receiver that answers as the test says. */
const bench = (options: Partial<Options> = {}) =>
  Effect.gen(function* () {
    const now: { vital: Vital; answer: Effect.Effect<Reply, HttpFault> } = {
      vital: Vital.Quiet(),
      answer: status(200)
    }
    const pings: Array<string> = []
    const lines: Array<string> = []
    const exchange = ({ body, method, url }: Request) =>
      Effect.suspend(() => {
        const { pathname, search } = new URL(url)
        pings.push(`${method} ${pathname}${search}${body === undefined ? "" : ` ${body}`}`)
        return now.answer
      })
    const scope = yield* Scope.make()
    yield* DeadMan.layer({
      url: Redacted.make("https://hc.test/a-uuid?create=1"),
      ...options
    }).pipe(
      Layer.provide(Layer.succeed(HttpExchange, { exchange })),
      Layer.provide(Layer.succeed(Vitals, { now: Effect.sync(() => now.vital) })),
      Layer.buildWithScope(scope),
      Effect.provide(
        Logger.replace(
          Logger.defaultLogger,
          Logger.make(
            ({ logLevel, message }) => void lines.push(`${logLevel.label} ${String(message)}`)
          )
        )
      )
    )
    const close = Scope.close(scope, Exit.void)
    // Whatever became of the test, and although nobody moves its clock any more.
    yield* Effect.addFinalizer(() => Effect.withClock(close, Clock.make()))
    /** The pings of a span. */
    const during = (span: "1 second" | "1 minute" | "3 minutes") =>
      Effect.map(TestClock.adjust(span), () => pings.splice(0))
    return { now, pings, lines, during, close }
  })

const status = (code: number) =>
  Effect.sync(() => new Reply(code, {}, [], { first_byte_ms: 0, total_ms: 0 }, undefined))

describe("the dead man's switch", () => {
  it.scopedLive("speaks as healthchecks.io is spoken to, and says when it stops", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.text(200, "OK") } })
      const scope = yield* Scope.make()
      yield* DeadMan.layerStandalone({
        url: Redacted.make(`${double.url}/a-uuid?create=1`),
        interval: "10 millis"
      }).pipe(
        Layer.provide(Layer.succeed(Vitals, { now: Effect.succeed(alive) })),
        Layer.buildWithScope(scope)
      )
      yield* double.awaitRequests(4)
      yield* Scope.close(scope, Exit.void)
      const requests = (yield* double.requests).map(
        ({ body, method, url }) => `${method} ${url} ${body}`
      )
      assert.strictEqual(requests[0], "POST /a-uuid/start?create=1 starting")
      assert.strictEqual(requests[1], "POST /a-uuid?create=1 overall: degraded")
      assert.strictEqual(requests[2], requests[1])
      assert.strictEqual(requests.at(-1), "POST /a-uuid/log?create=1 stopping")
      yield* noneOpen(double)
    })
  )

  it.scopedLive("reads no page behind the status, however long it is", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.endless() } })
      yield* DeadMan.layerStandalone({
        url: Redacted.make(`${double.url}/a-uuid`),
        interval: "10 millis"
      }).pipe(
        Layer.provide(Layer.succeed(Vitals, { now: Effect.succeed(alive) })),
        Layer.build,
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      yield* double.awaitRequests(4)
      assert.deepStrictEqual(lines, [])
    })
  )

  it.scoped("pings only while monitoring is alive, once an interval", () =>
    Effect.gen(function* () {
      const { close, during, now, pings } = yield* bench()
      assert.deepStrictEqual(yield* during("3 minutes"), ["POST /a-uuid/start?create=1 starting"])
      now.vital = alive
      const beat = "POST /a-uuid?create=1 overall: degraded"
      assert.deepStrictEqual(yield* during("1 second"), [beat])
      assert.deepStrictEqual(yield* during("3 minutes"), [beat, beat, beat])
      now.vital = Vital.Quiet()
      assert.isEmpty(yield* during("3 minutes"))
      now.vital = stuck
      assert.deepStrictEqual(yield* during("1 minute"), [
        "POST /a-uuid/fail?create=1 nothing comes of it"
      ])
      yield* close
      assert.deepStrictEqual(pings, ["POST /a-uuid/log?create=1 stopping"])
    })
  )

  it.scoped("knows services that take the bare URL only", () =>
    Effect.gen(function* () {
      const { close, during, now, pings } = yield* bench({ style: "plain" })
      assert.isEmpty(yield* during("1 minute"))
      now.vital = alive
      assert.deepStrictEqual(yield* during("1 second"), ["GET /a-uuid?create=1"])
      now.vital = stuck
      assert.isEmpty(yield* during("3 minutes"))
      yield* close
      assert.isEmpty(pings)
    })
  )

  it.scoped("tells of failures once, of their end once, and shows no URL", () =>
    Effect.gen(function* () {
      const { during, lines, now } = yield* bench()
      now.vital = alive
      yield* during("1 second")
      now.answer = status(404)
      assert.lengthOf(yield* during("3 minutes"), 3)
      now.answer = new HttpFault({
        host: "hc.test:443",
        reason: "Reset",
        problem: "the connection was reset",
        isRetryable: true
      })
      yield* during("3 minutes")
      assert.lengthOf(lines, 1)
      assert.match(lines[0] ?? "", /^WARN .* fails: expected an answer of 2xx, found HTTP 404/)
      now.answer = status(200)
      yield* during("3 minutes")
      assert.match(lines[1] ?? "", /^INFO .* arrives again$/)
      assert.lengthOf(lines, 2)
      assert.notInclude(lines.join(), "a-uuid")
    })
  )

  it.scoped("waits for no answer longer than it may, also at the end", () =>
    Effect.gen(function* () {
      const { close, during, lines, now } = yield* bench()
      now.vital = alive
      yield* during("1 second")
      now.answer = Effect.uninterruptible(Effect.never)
      assert.lengthOf(yield* during("3 minutes"), 2)
      assert.deepStrictEqual(lines, [
        "WARN The ping that says that Holter is alive fails: no answer within 10s"
      ])
      const closing = yield* Effect.fork(close)
      yield* TestClock.adjust("3 minutes")
      assert.isTrue((yield* closing.status)._tag === "Done")
    })
  )
})
