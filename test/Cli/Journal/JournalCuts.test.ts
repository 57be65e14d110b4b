/** A journal in PostgreSQL whose connection is cut at each statement of the start. */
import { assert, it } from "@effect/vitest"
import { NodeContext } from "@effect/platform-node"
import { Context, Effect, Layer, Logger, Option } from "effect"
import { Outbox } from "../../../src/Alert/Outbox.js"
import * as JournalAccess from "../../../src/Cli/Journal/JournalAccess.js"
import * as DatabaseUrl from "../../../src/Common/DatabaseUrl.js"
import { Journal } from "../../../src/Monitor/Journal.js"
import * as PatientJournal from "../../../src/Monitor/PatientJournal.js"
import { commits, outage } from "../../Monitor/Journal/steps.js"
import * as CutProxy from "../../support/CutProxy.js"
import { type PostgresInstance, PostgresServer } from "../../support/PostgresServer.js"
import { describeWithServices } from "../../support/Services.js"

const holder = { name: "process 1", identity: "1", isDead: () => Effect.succeed(true) }

const journal = (server: PostgresInstance, database: string, port: number) => {
  const parsed = DatabaseUrl.parse(
    server.urlWith({ database, port, params: { sslmode: "disable" } })
  )
  const url = Option.getOrThrow(Option.getRight(parsed))
  const access = JournalAccess.layer({ url, retain: undefined }, { holder })
  return PatientJournal.layer(access).pipe(Layer.provide(NodeContext.layer))
}

/** More than the start has. */
const most = 40

describeWithServices("postgres", "A journal that is cut while it opens", () => {
  it.scopedLive(
    "is down and tried again, and nothing of an earlier run is lost, whichever statement it is",
    () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer.make({ maxConnections: 40 })
        const make = (name: string, like: string) =>
          server.query(`CREATE DATABASE ${name} OWNER ${server.user} TEMPLATE ${like}`)
        yield* make("earlier", "template0")
        yield* Effect.flatMap(Journal, ({ commit }) =>
          Effect.forEach(commits(outage(0)), commit)
        ).pipe(Effect.provide(journal(server, "earlier", server.port)))

        const attempt = (at: number, side: "before" | "after") =>
          Effect.gen(function* () {
            const proxy = yield* CutProxy.make(server)
            const name = `cut_${side}_${at}`
            yield* make(name, "earlier")
            yield* proxy.cut({ at, side, refuse: 0 })
            const opened = yield* Layer.build(journal(server, name, proxy.port))
            const { requests, state } = Context.get(opened, Journal)
            const known = yield* state
            if (Option.isSome(known)) {
              const pending = yield* Context.get(opened, Outbox).pending
              return { at, side, open: Object.keys(known.value.incidents), owed: pending.length }
            }
            // It comes later, as what an earlier run left.
            // eslint-disable-next-line no-restricted-syntax -- nothing tells when an attempt has succeeded
            const looked = yield* Effect.repeat(Effect.delay(requests, "50 millis"), {
              until: ({ known: news }) => news.length > 0
            })
            const event = looked.known[0]?.event
            if (event?._tag !== "Remembered") return assert.fail("nothing is remembered")
            const open = Object.keys(event.state.incidents)
            return { at, side, open, owed: event.pending.length }
          }).pipe(Effect.scoped)
        const plans = Array.from({ length: most }, (_, index) => index + 1).flatMap((at) =>
          (["before", "after"] as const).map((side) => ({ at, side }))
        )
        const ends = yield* Effect.forEach(plans, ({ at, side }) => attempt(at, side), {
          concurrency: 8
        })
        for (const end of ends) assert.deepInclude(end, { open: ["redis"], owed: 1 })
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger))),
    120_000
  )
})
