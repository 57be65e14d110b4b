/**
 * The journal and the outbox of a program, over a store that is there, or that may be down at the start and
 * be taken away. What is to be written goes through one buffer; what is read is read from the store.
 *
 * @internal
 */
import { Clock, Effect, Option, type Scope, Stream } from "effect"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { Outbox, Outcome } from "../../Alert/Outbox.js"
import type { CheckResult } from "../../Check/CheckResult.js"
import * as Buffer from "./Buffer.js"
import * as Changes from "./Changes.js"
import type { Earlier } from "./Earlier.js"
import * as Entry from "./Entry.js"
import { type JournalError, unavailable } from "./JournalError.js"
import { RunMemory } from "./RunMemory.js"
import type { Reading, Store } from "./Store.js"

/** A store that was opened, with what an earlier run left in it, where that was read. */
export interface Connection {
  readonly store: Store
  readonly earlier: Earlier | undefined
}

export interface Writing {
  /** Keeps a result. It never waits. */
  readonly record: (result: CheckResult) => Effect.Effect<void>
  /**
   * Writes one step of the alert policy. It comes back when that is written, or when it is known
   * that the journal is down; alerts may be sent then.
   */
  readonly commit: (commit: Entry.Commit) => Effect.Effect<void>
  readonly health: Effect.Effect<Entry.Health>
  /** Writes what waits, once. */
  readonly flush: Effect.Effect<void>
}

export interface BufferedJournal {
  readonly journal: Reading & Writing
  readonly outbox: Omit<Outbox["Type"], "turn">
  /** The store was there at the start. */
  readonly begin: (connection: Connection) => Effect.Effect<void>
  /** The store is not there, or not any more. */
  readonly disconnect: (error: JournalError) => Effect.Effect<void>
  /** The store is there. With something earlier, nothing is written until the policy knows of it. */
  readonly connect: (connection: Connection) => Effect.Effect<void>
  /** How much is not written, where there is no store. */
  readonly left: Effect.Effect<number>
  /** For a successor: what only this run told. */
  readonly legacy: () => AlertPolicy.Event.Event | undefined
}

type Remembered = Extract<AlertPolicy.Event.Event, { _tag: "Remembered" }>

