/** What stands in for a journal that is down: how much it holds, in which order that is written. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Context, Deferred, Effect, Layer, Logger, Stream, TestClock } from "effect"
import { Outbox } from "../../src/Alert/Outbox.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as Buffer from "../../src/Monitor/Journal/Buffer.js"
import * as Changes from "../../src/Monitor/Journal/Changes.js"
import * as Entry from "../../src/Monitor/Journal/Entry.js"
import * as PatientJournal from "../../src/Monitor/PatientJournal.js"
import { seconds, start } from "../Alert/trace.js"
import { checkResult, commits } from "./Journal/steps.js"

const unavailable = new Journal.JournalError({
  reason: "Unavailable",
  expected: "an answer",
  found: "connection refused",
  advice: "Start it"
})

/** A journal in memory that cannot be opened for a while. */
const awayFor = (
  open: (attempt: number) => Effect.Effect<void, Journal.JournalError>,
  meanwhile: Effect.Effect<void> = Effect.void
) =>
  Effect.gen(function* () {
    const inMemory = yield* Layer.build(Journal.layerMemory)
    const inner = Context.get(inMemory, Journal.Journal)
    const { store } = inner
    if (store === undefined) return yield* Effect.dieMessage("it has no store")
    const kept = Context.add(inMemory, Journal.Journal, {
      ...inner,
      store: {
        ...store,
        write: (changes) => Effect.zipRight(meanwhile, store.write(changes))
      }
    })
    let attempts = 0
    const patient = yield* Layer.build(
      PatientJournal.layer(
        Layer.scopedContext(
          Effect.as(
            Effect.suspend(() => open(++attempts)),
            kept
          )
        )
      )
    ).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
    return {
      journal: Context.get(patient, Journal.Journal),
      outbox: Context.get(patient, Outbox),
      kept: Context.get(kept, Journal.Journal)
    }
  })

const most = 20_000

describe("a journal that is down", { timeout: 60_000 }, () => {
  it.scoped("is stood in for with the last 20,000 results, and those before are counted", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const { journal, kept } = yield* awayFor((attempt) =>
        attempt === 1 ? unavailable : Effect.void
      )
      for (let index = 0; index < most + 500; index++) {
        yield* journal.record(checkResult(index, "web", "healthy"))
      }
      const { lost, waiting } = yield* journal.health
      assert.deepStrictEqual({ lost, waiting }, { lost: 500, waiting: most })
      yield* TestClock.adjust("2 seconds")
      const results = yield* kept.results({ limit: 2 * most })
      assert.deepStrictEqual(
        results.map(({ at }) => at - start),
        Array.from({ length: most }, (_, index) => index + 500)
      )
    })
  )

  it.scoped("is stood in for with as many steps", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const { journal } = yield* awayFor(() => unavailable)
      const [step] = commits([{ _tag: "Restarted", at: start }])
      if (step === undefined) return assert.fail("no step")
      for (let index = 0; index < most + 3; index++) yield* journal.commit(step)
      const { lost, waiting } = yield* journal.health
      // An event and a decision of each, and the last state.
      assert.deepStrictEqual({ lost, waiting }, { lost: 3, waiting: 2 * most + 1 })
    })
  )

  it.scoped("has all of it in its order when it is back, with what comes meanwhile behind", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const count = 5000
      const late = checkResult(seconds(count), "web", "healthy")
      const beat: { now: Effect.Effect<void> } = { now: Effect.void }
      const { journal, kept } = yield* awayFor(
        (attempt) => (attempt === 1 ? unavailable : Effect.void),
        // While it is written there is one more beat.
        Effect.suspend(() => {
          const { now } = beat
          beat.now = Effect.void
          return now
        })
      )
      beat.now = journal.record(late)
      for (let index = 0; index < count; index++) {
        yield* journal.record(checkResult(seconds(index), "web", "healthy"))
        if (index !== 2000) continue
        const at = start + seconds(index) + 1
        const [step] = commits([{ _tag: "Unsilenced", at, id: "night" }])
        if (step !== undefined) yield* journal.commit(step)
      }
      yield* TestClock.adjust("2 seconds")
      yield* kept.flush
      const history = Chunk.toReadonlyArray(yield* Stream.runCollect(kept.history(0)))
      const times = history.map(({ at }) => at)
      assert.lengthOf(times, count + 2)
      assert.deepStrictEqual(
        times,
        [...times].sort((one, other) => one - other)
      )
      assert.strictEqual(history[2001]?._tag, "Unsilenced")
    })
  )

  it.scoped("is closed again where it opens and cannot be read yet", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      let attempts = 0
      let open = 0
      const layer = Layer.flatMap(
        Layer.scopedDiscard(
          Effect.acquireRelease(
            Effect.suspend(() => {
              attempts += 1
              open += 1
              return Effect.void
            }),
            () => Effect.sync(() => void (open -= 1))
          )
        ),
        () =>
          Layer.map(Journal.layerMemory, (context) =>
            Context.add(context, Journal.Journal, {
              ...Context.get(context, Journal.Journal),
              state: Effect.suspend(() => unavailable)
            })
          )
      )
      let isFirst = true
      const patient = PatientJournal.layer(
        Layer.unwrapScoped(
          Effect.suspend(() => {
            if (!isFirst) return Effect.succeed(layer)
            isFirst = false
            return unavailable
          })
        )
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Layer.build(patient)
          yield* TestClock.adjust("2 minutes")
          assert.isAbove(attempts, 3)
          assert.strictEqual(open, 0)
        })
      ).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
    })
  )
})

