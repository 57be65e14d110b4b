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
import type { CheckResult } from "../../Check/CheckResult.js"
import type * as Journal from "../Journal.js"

type Store = Journal.Journal["Type"]

/** What an earlier run left. */
export interface Earlier {
  readonly state: AlertPolicy.State
  readonly pending: ReadonlyArray<Alert>
}

export interface StandIn {
  readonly journal: Store
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

export const make = (error: Journal.JournalError): StandIn => {
  let opened: Connection | undefined
  let earlier: Earlier | undefined
  /** From then on everything goes straight there. */
  let isThrough = false
  let results: Array<CheckResult> = []
  let commits: Array<Journal.Commit> = []
  let acknowledged: Array<string> = []
  let lost = 0

  const keep = <A>(all: Array<A>, one: A): void => {
    all.push(one)
    if (all.length <= most) return
    all.shift()
    lost += 1
  }

  /** All of it at once, so that it becomes one transaction. */
  const writeAll = ({ journal, outbox }: Connection) =>
    Effect.suspend(() => {
      const [steps, keys, rows] = [commits, acknowledged, results]
      commits = []
      acknowledged = []
      results = []
      isThrough = true
      const written = steps.length + rows.length
      return Effect.forEach(rows, journal.record, { discard: true }).pipe(
        Effect.zipRight(
          Effect.forEach(steps, journal.commit, { concurrency: "unbounded", discard: true })
        ),
        Effect.zipRight(outbox.acknowledge(keys)),
        Effect.zipRight(
          Effect.logInfo(
            `The journal is there; ${written} entries that waited were written${lost === 0 ? "" : `, ${lost} are lost`}`
          )
        )
      )
    })

  const asked = <A>(use: (journal: Store) => Effect.Effect<A, Journal.JournalError>) =>
    Effect.suspend(() => (opened === undefined ? error : use(opened.journal)))

  const journal: Store = {
    record: (result) =>
      Effect.suspend(() => {
        if (isThrough && opened !== undefined) return opened.journal.record(result)
        keep(results, result)
        return Effect.void
      }),
    commit: (commit) =>
      Effect.suspend(() => {
        if (isThrough && opened !== undefined) return opened.journal.commit(commit)
        keep(commits, commit)
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
    requests: asked(({ requests }) => requests),
    takeRequests: Effect.suspend(() => {
      if (opened === undefined) return Effect.succeed([])
      const found = earlier
      earlier = undefined
      if (found === undefined) return opened.journal.takeRequests
      return Effect.map(Clock.currentTimeMillis, (at) => [
        { _tag: "Remembered" as const, at, ...found }
      ])
    }),
    verdict: (key) => asked(({ verdict }) => verdict(key)),
    keepVerdict: (key, verdict) => asked(({ keepVerdict }) => keepVerdict(key, verdict)),
    health: Effect.suspend(() =>
      isThrough && opened !== undefined
        ? opened.journal.health
        : Effect.succeed({
            down: error.message,
            waiting: results.length + commits.length,
            lost
          })
    ),
    flush: Effect.suspend(() =>
      isThrough && opened !== undefined ? opened.journal.flush : Effect.void
    )
  }

  return {
    journal,
    outbox: {
      pending: Effect.succeed([]),
      acknowledge: (keys) =>
        Effect.suspend(() => {
          if (isThrough && opened !== undefined) return opened.outbox.acknowledge(keys)
          for (const key of keys) keep(acknowledged, key)
          return Effect.void
        })
    },
    connect: (store, outbox, found) =>
      Effect.suspend(() => {
        opened = { journal: store, outbox }
        earlier = found
        return found === undefined ? writeAll(opened) : Effect.void
      }),
    left: () => (isThrough ? 0 : results.length + commits.length)
  }
}