export const make: Effect.Effect<BufferedJournal, never, Scope.Scope> = Effect.gen(function* () {
  const memory = new RunMemory()
  let error = unavailable("that it was not opened yet")
  let connection: Connection | undefined
  /** What was there at the start. It is true until this run changes it. */
  let start: Earlier | undefined
  /** What the policy must take up before anything is written. */
  let earlier: Remembered | undefined
  /** Whether what comes is written. */
  let isThrough = false
  let seq = 0
  const numbered = <A>(value: A): Changes.Numbered<A> => ({ seq: ++seq, value })

  const buffer = yield* Buffer.make({
    write: (changes) =>
      Effect.suspend(() =>
        connection === undefined
          ? Effect.fail({ why: error.message, busy: false })
          : connection.store.write(changes)
      ),
    gather: () => connection?.store.gather ?? 0,
    patience: "2 seconds"
  })

  const asked = <A>(use: (store: Store) => Effect.Effect<A, JournalError>) =>
    Effect.suspend(() => (connection === undefined ? error : use(connection.store)))

  const resume = Effect.suspend(() => {
    isThrough = true
    return buffer.resume
  })

  /** Of what another program left, that which this one does not know. */
  const ofOthers = ({ known, unreadable }: Entry.Requests): Entry.Requests => ({
    known: known.map(({ event, id }) => ({
      id,
      event: event._tag === "Remembered" ? memory.unknown(event) : event
    })),
    unreadable
  })

  const over = (keys: ReadonlyArray<string>, outcome: Outcome, at: number) =>
    Effect.suspend(() => {
      if (keys.length === 0) return Effect.void
      start = start && { ...start, pending: start.pending.filter(({ key }) => !keys.includes(key)) }
      memory.settle(keys)
      // What is not written when Holter is killed is sent a second time.
      return buffer.hasten(Changes.left(keys, outcome, at))
    })

  return {
    journal: {
      record: (result) =>
        Effect.suspend(() =>
          buffer.add({ ...Changes.none, results: [numbered(Entry.fromResult(result))] })
        ),
      commit: (commit) =>
        Effect.suspend(() => {
          start = undefined
          memory.commit(commit)
          const changes = Changes.ofCommit(commit, numbered)
          const isTakenUp = !isThrough && commit.event._tag === "Remembered"
          return isTakenUp && connection !== undefined
            ? Effect.zipRight(buffer.add(changes), resume)
            : buffer.commit(changes)
        }),
      state: Effect.suspend(() => {
        if (start !== undefined) return Effect.succeed(start.state)
        return isThrough && connection !== undefined
          ? connection.store.state
          : Effect.succeed(Option.none())
      }),
      results: (query) => asked(({ results }) => results(query)),
      decisions: (query) => asked(({ decisions }) => decisions(query)),
      incidents: (query) => asked(({ incidents }) => incidents(query)),
      history: (since) =>
        Stream.suspend(() =>
          connection === undefined ? Stream.fail(error) : connection.store.history(since)
        ),
      request: (event) => asked(({ request }) => request(event)),
      requests: Effect.suspend(() => {
        if (connection === undefined) return Effect.succeed({ known: [], unreadable: [] })
        const found = earlier
        earlier = undefined
        if (found === undefined) return Effect.map(connection.store.requests, ofOthers)
        return Effect.map(Clock.currentTimeMillis, (at) => ({
          known: [{ id: "remembered", event: { ...found, at } }],
          unreadable: []
        }))
      }),
      setAside: (unreadable) => asked(({ setAside }) => setAside(unreadable)),
      deliveries: (alerts) => asked(({ deliveries }) => deliveries(alerts)),
      health: buffer.health,
      flush: buffer.flush
    },
    outbox: {
      pending: Effect.suspend(() => {
        if (start !== undefined) return Effect.succeed(start.pending)
        if (!isThrough || connection === undefined) return Effect.succeed([])
        return Effect.catchAll(connection.store.pending, ({ message }) =>
          Effect.as(Effect.logError(`Alerts of an earlier run are not sent: ${message}`), [])
        )
      }),
      attempting: (keys, delivery) => {
        const attempts = new Map(keys.map((key) => [key, delivery ?? null]))
        const changes = { ...Changes.none, attempts }
        return delivery === undefined ? buffer.add(changes) : buffer.commit(changes)
      },
      acknowledge: (keys, at) => over(keys, "delivered", at),
      discard: over,
      note: (channel, trouble) =>
        buffer.add({ ...Changes.none, troubles: new Map([[channel, trouble]]) })
    },
    begin: (there) =>
      Effect.sync(() => {
        connection = there
        start = there.earlier
        if (start !== undefined) memory.begin(start)
        isThrough = true
      }),
    disconnect: (why) =>
      Effect.gen(function* () {
        const wasThere = connection !== undefined
        error = why
        connection = undefined
        isThrough = false
        yield* buffer.suspend(why.message)
        if (!wasThere) return
        const at = yield* Clock.currentTimeMillis
        const beginning = memory.beginning(at, `The journal is begun anew: found ${why.found}`)
        if (beginning !== undefined) yield* buffer.add(Changes.ofCommit(beginning, numbered))
      }),
    connect: (there) =>
      Effect.suspend(() => {
        connection = there
        const state = there.earlier?.state ?? Option.none()
        if (Option.isNone(state)) return resume
        const pending = there.earlier?.pending ?? []
        earlier = memory.unknown({ _tag: "Remembered", at: 0, state: state.value, pending })
        return Effect.void
      }),
    left: Effect.suspend(() =>
      isThrough ? Effect.succeed(0) : Effect.map(buffer.health, ({ waiting }) => waiting)
    ),
    legacy: () => memory.legacy(0)
  }
})
