import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Data,
  Effect,
  Fiber,
  FiberRef,
  HashMap,
  Inspectable,
  List,
  Logger,
  Redacted
} from "effect"
import { inspect } from "node:util"
import { scrubbedLoggers } from "../../src/Common/ScrubbedLogs.js"
import * as Secrets from "../../src/Common/Secrets.js"

const secret = "s3cr3t/t0k3n"
const secrets = Secrets.make([secret])

/** A probe sets them as its fiber starts. */
const withScrubbedLogs = (hidden: Secrets.Secrets) =>
  Effect.locallyWith(FiberRef.currentLoggers, scrubbedLoggers(hidden))

class Refused extends Data.TaggedError("Refused")<{
  readonly url: string
  readonly cause?: unknown
}> {
  override get message() {
    return `refused by ${this.url}`
  }
}

class Holder {
  constructor(readonly value: string) {}
}

/** What an effect logs, in all the ways in which loggers print it. */
const logged = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make((options) => {
      lines.push(
        Logger.stringLogger.log(options),
        Logger.jsonLogger.log(options),
        inspect(options.message, { depth: 9 }),
        Inspectable.toStringUnknown(options.message),
        inspect(HashMap.toEntries(options.annotations), { depth: 9 }),
        List.toArray(options.spans)
          .map(({ label }) => label)
          .join(),
        Cause.pretty(options.cause, { renderErrorCause: true }),
        inspect(Cause.squash(options.cause), { depth: 9 })
      )
    })
    yield* Effect.exit(withScrubbedLogs(secrets)(effect)).pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    )
    return lines.join("\n")
  })

const twice = { url: secret }
const holdingItself: Record<string, unknown> = { url: secret }
holdingItself["self"] = { again: holdingItself }

describe("inside a probe no log line holds a secret", () => {
  const lines: Record<string, Effect.Effect<unknown, string | Refused>> = {
    "a message": Effect.log(`connecting to redis://:${secret}@host`),
    "a message, percent-encoded": Effect.log(`token=${encodeURIComponent(secret)}`),
    "several messages": Effect.log("connecting", secret, [secret], { deep: { url: secret } }),
    "an Error": Effect.log(new Error(`no ${secret}`)),
    "an Error inside an object": Effect.log({ error: new Error(`no ${secret}`) }),
    "an Error with a cause": Effect.log(new Error("no", { cause: new Error(secret) })),
    "an object of a class": Effect.log(new Holder(secret)),
    "a URL": Effect.log(new URL(`https://user:${encodeURIComponent(secret)}@host/`)),
    "a Map and a Set": Effect.log(new Map([["key", secret]]), new Set([secret])),
    "an annotation": Effect.annotateLogs(Effect.log("hello"), "url", secret),
    "an annotation that is an Error": Effect.annotateLogs(
      Effect.log("hello"),
      "e",
      new Error(secret)
    ),
    "an annotation that is an object": Effect.annotateLogs(
      Effect.log("hello"),
      "o",
      new Holder(secret)
    ),
    "an annotation's name": Effect.annotateLogs(Effect.log("hello"), secret, "x"),
    "a key": Effect.log({ deep: { [secret]: 1 } }),
    "an object that is there twice": Effect.log({ one: twice, two: [twice] }),
    "an object that holds itself": Effect.log(holdingItself),
    "a span": Effect.withLogSpan(Effect.log("hello"), secret),
    "a failure as cause": Effect.logError("failed", Cause.fail(new Refused({ url: secret }))),
    "a failure whose cause is nested": Effect.logError(
      "failed",
      Cause.fail(new Refused({ url: "host", cause: new Error(secret) }))
    ),
    "a field of a failure": Effect.logError(
      Cause.fail(Object.assign(new Error("syntax error"), { detail: `near ${secret}` }))
    ),
    "a defect as cause": Effect.logError(Cause.die(new Error(secret))),
    "a cause with several parts": Effect.logError(
      Cause.parallel(
        Cause.fail("fine"),
        Cause.sequential(Cause.die(secret), Cause.fail({ secret }))
      )
    ),
    "a forked fiber": Effect.flatMap(Effect.fork(Effect.log(secret)), Fiber.join),
    "a daemon": Effect.flatMap(Effect.forkDaemon(Effect.log(secret)), Fiber.join),
    "parallel fibers": Effect.forEach([1, 2, 3], (id) => Effect.log(id, secret), {
      concurrency: "unbounded"
    }),
    "a finalizer": Effect.ensuring(Effect.fail("x"), Effect.log(secret)),
    "its log on failure": Effect.tapErrorCause(
      Effect.fail(new Refused({ url: secret })),
      Effect.logError
    )
  }
  for (const [what, effect] of Object.entries(lines)) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const output = yield* logged(effect)
        assert.isNotEmpty(output)
        assert.notInclude(output, secret)
        assert.notInclude(output, encodeURIComponent(secret))
      })
    )
  }
})

it.effect("what holds no secret is logged as it is", () =>
  Effect.gen(function* () {
    const holder = new Holder("fine")
    const error = new Error("fine")
    const circular: Record<string, unknown> = { holder }
    circular["self"] = circular
    const cause = Cause.fail(error)
    const messages: Array<unknown> = []
    const logger = Logger.make(({ annotations, cause, message }) => {
      messages.push(message, cause, HashMap.toEntries(annotations))
    })
    yield* Effect.logError(
      holder,
      error,
      circular,
      Redacted.make(secret),
      5,
      undefined,
      null,
      cause
    ).pipe(
      Effect.annotateLogs("holder", holder),
      (effect) => withScrubbedLogs(secrets)(effect),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    )
    const [message, seenCause, annotations] = messages
    assert.isTrue(Array.isArray(message))
    const parts = message as ReadonlyArray<unknown>
    assert.strictEqual(parts[0], holder)
    assert.strictEqual(parts[1], error)
    assert.strictEqual(parts[2], circular)
    assert.strictEqual(seenCause, cause)
    assert.strictEqual((annotations as ReadonlyArray<readonly [string, unknown]>)[0]?.[1], holder)
  })
)

it.effect("what the program goes on to use is not changed", () =>
  Effect.gen(function* () {
    const value = { list: [secret], map: new Map([["a", secret]]) }
    const error = new Error(secret)
    yield* logged(Effect.log(value, error))
    assert.deepStrictEqual(value, { list: [secret], map: new Map([["a", secret]]) })
    assert.strictEqual(error.message, secret)
  })
)

it.effect("outside of the effect the loggers are as they were", () =>
  Effect.gen(function* () {
    const messages: Array<unknown> = []
    const logger = Logger.make(({ message }) => {
      messages.push(...(message as ReadonlyArray<unknown>))
    })
    yield* Effect.zipRight(withScrubbedLogs(secrets)(Effect.log(secret)), Effect.log(secret)).pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    )
    assert.deepStrictEqual(messages, [Secrets.placeholder, secret])
  })
)
