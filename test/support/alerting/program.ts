/**
 * Alerting on a journal in a file, told of one result after the other; it may be killed, for real, at
 * a step between a result and its acknowledged alert. Its channel appends to a file what it has.
 *
 * No time passes in it: each result is judged, written and sent before the next.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Context, Duration, Effect, Layer, Schedule } from "effect"
import { appendFileSync } from "node:fs"
import type { Alert, Kind } from "../../../src/Alert/Alert.js"
import type * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import * as ChannelRegistry from "../../../src/Alert/ChannelRegistry.js"
import * as Notifier from "../../../src/Alert/Notifier.js"
import { Outbox } from "../../../src/Alert/Outbox.js"
import * as CheckRegistry from "../../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../../src/Check/CheckRunner.js"
import * as Alerting from "../../../src/Monitor/Alerting.js"
import * as HealthMonitor from "../../../src/Monitor/HealthMonitor.js"
import * as Journal from "../../../src/Monitor/Journal.js"
import * as ScriptedCheck from "../../../src/testing/ScriptedCheck.js"

/** Everything that happens between a result and the alert that its channel has acknowledged. */
export const steps = [
  "the result is there",
  "the step is folded",
  "the step is written, and not committed",
  "the step is committed, and nobody knows",
  "the step is known to be committed",
  "the channel is asked",
  "the channel has it, and nobody knows",
  "the channel is known to have it",
  "the acknowledgement waits to be written",
  "the acknowledgement is written, and not committed",
  "the acknowledgement is committed"
] as const

export type Step = (typeof steps)[number]

export interface Order {
  readonly journal: string
  /** What the channel has: a line for each alert, with its kind and its key. */
  readonly taken: string
  readonly results: ReadonlyArray<"up" | "down">
  /** Where to die: at this step on the way of the alert of this kind, or of an acknowledgement. */
  readonly kill?: { readonly kind: Kind | "acknowledged"; readonly at: Step }
  /** `leave`: another program acknowledges the outage after the results. Both wait until it is taken. */
  readonly acknowledgement?: "leave" | "await"
}

export const run = (order: Order) =>
  Effect.gen(function* () {
    const [first, ...rest] = order.results.map((result) =>
      result === "up" ? ScriptedCheck.healthy() : ScriptedCheck.fail("Down")
    )
    const check = yield* ScriptedCheck.make([first ?? ScriptedCheck.healthy(), ...rest], {
      name: "redis"
    })
    const watched = watch(order, check.check)
    return yield* Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const alerting = yield* Alerting.Alerting
      for (const _ of order.results) {
        yield* monitor.runAllChecks
        yield* alerting.flush("10 seconds")
      }
      if (order.acknowledgement !== undefined) yield* acknowledged(order.acknowledgement)
      return (yield* alerting.state).incidents
    }).pipe(Effect.provide(Layer.provideMerge(watched, monitored(check))), Effect.orDie)
  })

const acknowledged = (how: NonNullable<Order["acknowledgement"]>) =>
  Effect.gen(function* () {
    const { request, requests } = yield* Journal.Journal
    if (how === "leave") {
      yield* request({ _tag: "Acknowledged", at: 1000, service: "redis", by: "ann" })
    }
    yield* Effect.repeat(requests, {
      until: ({ known }) => known.length === 0,
      schedule: Schedule.spaced("10 millis")
    })
  })

const monitored = (check: ScriptedCheck.ScriptedCheck) =>
  HealthMonitor.layer.pipe(
    Layer.provideMerge(check.layer),
    Layer.provide(Layer.merge(CheckRegistry.layer, CheckRunner.layer()))
  )