describe("a journal that is taken away", { timeout: 60_000 }, () => {
  it.scoped("is given what could not be written to the one before", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const inMemory = yield* Layer.build(Journal.layerMemory)
      const inner = Context.get(inMemory, Journal.Journal)
      const { store } = inner
      if (store === undefined) return yield* Effect.dieMessage("it has no store")
      const gone = yield* Deferred.make<Journal.JournalError>()
      let opened = 0
      const journal = Layer.sync(Journal.Journal, () => {
        opened += 1
        if (opened > 1) return inner
        const write = () => Effect.fail({ why: "the file is gone", busy: false })
        return { ...inner, lost: Deferred.await(gone), store: { ...store, write } }
      })
      const patient = yield* Layer.build(
        PatientJournal.layer(
          Layer.merge(Layer.succeed(Outbox, Context.get(inMemory, Outbox)), journal)
        )
      ).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
      const { health, record } = Context.get(patient, Journal.Journal)
      yield* record(checkResult(0, "web", "healthy"))
      yield* TestClock.adjust("1 second")
      assert.include((yield* health).down, "the file is gone")
      yield* Deferred.succeed(gone, new Journal.JournalError({ ...replaced, reason: "Replaced" }))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(opened, 2)
      assert.lengthOf(yield* inner.results({}), 1)
      assert.deepStrictEqual(yield* health, { down: undefined, waiting: 0, lost: 0 })
    })
  )
})

const replaced = { expected: "the file that was opened", found: "another", advice: "Leave it" }

describe("a journal that goes down", { timeout: 60_000 }, () => {
  it.scoped("has the last 20,000 results kept for it, and those before counted", () =>
    Effect.gen(function* () {
      const buffer = yield* Buffer.make({
        write: () => Effect.fail({ why: "the disk is full", busy: false }),
        gather: () => 0,
        patience: "2 seconds"
      })
      const entry = { ...Changes.none, results: [{ seq: 0, value: journaled }] }
      for (let index = 0; index < most + 700; index++) yield* buffer.add(entry)
      yield* buffer.flush
      for (let index = 0; index < 42; index++) yield* buffer.add(entry)
      const { down, lost, waiting } = yield* buffer.health
      assert.deepStrictEqual(
        { down, lost, waiting },
        { down: "the disk is full", lost: 742, waiting: most }
      )
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )
})

const journaled = Entry.fromResult(checkResult(0, "web", "healthy"))
