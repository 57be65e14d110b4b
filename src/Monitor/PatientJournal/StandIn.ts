/**
 * Stands in for a journal that could not be opened yet. What it holds is bounded: of more results
 * and decisions the oldest are lost.
 *
 * @internal
 */
import { Clock, Effect, Option, Stream } from "effect"
import type { Alert } from "../../Alert/Alert.js"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { Outbox } from "../../Alert/Outbox.js"
import type * as Journal from "../Journal.js"

type Store = Journal.Journal["Type"]

/** What an earlier run left. */
export interface Earlier {
  readonly state: AlertPolicy.State
  readonly pending: ReadonlyArray<Alert>
}

export interface StandIn {
  readonly journal: Omit<Store, "lost">
  readonly outbox: Outbox["Type"]
  /** The journal is there. With something earlier, steps wait until the policy knows of it. */
  readonly connect: (
    journal: Store,
    outbox: Outbox["Type"],
    earlier: Earlier | undefined
  ) => Effect.Effect<void>
  /** How much is not written yet. */
  readonly left: () => number
}

const most = 20_000

interface Connection {
  readonly journal: Store
  readonly outbox: Outbox["Type"]
}

/** Something that is written later, in its place in the order of everything. */
interface Held {
  readonly seq: number
  readonly write: (to: Connection) => Effect.Effect<void>
}

export const make = (error: Journal.JournalError): StandIn => {
  let opened: Connection | undefined
  let earlier: Earlier | undefined
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

  const journal: Omit<Store, "lost"> = {
    record: (result) => through(results, (to) => to.journal.record(result)),
    commit: (commit) =>
      Effect.suspend(() => {
        if (isThrough && opened !== undefined) return opened.journal.commit(commit)
        keep(commits, (to) => to.journal.commit(commit))
        return commit.event._tag === "Remembered" && opened !== undefined
          ? writeAll(opened)
          : Effect.void
      }),
    state: Effect.suspend(() =>
      opened === undefined ? Effect.succeed(Option.none()) : opened.journal.state
    ),
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
      if (found === undefined) return opened.journal.requests
      return Effect.map(Clock.currentTimeMillis, (at) => ({
        known: [{ id: "remembered", event: { _tag: "Remembered" as const, at, ...found } }],
        unreadable: []
      }))
    }),
    setAside: (unreadable) => asked(({ setAside }) => setAside(unreadable)),
    deliveries: (alerts) => asked(({ deliveries }) => deliveries(alerts)),
    verdict: (key) => asked(({ verdict }) => verdict(key)),
    keepVerdict: (key, verdict) => asked(({ keepVerdict }) => keepVerdict(key, verdict)),
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
      pending: Effect.succeed([]),
      attempting: (keys, delivery) => through(words, (to) => to.outbox.attempting(keys, delivery)),
      acknowledge: (keys, at) => through(words, (to) => to.outbox.acknowledge(keys, at)),
      discard: (keys, outcome, at) => through(words, (to) => to.outbox.discard(keys, outcome, at)),
      note: (channel, trouble) => through(words, (to) => to.outbox.note(channel, trouble))
    },
    connect: (store, outbox, found) =>
      Effect.suspend(() => {
        opened = { journal: store, outbox }
        earlier = found
        return found === undefined ? writeAll(opened) : Effect.void
      }),
    left: () => (isThrough ? 0 : waiting())
  }
}
