/**
 * What every journal does, wherever it keeps it.
 */
import { assert, it } from "@effect/vitest"
import { Chunk, Effect, Layer, Option, type Scope, Stream } from "effect"
import { Outbox } from "../../../src/Alert/Outbox.js"
import { Journal } from "../../../src/Monitor/Journal.js"
import { minutes, seconds, start } from "../../Alert/trace.js"
import { checkResult, commits, outage, written } from "./steps.js"

type Store = Layer.Layer<Journal | Outbox, unknown>

export const behaves = (name: string, fresh: Effect.Effect<Store, unknown, Scope.Scope>) => {
  const withJournal = <A, E>(
    use: (journal: Journal["Type"], outbox: Outbox["Type"]) => Effect.Effect<A, E>
  ) =>
    Effect.gen(function* () {
      const store = yield* fresh
      return yield* Effect.gen(function* () {
        return yield* use(yield* Journal, yield* Outbox)
      }).pipe(Effect.provide(store))
    })

  it.scopedLive(`${name}: keeps results, and gives back those that are asked for`, () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        yield* journal.record(checkResult(0, "redis", "healthy"))
        yield* journal.record(checkResult(seconds(30), "web", "unhealthy"))
        yield* journal.record(checkResult(seconds(60), "redis", "degraded"))
        yield* journal.flush
        const all = yield* journal.results({})
        assert.deepStrictEqual(
          all.map(({ service }) => service),
          ["redis", "web", "redis"]
        )
        assert.deepStrictEqual(all[1], {
          at: start + seconds(30),
          service: "web",
          status: "unhealthy",
          message: "web is unhealthy",
          response_time_ms: 12.5,
          reason: "Unreachable",
          retry_after_ms: null,
          details: { latency_ms: 12 }
        })
        const [newest] = yield* journal.results({ service: "redis", limit: 1 })
        assert.strictEqual(newest?.status, "degraded")
        const until = yield* journal.results({ since: start, until: start + seconds(30) })
        assert.strictEqual(until.length, 2)
      })
    )
  )

  it.scopedLive(`${name}: tells what came last, though the clock was set back meanwhile`, () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        for (const [at, status] of [
          [minutes(120), "unhealthy"],
          [0, "healthy"]
        ] as const) {
          yield* journal.record(checkResult(at, "redis", status))
        }
        yield* journal.flush
        const [newest] = yield* journal.results({ service: "redis", limit: 1 })
        assert.strictEqual(newest?.status, "healthy")
        const span = yield* journal.results({ since: start, until: start + minutes(120) })
        assert.deepStrictEqual(
          span.map(({ status }) => status),
          ["unhealthy", "healthy"]
        )
        for (const back of [0, minutes(-120)]) {
          for (const step of commits(outage())) {
            const at = step.event.at + back
            const decisions = step.decisions.map((decision) => ({ ...decision, at }))
            yield* journal.commit({ ...step, decisions, event: { ...step.event, at } })
          }
        }
        const [decision] = yield* journal.decisions({ service: "redis", limit: 1 })
        assert.isBelow(decision?.at ?? start, start)
      })
    )
  )

  it.scopedLive(`${name}: keeps state, decisions, incidents and what is owed of each step`, () =>
    withJournal((journal, outbox) =>
      Effect.gen(function* () {
        const steps = commits(outage())
        const last = steps.at(-1)
        for (const step of steps) yield* journal.commit(step)

        assert.deepStrictEqual(
          Option.map(yield* journal.state, written),
          Option.map(Option.fromNullable(last?.after), written)
        )
        const decisions = yield* journal.decisions({ service: "redis" })
        assert.deepStrictEqual(
          decisions,
          steps
            .flatMap((step) => step.decisions)
            .filter(({ rule, service }) => service === "redis" && rule !== "steady")
        )
        const [incident] = yield* journal.incidents({ service: "redis" })
        assert.deepInclude(incident, {
          service: "redis",
          severity: "unhealthy",
          since: start + seconds(45),
          opened_at: start + seconds(105),
          ended_at: start + seconds(165)
        })
        assert.deepStrictEqual(yield* journal.incidents({ since: start + minutes(10) }), [])
        assert.deepStrictEqual(
          yield* outbox.pending,
          steps.flatMap((step) => step.decisions.flatMap(({ alerts }) => alerts))
        )
      })
    )
  )

  it.scopedLive(`${name}: an alert leaves the outbox when it is acknowledged or handed on`, () =>
    withJournal((journal, outbox) =>
      Effect.gen(function* () {
        for (const step of commits(outage())) yield* journal.commit(step)
        const [opened, resolved] = yield* outbox.pending
        if (opened === undefined || resolved === undefined) return assert.fail("nothing is owed")
        yield* outbox.acknowledge([opened.key], start)
        yield* journal.flush
        assert.deepStrictEqual(yield* outbox.pending, [resolved])
        const [step] = commits(outage(0)).slice(-1)
        if (step === undefined) return assert.fail("no step")
        const removed = [resolved.key]
        yield* journal.commit({ ...step, decisions: [], removed })
        assert.deepStrictEqual(yield* outbox.pending, [])
      })
    )
  )

  it.scopedLive(`${name}: knows in which delivery an alert was tried, until it is clear`, () =>
    withJournal((journal, outbox) =>
      Effect.gen(function* () {
        for (const step of commits(outage())) yield* journal.commit(step)
        const [opened, resolved] = yield* outbox.pending
        if (opened === undefined || resolved === undefined) return assert.fail("nothing is owed")
        const attempt = `${opened.key}..${resolved.key}`
        yield* outbox.attempting([opened.key, resolved.key], attempt)
        const tried = [opened, resolved].map((alert) => ({ ...alert, attempt }))
        assert.deepStrictEqual(yield* outbox.pending, tried)
        yield* outbox.acknowledge([opened.key], start)
        yield* outbox.attempting([opened.key, resolved.key], undefined)
        yield* journal.flush
        assert.deepStrictEqual(yield* outbox.pending, [resolved])
      })
    )
  )

  it.scopedLive(`${name}: tells the past as it came, more than a page of it`, () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        for (let index = 0; index < 2500; index++) {
          yield* journal.record(checkResult(seconds(index), "web", "healthy"))
        }
        const [step] = commits(outage())
        if (step === undefined) return assert.fail("no step")
        yield* journal.commit(step)
        yield* journal.record(checkResult(seconds(2500), "web", "unhealthy"))
        yield* journal.flush
        const history = Chunk.toReadonlyArray(yield* Stream.runCollect(journal.history(0)))
        assert.strictEqual(history.length, 2502)
        assert.deepStrictEqual(
          history.slice(-2).map(({ _tag }) => _tag),
          ["Restarted", "Result"]
        )
        const late = yield* Stream.runCollect(journal.history(start + seconds(2500)))
        assert.strictEqual(late.length, 1)
      })
    )
  )

  it.scopedLive(`${name}: a request of another program is gone with the step that takes it`, () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        const event = { _tag: "Unsilenced", at: start, id: "night" } as const
        const requests = Effect.map(journal.requests, ({ known }) => known)
        yield* journal.request(event)
        yield* journal.request({ ...event, at: start + 1 })
        const [first, second] = yield* requests
        assert.deepStrictEqual(first?.event, event)
        assert.lengthOf(yield* requests, 2)
        const [step] = commits([event])
        if (step === undefined || first === undefined) return assert.fail("no step")
        yield* journal.commit({ ...step, taken: [first.id] })
        assert.deepStrictEqual(yield* requests, second === undefined ? [] : [second])
      })
    )
  )

  it.scopedLive(`${name}: knows what became of an alert, and why it is still owed`, () =>
    withJournal((journal, outbox) =>
      Effect.gen(function* () {
        for (const step of commits(outage())) yield* journal.commit(step)
        const alerts = yield* outbox.pending
        const [opened, resolved] = alerts
        if (opened === undefined || resolved === undefined) return assert.fail("nothing is owed")
        const outcomes = Effect.map(journal.deliveries(alerts), (all) =>
          alerts.map(({ key }) => all.get(key))
        )
        const queued = { outcome: "queued", at: null, trouble: null } as const
        assert.deepStrictEqual(yield* outcomes, [queued, queued])

        const trouble = { at: start, failures: 3, error: "HTTP 500", nextAttempt: start + 4000 }
        yield* outbox.note("ops", trouble)
        yield* outbox.note("log", { ...trouble, nextAttempt: null })
        yield* outbox.acknowledge([opened.key], start + 10)
        yield* journal.flush
        const delivered = { outcome: "delivered", at: start + 10, trouble: null } as const
        assert.deepStrictEqual(yield* outcomes, [delivered, { ...queued, trouble }])

        yield* outbox.note("ops", undefined)
        yield* journal.flush
        assert.deepStrictEqual(yield* outcomes, [delivered, queued])
        yield* outbox.discard([resolved.key], "handed on", start + 20)
        yield* journal.flush
        const handedOn = { outcome: "handed on", at: start + 20, trouble: null } as const
        assert.deepStrictEqual(yield* outcomes, [delivered, handedOn])
        const stranger = yield* journal.deliveries([{ channel: "ops", key: "nobody's" }])
        assert.strictEqual(stranger.size, 0)
      })
    )
  )
}
