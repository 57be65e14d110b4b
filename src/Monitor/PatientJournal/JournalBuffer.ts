/**
 * Stands in for a journal that is not there yet, or was taken away, and passes everything on where it
 * is there. What it holds is bounded: of more results and decisions the oldest are lost.
 *
 * @internal
 */
import { Clock, Effect, Option, Stream } from "effect"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { Outbox } from "../../Alert/Outbox.js"
import type * as Journal from "../Journal.js"
import type { Earlier } from "../Journal/Earlier.js"
import { unavailable } from "../Journal/JournalError.js"
import type * as Voice from "../Journal/Voice.js"
import { RunMemory } from "./RunMemory.js"

type Store = Journal.Journal["Type"]

/** A journal that was opened, with what an earlier run left in it. */
export interface Connection {
  readonly journal: Store
  readonly outbox: Outbox["Type"]
  readonly earlier: Earlier
  readonly close: Effect.Effect<void>
}

export interface JournalBuffer {
  readonly journal: Omit<Store, "lost">
  readonly outbox: Outbox["Type"]
  /** The journal was there at the start. */
  readonly begin: (connection: Connection) => Effect.Effect<void>
  /** The journal is not there, or not any more. */
  readonly down: (error: Journal.JournalError) => Effect.Effect<void>
  /** The journal is there. With something earlier, steps wait until the policy knows of it. */
  readonly connect: (connection: Connection) => Effect.Effect<void>
  /** How much is not written yet. */
  readonly left: () => number
}

const most = 20_000

type Remembered = Extract<AlertPolicy.Event.Event, { _tag: "Remembered" }>

/** Something that is written later, in its place in the order of everything. */
interface Held {
  readonly seq: number
  readonly write: (to: Connection) => Effect.Effect<void>
}