const watch = (order: Order, check: ScriptedCheck.ScriptedCheck["check"]) => {
  const die = makeDie(order)
  const channel: ChannelRegistry.RegisteredChannel = {
    name: "ops",
    type: "file",
    timeout: Duration.seconds(10),
    collapses: false,
    send: (alert) =>
      Effect.sync(() => {
        die("the channel is asked", isOf(order)(alert.key))
        appendFileSync(order.taken, `${alert.kind} ${alert.key}\n`)
        die("the channel has it, and nobody knows", isOf(order)(alert.key))
      })
  }
  const registered = Layer.provideMerge(
    Layer.scopedDiscard(
      Effect.flatMap(ChannelRegistry.ChannelRegistry, ({ register }) => register(channel))
    ),
    ChannelRegistry.layer
  )
  const policy: AlertPolicy.Options = {
    checks: [check],
    routes: [{ severity: "unhealthy", to: ["ops"] }],
    startGrace: 0,
    groupWindow: 0
  }
  return Alerting.layer({ policy, requestsEvery: "20 millis" }).pipe(
    Layer.provide(Notifier.layer()),
    Layer.provide(registered),
    Layer.provideMerge(journal(order, die))
  )
}

const isOf =
  ({ kill }: Order) =>
  (key: string): boolean =>
    kill !== undefined && key.includes(`/${kill.kind}/`)

type Die = (step: Step, isMeant: boolean) => void

const makeDie =
  ({ kill }: Order): Die =>
  (step, isMeant) => {
    if (isMeant && kill?.at === step) process.kill(process.pid, "SIGKILL")
  }

/** A journal in SQLite that dies on the way. */
const journal = (order: Order, die: Die) => {
  const client = SqliteClient.layer({
    filename: order.journal,
    disableWAL: true,
    prepareCacheTTL: "5 seconds"
  })
  /** What the next transaction writes of the alert in question. */
  let writes: "the step" | "the acknowledgement" | undefined
  const deadly = Layer.map(client, (context) =>
    Context.add(
      context,
      SqlClient,
      new Proxy(Context.get(context, SqlClient), {
        get: (sql, name, proxy) =>
          name === "withTransaction"
            ? <A, E, R>(work: Effect.Effect<A, E, R>) =>
                Effect.tap(
                  sql.withTransaction(
                    Effect.tap(work, () => {
                      die("the step is written, and not committed", writes === "the step")
                      const isAcknowledged = writes === "the acknowledgement"
                      die("the acknowledgement is written, and not committed", isAcknowledged)
                    })
                  ),
                  () => {
                    die("the step is committed, and nobody knows", writes === "the step")
                    die("the acknowledgement is committed", writes === "the acknowledgement")
                  }
                )
            : (Reflect.get(sql, name, proxy) as unknown)
      })
    )
  )
  const owes = ({ alerts }: AlertPolicy.Decision) =>
    alerts.some(({ key }: Alert) => isOf(order)(key))
  const seen = results(order)
  return Layer.map(Layer.provide(Journal.layer(), deadly), (context) => {
    const inner = Context.get(context, Journal.Journal)
    const outbox = Context.get(context, Outbox)
    return Context.make(Journal.Journal, {
      ...inner,
      record: (result) =>
        Effect.suspend(() => {
          die("the result is there", seen(result.status))
          return inner.record(result)
        }),
      commit: (commit) =>
        Effect.suspend(() => {
          const isMeant =
            order.kill?.kind === "acknowledged"
              ? (commit.taken ?? []).length > 0
              : commit.decisions.some(owes)
          die("the step is folded", isMeant)
          if (isMeant) writes = "the step"
          return Effect.tap(inner.commit(commit), () => {
            die("the step is known to be committed", isMeant)
            if (isMeant) writes = undefined
          })
        })
    }).pipe(
      Context.add(Outbox, {
        ...outbox,
        acknowledge: (keys, at) =>
          Effect.suspend(() => {
            const isMeant = keys.some(isOf(order))
            die("the channel is known to have it", isMeant)
            return Effect.tap(outbox.acknowledge(keys, at), () => {
              die("the acknowledgement waits to be written", isMeant)
              if (isMeant) writes = "the acknowledgement"
            })
          })
      })
    )
  })
}

/** Whether this is the result that passes the threshold: the third failure, the second success. */
const results = ({ kill }: Order) => {
  const threshold =
    kill?.kind === "opened" ? { status: "unhealthy", count: 3 } : { status: "healthy", count: 2 }
  let count = 0
  return (status: string): boolean => {
    if (status === threshold.status) count += 1
    return status === threshold.status && count === threshold.count
  }
}
