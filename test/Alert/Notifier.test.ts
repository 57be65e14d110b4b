import { assert, describe, it } from "@effect/vitest"
import {
  Chunk,
  DateTime,
  Deferred,
  Duration,
  Effect,
  Fiber,
  Layer,
  Option,
  Random,
  Ref,
  Stream,
  TestClock
} from "effect"
import type { Alert } from "../../src/Alert/Alert.js"
import { AlertChannelError } from "../../src/Alert/AlertChannelError.js"
import * as ChannelRegistry from "../../src/Alert/ChannelRegistry.js"
import { collapse } from "../../src/Alert/Notifier/collapse.js"
import * as Notifier from "../../src/Alert/Notifier.js"
import { Outbox, type Trouble } from "../../src/Alert/Outbox.js"
import * as FaultyChannel from "../../src/testing/FaultyChannel.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import { alert } from "./alerts.js"
import { minutes, seconds, start } from "./trace.js"

/** An outbox that keeps what was acknowledged. */
const outboxWith = (
  pending: ReadonlyArray<Alert>,
  attempting: (delivery: string | undefined) => void
) =>
  Effect.gen(function* () {
    const acknowledged = yield* Ref.make<ReadonlyArray<string>>([])
    const noted = yield* Ref.make<ReadonlyArray<Trouble | undefined>>([])
    return {
      acknowledged: Ref.get(acknowledged),
      noted: Ref.get(noted),
      layer: Layer.succeed(Outbox, {
        pending: Effect.succeed(pending),
        acknowledge: (keys) => Ref.update(acknowledged, (before) => [...before, ...keys]),
        discard: (keys) => Ref.update(acknowledged, (before) => [...before, ...keys]),
        attempting: (_, delivery) => Effect.sync(() => attempting(delivery)),
        note: (_, trouble) => Ref.update(noted, (before) => [...before, trouble])
      })
    }
  })

type Channel = Pick<RecordingChannel.RecordingChannel, "layer">

const notifying = <A, E, R>(
  channels: ReadonlyArray<Channel>,
  use: (
    notifier: Notifier.Notifier["Type"],
    acknowledged: Effect.Effect<ReadonlyArray<string>>,
    noted: Effect.Effect<ReadonlyArray<Trouble | undefined>>
  ) => Effect.Effect<A, E, R>,
  options: Notifier.Options & {
    readonly pending?: ReadonlyArray<Alert>
    readonly attempting?: (delivery: string | undefined) => void
  } = {}
) =>
  Effect.gen(function* () {
    const outbox = yield* outboxWith(options.pending ?? [], options.attempting ?? (() => {}))
    const registered = Layer.mergeAll(Layer.empty, ...channels.map(({ layer }) => layer))
    const all = Notifier.layer(options).pipe(
      Layer.provide(registered),
      Layer.provide(outbox.layer),
      Layer.provideMerge(ChannelRegistry.layer)
    )
    return yield* Effect.flatMap(Notifier.Notifier, (notifier) =>
      use(notifier, outbox.acknowledged, outbox.noted)
    ).pipe(Effect.provide(all), Effect.orDie)
  })

const kinds = (alerts: ReadonlyArray<Alert>) => alerts.map(({ kind }) => kind)

const opened = alert("opened", "redis")
const reminder = alert("reminder", "redis", { at: minutes(15) })
const resolved = alert("resolved", "redis", { at: minutes(20) })

/** A channel whose attempts end as it is told, and what the outbox noted of it. */
const answering = Effect.gen(function* () {
  const asked = yield* Deferred.make<void>()
  const answer = yield* Deferred.make<void, AlertChannelError>()
  const layer = ChannelRegistry.layerChannel(
    Effect.succeed({
      name: "ops",
      type: "test",
      timeout: Duration.seconds(10),
      collapses: false,
      send: () => Effect.zipRight(Deferred.succeed(asked, undefined), Deferred.await(answer))
    })
  )
  return { layer, asked: Deferred.await(asked), answer }
})