export const make = (voice: Voice.Service): JournalBuffer => {
  const memory = new RunMemory()
  voice.legacy.current = () => memory.legacy(0)
  let error = unavailable("that it was not opened yet")
  let opened: Connection | undefined
  /** What was there at the start, until it changes. */
  let start: Earlier | undefined
  /** What the policy must take up before anything is written. */
  let earlier: Remembered | undefined
  /** From then on everything goes straight there. */
  let isThrough = false
  let seq = 0
  let lost = 0
  const results: Array<Held> = []
  const commits: Array<Held> = []
  /** What is said of the outbox. It loses nothing: there is no more of it than of commits. */
  const words: Array<Held> = []

  const keep = (all: Array<Held>, write: Held["write"]): void => {
    all.push({ seq: ++seq, write })
    if (all.length <= most) return
    all.shift()
    lost += 1
  }

  const takeAll = (): ReadonlyArray<Held> =>
    [results, commits, words]
      .flatMap((some) => some.splice(0))
      .sort((one, other) => one.seq - other.seq)

  /**
   * In its order, and all that waits at once, so that it becomes one transaction. What comes
   * meanwhile waits for its turn.
   */
  const writeAll = (connection: Connection) =>
    Effect.gen(function* () {
      let written = 0
      for (let held = takeAll(); held.length > 0; held = takeAll()) {
        written += held.length
        yield* Effect.forEach(held, ({ write }) => write(connection), {
          concurrency: "unbounded",
          discard: true
        })
      }
      isThrough = true
      const gone = lost === 0 ? "" : `, ${lost} are lost`
      yield* Effect.logInfo(
        `The journal is there; ${written} entries that waited were written${gone}`
      )
    })

  const asked = <A>(use: (journal: Store) => Effect.Effect<A, Journal.JournalError>) =>
    Effect.suspend(() => (opened === undefined ? error : use(opened.journal)))

  /** Straight to the journal, or later. */
  const through = (all: Array<Held>, write: Held["write"]) =>
    Effect.suspend(() => {
      if (isThrough && opened !== undefined) return write(opened)
      keep(all, write)
      return Effect.void
    })

  const waiting = () => results.length + commits.length

  const settled = (keys: ReadonlyArray<string>) =>
    Effect.sync(() => {
      memory.settle(keys)
    })

  /** Of what another program left, that which this one does not know. */
  const ofOthers = ({ known, unreadable }: Journal.Requests): Journal.Requests => ({
    known: known.map(({ event, id }) => ({
      id,
      event: event._tag === "Remembered" ? memory.unknown(event) : event
    })),
    unreadable
  })

  const journal: Omit<Store, "lost"> = {
    record: (result) => through(results, (to) => to.journal.record(result)),
    commit: (commit) =>
      Effect.suspend(() => {
        start = undefined
        memory.commit(commit)
        if (isThrough && opened !== undefined) return opened.journal.commit(commit)
        keep(commits, (to) => to.journal.commit(commit))
        return commit.event._tag === "Remembered" && opened !== undefined
          ? writeAll(opened)
          : Effect.void
      }),
    state: Effect.suspend(() => {
      if (start !== undefined) return Effect.succeed(start.state)
      return isThrough && opened !== undefined
        ? opened.journal.state
        : Effect.succeed(Option.none())
    }),
    results: (query) => asked(({ results: read }) => read(query)),
    decisions: (query) => asked(({ decisions: read }) => read(query)),
    incidents: (query) => asked(({ incidents: read }) => read(query)),
    history: (since) =>
      Stream.suspend(() =>
        opened === undefined ? Stream.fail(error) : opened.journal.history(since)
      ),
    request: (event) => asked(({ request }) => request(event)),
    requests: Effect.suspend(() => {
      if (opened === undefined) return Effect.succeed({ known: [], unreadable: [] })
      const found = earlier
      earlier = undefined
      if (found === undefined) return Effect.map(opened.journal.requests, ofOthers)
      return Effect.map(Clock.currentTimeMillis, (at) => ({
        known: [{ id: "remembered", event: { ...found, at } }],
        unreadable: []
      }))
    }),
    setAside: (unreadable) => asked(({ setAside }) => setAside(unreadable)),
    deliveries: (alerts) => asked(({ deliveries }) => deliveries(alerts)),
    health: Effect.suspend(() =>
      isThrough && opened !== undefined
        ? opened.journal.health
        : Effect.succeed({ down: error.message, waiting: waiting(), lost })
    ),
    flush: Effect.suspend(() =>
      isThrough && opened !== undefined ? opened.journal.flush : Effect.void
    )
  }

  return {
    journal,
    outbox: {
      pending: Effect.sync(() => start?.pending ?? []),
      attempting: (keys, delivery) => through(words, (to) => to.outbox.attempting(keys, delivery)),
      acknowledge: (keys, at) =>
        Effect.zipRight(
          settled(keys),
          through(words, (to) => to.outbox.acknowledge(keys, at))
        ),
      discard: (keys, outcome, at) =>
        Effect.zipRight(
          settled(keys),
          through(words, (to) => to.outbox.discard(keys, outcome, at))
        ),
      note: (channel, trouble) => through(words, (to) => to.outbox.note(channel, trouble)),
      turn: voice.turn
    },
    begin: (connection) =>
      Effect.sync(() => {
        opened = connection
        start = connection.earlier
        memory.begin(connection.earlier)
        isThrough = true
      }),
    down: (why) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        error = why
        if (opened === undefined) return
        opened = undefined
        isThrough = false
        const beginning = memory.beginning(at, `The journal is begun anew: found ${why.found}`)
        if (beginning !== undefined) keep(commits, (to) => to.journal.commit(beginning))
      }),
    connect: (connection) =>
      Effect.suspend(() => {
        opened = connection
        const { pending, state } = connection.earlier
        if (Option.isNone(state)) return writeAll(connection)
        earlier = memory.unknown({ _tag: "Remembered", at: 0, state: state.value, pending })
        return Effect.void
      }),
    left: () => (isThrough ? 0 : waiting())
  }
}