describe("Notifier", () => {
  it.effect(
    "hears nothing more of a channel that was taken out, whatever its attempt comes to",
    () =>
      Effect.gen(function* () {
        const ops = yield* answering
        yield* notifying([ops], (notifier, _, noted) =>
          Effect.gen(function* () {
            const disabled = yield* Effect.fork(Stream.runHead(notifier.disabled))
            yield* notifier.offer([opened])
            yield* ops.asked
            yield* notifier.forget("ops")
            const problem = "expected 200, found 401"
            yield* Deferred.fail(
              ops.answer,
              new AlertChannelError({ reason: "Permanent", channel: "ops", problem })
            )
            yield* TestClock.adjust("1 minute")
            assert.isNull(disabled.unsafePoll())
            assert.deepStrictEqual(yield* noted, [undefined])
            assert.strictEqual((yield* notifier.health).size, 0)
          })
        )
      })
  )

  it.effect("acknowledges what a channel that was taken out has all the same", () =>
    Effect.gen(function* () {
      const ops = yield* answering
      yield* notifying([ops], (notifier, acknowledged) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened])
          yield* ops.asked
          yield* notifier.forget("ops")
          yield* Deferred.succeed(ops.answer, undefined)
          yield* TestClock.adjust("1 second")
          // Given up first, as it was not known.
          assert.deepStrictEqual(yield* acknowledged, [opened.key, opened.key])
        })
      )
    })
  )

  it.effect("takes alerts to their channels in order, and acknowledges each", () =>
    Effect.gen(function* () {
      const ops = yield* RecordingChannel.make("ops")
      const log = yield* RecordingChannel.make("log")
      yield* notifying([ops, log], (notifier, acknowledged) =>
        Effect.gen(function* () {
          const other = alert("opened", "web", { channel: "log" })
          yield* notifier.offer([opened, other, resolved])
          assert.deepStrictEqual(yield* ops.awaitAlerts(2), [opened, resolved])
          assert.deepStrictEqual(yield* log.awaitAlerts(1), [other])
          assert.deepStrictEqual(yield* notifier.flush("1 second"), [])
          assert.sameMembers(
            [...(yield* acknowledged)],
            [opened, other, resolved].map(({ key }) => key)
          )
        })
      )
    })
  )

  it.effect("a channel that hangs delays nobody, and ends at its timeout", () =>
    Effect.gen(function* () {
      const hung = yield* FaultyChannel.make(
        [FaultyChannel.ignoreInterruption, FaultyChannel.take],
        { name: "ops", timeout: "5 seconds" }
      )
      const log = yield* RecordingChannel.make("log")
      yield* notifying([hung, log], (notifier) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened, alert("opened", "web", { channel: "log" })])
          yield* log.awaitAlerts(1)
          yield* hung.awaitAttempts(1)
          yield* TestClock.adjust("5 seconds")
          yield* TestClock.adjust("2 seconds")
          assert.deepStrictEqual(yield* hung.awaitTaken(1), [opened])
        })
      )
    })
  )

  it.effect("waits twice as long after each failure, with jitter, up to a bound", () =>
    Effect.forEach([0, 0.5, 1], (chance) =>
      Effect.gen(function* () {
        const ops = yield* FaultyChannel.make([FaultyChannel.fail("Transient")], { name: "ops" })
        yield* notifying(
          [ops],
          (notifier) =>
            Effect.gen(function* () {
              yield* notifier.offer([opened])
              yield* ops.awaitAttempts(1)
              for (const [index, wait] of [1000, 2000, 4000, 8000, 8000].entries()) {
                yield* TestClock.adjust(wait * (0.8 + 0.4 * chance) - 1)
                assert.strictEqual((yield* ops.attempts).length, index + 1)
                yield* TestClock.adjust(1)
                assert.strictEqual((yield* ops.awaitAttempts(index + 2)).length, index + 2)
              }
              const keys = (yield* ops.attempts).map(({ key }) => key)
              assert.strictEqual(new Set(keys).size, 1)
            }),
          { longestBackoff: "8 seconds" }
        )
      }).pipe(Effect.withRandom(Random.fixed([chance])))
    )
  )

  it.effect("leaves a receiver alone for as long as it asked", () =>
    Effect.gen(function* () {
      const ops = yield* FaultyChannel.make(
        [FaultyChannel.fail("Transient", { retryAfter: "1 minute" }), FaultyChannel.take],
        { name: "ops" }
      )
      yield* notifying([ops], (notifier) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened])
          yield* ops.awaitAttempts(1)
          yield* TestClock.adjust("59 seconds")
          assert.deepStrictEqual(yield* ops.taken, [])
          yield* TestClock.adjust("1 seconds")
          assert.deepStrictEqual(yield* ops.awaitTaken(1), [opened])
        })
      )
    })
  )

  it.effect(
    "says of a single message that it comes late, under one key however often it fails",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start + seconds(30))
        const refused = FaultyChannel.fail("Transient", { retryAfter: "10 minutes" })
        const ops = yield* FaultyChannel.make(
          [refused, refused, FaultyChannel.hang, FaultyChannel.take],
          { name: "ops", timeout: "5 seconds" }
        )
        yield* notifying([ops], (notifier, acknowledged) =>
          Effect.gen(function* () {
            yield* notifier.offer([opened])
            yield* ops.awaitAttempts(1)
            for (const attempts of [2, 3]) {
              yield* TestClock.adjust("10 minutes")
              yield* ops.awaitAttempts(attempts)
            }
            yield* TestClock.adjust("10 minutes")
            const [last] = yield* ops.awaitTaken(1)
            const [first, second, third, fourth] = yield* ops.attempts
            assert.deepStrictEqual(first, opened)
            assert.strictEqual(second?.sent?.epochMillis, start + seconds(30) + minutes(10))
            assert.strictEqual(second?.key, `${opened.key}/late/${second?.sent?.epochMillis}`)
            assert.deepStrictEqual(third, second)
            // It may have arrived: it goes again as it is.
            assert.deepStrictEqual(fourth, third)
            assert.deepStrictEqual(last, third)
            yield* notifier.flush("1 second")
            assert.deepStrictEqual(yield* acknowledged, [opened.key])
          })
        )
      })
  )

  it.effect("a late message without an answer is the same after a restart", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start + minutes(90))
      const at = start + minutes(60)
      const key = `${opened.key}/late/${at}`
      const ops = yield* RecordingChannel.make("ops")
      const pending = [{ ...opened, attempt: key }]
      yield* notifying(
        [ops],
        (notifier, acknowledged) =>
          Effect.gen(function* () {
            const [first] = yield* ops.awaitAlerts(1)
            assert.deepStrictEqual(first, { ...opened, key, sent: DateTime.unsafeMake(at) })
            yield* notifier.flush("1 second")
            assert.deepStrictEqual(yield* acknowledged, [opened.key])
          }),
        { pending }
      )
    })
  )

  it.effect("a late message that clearly did not arrive has the same key after a restart", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start + minutes(60))
      const key = `${opened.key}/late/${start + minutes(60)}`
      const busy = FaultyChannel.fail("Transient", { retryAfter: "10 minutes" })
      const before = yield* FaultyChannel.make([busy], { name: "ops" })
      const noted: Array<string | undefined> = []
      yield* notifying(
        [before],
        (notifier) =>
          Effect.gen(function* () {
            yield* notifier.offer([opened])
            yield* before.awaitAttempts(1)
            yield* TestClock.adjust("10 minutes")
            yield* before.awaitAttempts(2)
          }),
        { attempting: (delivery) => noted.push(delivery) }
      )
      assert.deepStrictEqual(noted.slice(0, 3), [key, `${key}/clear`, key])
      yield* TestClock.adjust("30 minutes")
      const after = yield* RecordingChannel.make("ops")
      const pending = [{ ...opened, attempt: `${key}/clear` }]
      yield* notifying(
        [after],
        () =>
          Effect.gen(function* () {
            const [first] = yield* after.awaitAlerts(1)
            const sent = DateTime.unsafeMake(start + minutes(60))
            assert.deepStrictEqual(first, { ...opened, key, sent })
          }),
        { pending }
      )
      // It never arrived: with its end it is a story.
      const late = yield* RecordingChannel.make("ops")
      yield* notifying(
        [late],
        () =>
          Effect.gen(function* () {
            const [story] = yield* late.awaitAlerts(1)
            assert.strictEqual(story?.key, `${opened.key}..${resolved.key}`)
          }),
        { pending: [...pending, resolved] }
      )
    })
  )

  it.effect("does not leave it alone any more when it is enabled, until it asks again", () =>
    Effect.gen(function* () {
      const busy = FaultyChannel.fail("Transient", { retryAfter: "1 hour" })
      const ops = yield* FaultyChannel.make([busy, FaultyChannel.take], { name: "ops" })
      yield* notifying([ops], (notifier) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened])
          yield* ops.awaitAttempts(1)
          yield* TestClock.adjust("1 second")
          const [flushed] = yield* Effect.all(
            [notifier.flush("1 second"), TestClock.adjust("1 second")],
            { concurrency: 2 }
          )
          assert.deepStrictEqual(flushed, [opened])
          yield* notifier.enable("ops")
          assert.deepStrictEqual(yield* ops.awaitTaken(1), [opened])
          yield* notifier.enable("ops")
          yield* ops.rescript(busy, FaultyChannel.take)
          yield* notifier.offer([resolved])
          yield* ops.awaitAttempts(3)
          yield* TestClock.adjust("59 minutes")
          assert.lengthOf(yield* ops.attempts, 3)
          yield* TestClock.adjust("1 minute")
          assert.deepInclude((yield* ops.awaitTaken(2))[1], { kind: "resolved" })
        })
      )
    })
  )

  it.effect("hands on what was decided, where a late message is refused", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start + minutes(60))
      const ops = yield* FaultyChannel.make([FaultyChannel.fail("Refused")], { name: "ops" })
      yield* notifying([ops], (notifier) =>
        Effect.gen(function* () {
          const news = yield* Effect.fork(Stream.runHead(notifier.news))
          yield* Effect.yieldNow()
          yield* notifier.offer([opened])
          const found = Option.getOrThrow(yield* Fiber.join(news))
          assert.deepInclude(found, { _tag: "Refused", pending: [opened], keys: [opened.key] })
        })
      )
    })
  )

  it.effect("tells what is late as one story, and acknowledges all that is in it", () =>
    Effect.gen(function* () {
      const ops = yield* FaultyChannel.make([FaultyChannel.fail("Transient")], { name: "ops" })
      yield* notifying([ops], (notifier, acknowledged) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened])
          yield* ops.awaitAttempts(1)
          yield* notifier.offer([reminder, resolved])
          yield* ops.rescript(FaultyChannel.take)
          yield* TestClock.adjust("2 seconds")
          const [story] = yield* ops.awaitTaken(1)
          assert.strictEqual(story?.kind, "story")
          assert.deepStrictEqual(
            story?.subjects.map(({ over, service }) => ({ over, service })),
            [{ over: true, service: "redis" }]
          )
          assert.strictEqual(story?.story.length, 3)
          yield* notifier.flush("1 second")
          assert.deepStrictEqual(
            yield* acknowledged,
            [opened, reminder, resolved].map(({ key }) => key)
          )
        })
      )
    })
  )

  for (const [what, lost] of [
    ["without an answer", FaultyChannel.hang],
    ["with a lost answer", FaultyChannel.fail("Transient", { unclear: true })],
    ["with a crash", FaultyChannel.die()]
  ] as const) {
    it.effect(`after an attempt ${what} it goes again as it is, and the rest as a story`, () =>
      Effect.gen(function* () {
        const refused = FaultyChannel.fail("Transient")
        const ops = yield* FaultyChannel.make([lost, refused, FaultyChannel.take], { name: "ops" })
        yield* notifying([ops], (notifier) =>
          Effect.gen(function* () {
            yield* notifier.offer([opened])
            yield* ops.awaitAttempts(1)
            yield* notifier.offer([reminder, resolved])
            yield* TestClock.adjust("11 seconds")
            // A refusal says nothing of the attempt before it.
            yield* TestClock.adjust("10 seconds")
            const [first, story] = yield* ops.awaitTaken(2)
            assert.deepStrictEqual(first, opened)
            assert.strictEqual(story?.key, `${reminder.key}..${resolved.key}`)
            assert.lengthOf(yield* ops.attempts, 4)
          })
        )
      })
    )
  }

  it.effect("a story without an answer stays that story, whatever comes after it", () =>
    Effect.gen(function* () {
      const refused = FaultyChannel.fail("Transient")
      const ops = yield* FaultyChannel.make([refused, FaultyChannel.hang, FaultyChannel.take], {
        name: "ops"
      })
      yield* notifying([ops], (notifier) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened, reminder])
          yield* ops.awaitAttempts(1)
          yield* TestClock.adjust("2 seconds")
          yield* ops.awaitAttempts(2)
          yield* notifier.offer([resolved])
          yield* TestClock.adjust("20 seconds")
          const [story, last] = yield* ops.awaitTaken(2)
          assert.deepStrictEqual(story, (yield* ops.attempts)[1])
          assert.deepStrictEqual(last, resolved)
        })
      )
    })
  )

  it.effect("an earlier run's deliveries without an answer are made again as they were", () =>
    Effect.gen(function* () {
      const story = collapse([opened, reminder])
      const tried = [opened, reminder].map((one) => ({ ...one, attempt: story.key }))
      const ops = yield* RecordingChannel.make("ops")
      const web = [alert("opened", "web"), alert("resolved", "web", { at: 1 })]
      const pending = [...tried, resolved, ...web]
      yield* notifying(
        [ops],
        (notifier, acknowledged) =>
          Effect.gen(function* () {
            const [first, second] = yield* ops.awaitAlerts(2)
            yield* notifier.flush("1 second")
            assert.deepStrictEqual(first, story)
            assert.strictEqual(second?.key, `${resolved.key}..${web[1]?.key}`)
            assert.sameMembers(
              [...(yield* acknowledged)],
              pending.map(({ key }) => key)
            )
          }),
        { pending }
      )
    })
  )

  it("tells in a story in whose place it comes, though not all in it does", () => {
    const own = alert("opened", "redis")
    const handed = { ...alert("resolved", "web", { at: 1 }), insteadOf: "ops" }
    assert.strictEqual(collapse([own, handed]).insteadOf, "ops")
    assert.isNull(collapse([own, { ...handed, insteadOf: null }]).insteadOf)
  })

  it.effect("tells one by one what comes close together on a channel that works", () =>
    Effect.gen(function* () {
      const ops = yield* RecordingChannel.make("ops")
      yield* notifying([ops], (notifier) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened, reminder, resolved])
          assert.deepStrictEqual(kinds(yield* ops.awaitAlerts(3)), [
            "opened",
            "reminder",
            "resolved"
          ])
        })
      )
    })
  )

  it.effect("never makes one of many for who counts them", () =>
    Effect.gen(function* () {
      const bot = yield* FaultyChannel.make([FaultyChannel.fail("Transient"), FaultyChannel.take], {
        name: "ops",
        collapses: false
      })
      yield* notifying([bot], (notifier) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened, resolved])
          yield* bot.awaitAttempts(1)
          yield* TestClock.adjust("2 seconds")
          assert.deepStrictEqual(yield* bot.awaitTaken(2), [opened, resolved])
        })
      )
    })
  )

  it.effect("takes up what an earlier run left, with the same key", () =>
    Effect.gen(function* () {
      const ops = yield* RecordingChannel.make("ops")
      yield* notifying(
        [ops],
        () =>
          Effect.gen(function* () {
            assert.deepStrictEqual(yield* ops.awaitAlerts(1), [opened])
          }),
        { pending: [opened] }
      )
    })
  )

  it.effect("a channel that fails for good is disabled, and says what it did not take", () =>
    Effect.gen(function* () {
      const ops = yield* FaultyChannel.make([FaultyChannel.fail("Permanent"), FaultyChannel.take], {
        name: "ops"
      })
      yield* notifying([ops], (notifier, acknowledged) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened, resolved])
          const [disabled] = Chunk.toReadonlyArray(
            yield* Stream.runCollect(Stream.take(notifier.disabled, 1))
          )
          assert.deepStrictEqual(disabled, {
            channel: "ops",
            why: "scripted failure: Permanent"
          })
          assert.deepStrictEqual(yield* notifier.waiting("ops"), [opened, resolved])
          yield* TestClock.adjust("1 hour")
          assert.strictEqual((yield* ops.attempts).length, 1)

          yield* notifier.drop([opened])
          assert.deepStrictEqual(yield* acknowledged, [opened.key])
          yield* notifier.enable("ops")
          assert.deepStrictEqual(yield* ops.awaitTaken(1), [resolved])
        })
      )
    })
  )

  it.effect("a channel that is not there any more is disabled like one that fails", () =>
    Effect.gen(function* () {
      yield* notifying([], (notifier) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened])
          const disabled = yield* Stream.runHead(notifier.disabled)
          assert.include(JSON.stringify(disabled), "expected a channel of this name")
        })
      )
    })
  )

  it.effect("a channel that crashes is tried again, and is disabled when it goes on", () =>
    Effect.gen(function* () {
      const ops = yield* FaultyChannel.make([FaultyChannel.die()], { name: "ops" })
      yield* notifying([ops], (notifier) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened])
          for (const count of [1, 2, 3, 4]) {
            yield* ops.awaitAttempts(count)
            yield* TestClock.adjust("10 minutes")
          }
          const disabled = yield* Stream.runHead(notifier.disabled)
          assert.include(JSON.stringify(disabled), "the channel crashed: Error: scripted defect")
          assert.strictEqual((yield* ops.attempts).length, 5)
        })
      )
    })
  )

  it.effect("flush comes back within its bound, with what is left", () =>
    Effect.gen(function* () {
      const ops = yield* FaultyChannel.make([FaultyChannel.hang], { name: "ops" })
      yield* notifying([ops], (notifier) =>
        Effect.gen(function* () {
          yield* notifier.offer([opened])
          yield* ops.awaitAttempts(1)
          const flushing = yield* Effect.fork(notifier.flush("3 seconds"))
          yield* TestClock.adjust("3 seconds")
          assert.deepStrictEqual(yield* flushing, [opened])
        })
      )
    })
  )

  for (const [asks, retryAfter] of [
    ["failed", undefined],
    ["asked to be left alone", "1 hour"]
  ] as const) {
    it.effect(`flush ${retryAfter === undefined ? "tries" : "leaves"} a channel that ${asks}`, () =>
      Effect.gen(function* () {
        const failing = FaultyChannel.fail(
          "Transient",
          retryAfter === undefined ? {} : { retryAfter }
        )
        const ops = yield* FaultyChannel.make([failing, failing, failing], { name: "ops" })
        yield* notifying([ops], (notifier) =>
          Effect.gen(function* () {
            yield* notifier.offer([opened])
            yield* ops.awaitAttempts(1)
            yield* TestClock.adjust("1 minute")
            // It waits for a time that the flush will not see.
            const before = (yield* ops.attempts).length
            yield* ops.rescript(FaultyChannel.take)
            const flushing = yield* Effect.fork(notifier.flush("100 millis"))
            yield* TestClock.adjust("100 millis")
            const isTried = retryAfter === undefined
            assert.deepStrictEqual(yield* flushing, isTried ? [] : [opened])
            assert.lengthOf(yield* ops.attempts, isTried ? before + 1 : before)
          })
        )
      })
    )
  }

  it.effect("keeps a bounded line, however long a channel is away", () =>
    Effect.gen(function* () {
      const ops = yield* FaultyChannel.make([FaultyChannel.hang], {
        name: "ops",
        timeout: "10 days"
      })
      yield* notifying(
        [ops],
        (notifier, acknowledged) =>
          Effect.gen(function* () {
            yield* notifier.offer([opened])
            yield* ops.awaitAttempts(1)
            for (let index = 1; index <= 100; index++) {
              yield* notifier.offer([alert("reminder", "redis", { at: seconds(index) })])
            }
            const left = yield* notifier.flush(0)
            assert.isAtMost(left.length, 10)
            yield* ops.rescript(FaultyChannel.take)
            yield* TestClock.adjust("11 days")
            yield* ops.awaitTaken(1)
            yield* notifier.flush("1 second")
            assert.strictEqual(new Set(yield* acknowledged).size, 101)
          }),
        { capacity: 10 }
      )
    })
  )

  it.effect("refuses for an hour, then fails every second time: everything owed arrives", () =>
    Effect.gen(function* () {
      const ops = yield* FaultyChannel.make([FaultyChannel.fail("Transient")], { name: "ops" })
      yield* notifying([ops], (notifier, acknowledged) =>
        Effect.gen(function* () {
          const owed = Array.from({ length: 12 }, (_, index) =>
            alert("opened", `service${index}`, { at: minutes(index * 5) })
          )
          for (const one of owed) {
            yield* notifier.offer([one])
            yield* TestClock.adjust("5 minutes")
          }
          yield* ops.rescript(
            FaultyChannel.fail("Transient"),
            FaultyChannel.take,
            FaultyChannel.fail("Transient"),
            FaultyChannel.take
          )
          yield* TestClock.adjust("20 minutes")
          yield* notifier.offer([resolved])
          yield* TestClock.adjust("20 minutes")
          assert.deepStrictEqual(
            new Set(yield* acknowledged),
            new Set([...owed, resolved].map(({ key }) => key))
          )
          assert.deepStrictEqual(kinds(yield* ops.taken), ["story", "resolved"])
        })
      )
    })
  )
})
