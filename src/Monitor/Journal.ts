/**
 * What happened: results, decisions, incidents, the state of the alert policy and the outbox, in
 * SQLite or PostgreSQL.
 *
 * What the policy decided is written in one transaction with its state and the alerts that it owes,
 * so that no crash leaves one without the other. A journal that is down stops nothing: what is to be
 * written is kept in memory and written when it is back.
 *
 * @since 0.1.0
 */
import { SqlClient } from "@effect/sql/SqlClient"
import {
  Clock,
  Context,
  Duration,
  Effect,
  Layer,
  Option,
  Random,
  Schema,
  type Stream
} from "effect"
import type { Alert } from "../Alert/Alert.js"
import * as AlertPolicy from "../Alert/AlertPolicy.js"
import { Outbox } from "../Alert/Outbox.js"
import type { CheckResult } from "../Check/CheckResult.js"
import * as Changes from "./Journal/Changes.js"
import * as Entry from "./Journal/Entry.js"
import { type JournalError, unreadable } from "./Journal/JournalError.js"
import * as Memory from "./Journal/memory.js"
import { codeOf, fromSqlError, open, openReading, reasonOf } from "./Journal/open.js"
import * as Read from "./Journal/read.js"
import { prune, write } from "./Journal/write.js"
import * as Writer from "./Journal/Writer.js"

export {
  type Commit,
  type Health,
  JournaledIncident,
  JournaledResult,
  type Query,
  toEvent
} from "./Journal/Entry.js"
export { JournalError } from "./Journal/JournalError.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How long results, decisions and ended incidents are kept. 30 days by default. */
  readonly retain?: Duration.DurationInput
  /** How long results wait to be written together. A quarter of a second by default. */
  readonly gather?: Duration.DurationInput
  /**
   * For a program that looks at the journal of another: no tables are made, nothing is pruned, and
   * where nothing was recorded yet this fails with `Missing`. Requests can be left all the same.
   */
  readonly reading?: boolean
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Journal extends Context.Tag("holter/Monitor/Journal")<
  Journal,
  {
    /** Keeps a result. It never waits. */
    readonly record: (result: CheckResult) => Effect.Effect<void>
    /**
     * Writes one step of the alert policy. It comes back when that is written, or when it is known
     * that the journal is down; alerts may be sent then.
     */
    readonly commit: (commit: Entry.Commit) => Effect.Effect<void>
    /** The state of the alert policy, as it was written last. */
    readonly state: Effect.Effect<Option.Option<AlertPolicy.State>, JournalError>
    readonly results: (
      query: Entry.Query
    ) => Effect.Effect<ReadonlyArray<Entry.JournaledResult>, JournalError>
    readonly decisions: (
      query: Entry.Query
    ) => Effect.Effect<ReadonlyArray<AlertPolicy.Decision>, JournalError>
    readonly incidents: (
      query: Entry.Query
    ) => Effect.Effect<ReadonlyArray<Entry.JournaledIncident>, JournalError>
    /** All events since then, as they came, for the policy to be folded over again. */
    readonly history: (since: number) => Stream.Stream<AlertPolicy.Event.Event, JournalError>
    /** Leaves an event for the program that watches: a silence, an acknowledgement. */
    readonly request: (event: AlertPolicy.Event.Event) => Effect.Effect<void, JournalError>
    /** What other programs left and nobody has taken yet. */
    readonly requests: Effect.Effect<ReadonlyArray<AlertPolicy.Event.Event>, JournalError>
    /** What other programs left, which is then gone. */
    readonly takeRequests: Effect.Effect<ReadonlyArray<AlertPolicy.Event.Event>, JournalError>
    /** The last verdict that was kept under this key. */
    readonly verdict: (key: string) => Effect.Effect<Option.Option<string>, JournalError>
    readonly keepVerdict: (key: string, verdict: string) => Effect.Effect<void, JournalError>
    readonly health: Effect.Effect<Entry.Health>
    /** Writes what waits, once. */
    readonly flush: Effect.Effect<void>
  }
>() {}

/**
 * A journal in the program's database. Its tables are made where they are missing; a database that
 * is damaged, or whose tables are newer, is refused as it is.
 *
 * A SQLite client for it is made with `disableWAL: true`: the journal turns WAL on itself, after it
 * has looked at the file. Give it a `prepareCacheTTL` of some seconds too: the client keeps a
 * statement that could not be prepared, and its failure, for as long as that, which is ten minutes.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<Journal | Outbox, JournalError, SqlClient> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const sql = yield* SqlClient
      yield* options.reading === true ? openReading : open
      // Two programs that start in the same millisecond would write the same rows.
      const run = (yield* Clock.currentTimeMillis) + (yield* Random.nextIntBetween(0, 1000)) / 1000
      const writer = yield* Writer.make(storeOf(sql, run), writerOptions(options))
      if (options.reading !== true) yield* Effect.forkScoped(pruning(sql, options))
      return context(writer, {
        state: Read.state(sql),
        pending: Read.pending(sql),
        results: (query) => Read.results(sql, query),
        decisions: (query) => Read.decisions(sql, query),
        incidents: (query) => Read.incidents(sql, query),
        history: (since) => Read.history(sql, since),
        ...requests(sql),
        ...verdicts(sql)
      })
    })
  )

/**
 * A journal in memory, of bounded size, for programs that keep nothing over a restart.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<Journal | Outbox> = Layer.scopedContext(
  Effect.gen(function* () {
    const memory = Memory.make()
    const writer = yield* Writer.make({ write: memory.write }, writerOptions({ gather: 0 }))
    return context(writer, memory)
  })
)

const writerOptions = ({ gather = "250 millis" }: Options): Writer.Options => ({
  gather,
  patience: "2 seconds"
})

/** The reading side, and what goes past the writer. */
type Reader = Omit<Journal["Type"], "record" | "commit" | "health" | "flush"> & {
  readonly pending: Effect.Effect<ReadonlyArray<Alert>, JournalError>
}

const context = (writer: Writer.Writer, reader: Reader): Context.Context<Journal | Outbox> => {
  let seq = 0
  const numbered = <A>(value: A): Changes.Numbered<A> => ({ seq: ++seq, value })
  const { pending, ...rest } = reader
  return Context.make(Journal, {
    ...rest,
    record: (result) =>
      Effect.suspend(() =>
        writer.add({ ...Changes.none, results: [numbered(Entry.fromResult(result))] })
      ),
    commit: (commit) => Effect.suspend(() => writer.commit(changesOf(commit, numbered))),
    health: writer.health,
    flush: writer.flush
  }).pipe(
    Context.add(Outbox, {
      pending: Effect.catchAll(pending, (error) =>
        Effect.as(Effect.logError(`Alerts of an earlier run are not sent: ${error.message}`), [])
      ),
      acknowledge: (keys) =>
        keys.length === 0
          ? Effect.void
          : // What is not written when Holter is killed is sent a second time.
            writer.hasten({ ...Changes.none, outbox: new Map(keys.map((key) => [key, undefined])) })
    })
  )
}

const changesOf = (
  { after, before, decisions, event, removed = [] }: Entry.Commit,
  numbered: <A>(value: A) => Changes.Numbered<A>
): Changes.Changes => {
  // Results are recorded as such, and the time is no news.
  const isPlain = event._tag === "Result" || event._tag === "Time"
  const news = decisions.filter((decision) => !Entry.isRoutine(decision))
  return {
    results: [],
    events: isPlain ? [] : [numbered(event)],
    decisions: news.map(numbered),
    incidents: new Map([
      // What was open in an earlier run may be over at once.
      ...(event._tag === "Remembered" ? Changes.incidentsOf(event.state, after, event.at) : []),
      ...Changes.incidentsOf(before, after, event.at)
    ]),
    state: after,
    outbox: new Map([
      ...removed.map((key) => [key, undefined] as const),
      ...decisions.flatMap(({ alerts }) =>
        alerts.map((alert) => [alert.key, numbered(alert)] as const)
      )
    ])
  }
}

/** A store that does not answer for so long is down. */
const longestWrite = Duration.seconds(10)

const storeOf = (sql: SqlClient, run: number): Writer.Store => ({
  write: (changes) =>
    write(sql, run, changes).pipe(
      Effect.mapError((error) => ({
        why: reasonOf(error),
        busy: codeOf(error).startsWith("SQLITE_BUSY")
      })),
      Effect.disconnect,
      Effect.timeoutFail({
        duration: longestWrite,
        onTimeout: () => ({
          why: `no answer within ${Duration.format(longestWrite)}`,
          busy: false
        })
      }),
      Effect.catchAllDefect((defect) => Effect.fail({ why: reasonOf(defect), busy: false }))
    )
})

const pruning = (sql: SqlClient, { retain = "30 days" }: Options) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    yield* prune(sql, now - Duration.toMillis(retain))
  }).pipe(
    Effect.catchAllCause((cause) => Effect.logWarning("The journal could not be pruned", cause)),
    Effect.delay("1 minute"),
    Effect.zipRight(Effect.sleep("1 hour")),
    Effect.forever
  )

const decodeRequest = Schema.decodeUnknown(
  Schema.Struct({ event: Schema.parseJson(AlertPolicy.Event.Event) })
)
const encodeRequest = Schema.encodeSync(Schema.parseJson(AlertPolicy.Event.Event))

const requests = (sql: SqlClient): Pick<Reader, "request" | "requests" | "takeRequests"> => {
  const waiting = Effect.gen(function* () {
    const rows = yield* sql<{ readonly id: string }>`SELECT id, event
      FROM holter_requests ORDER BY at, id`
    return yield* Effect.forEach(rows, (row) =>
      Effect.mapBoth(decodeRequest(row), {
        onFailure: (cause) => unreadable("requests", cause),
        onSuccess: ({ event }) => ({ id: row.id, event })
      })
    )
  })
  return {
    request: (event) =>
      Effect.gen(function* () {
        const id = `${event.at}-${yield* Random.nextIntBetween(0, 2 ** 31)}`
        const row = { id, at: event.at, event: encodeRequest(event) }
        yield* Effect.mapError(sql`INSERT INTO holter_requests ${sql.insert(row)}`, fromSqlError)
      }),
    requests: waiting.pipe(
      Effect.map((all) => all.map(({ event }) => event)),
      Effect.catchTag("SqlError", (error) => Effect.fail(fromSqlError(error)))
    ),
    takeRequests: Effect.gen(function* () {
      const taken = yield* waiting
      const ids = taken.map(({ id }) => id)
      if (ids.length > 0) yield* sql`DELETE FROM holter_requests WHERE ${sql.in("id", ids)}`
      return taken.map(({ event }) => event)
    }).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(fromSqlError(error))))
  }
}

const verdicts = (sql: SqlClient): Pick<Reader, "verdict" | "keepVerdict"> => ({
  verdict: (key) =>
    sql<{ readonly verdict: string }>`SELECT verdict FROM holter_verdicts WHERE key = ${key}`.pipe(
      Effect.mapBoth({
        onFailure: fromSqlError,
        onSuccess: ([row]) => Option.fromNullable(row?.verdict)
      })
    ),
  keepVerdict: (key, verdict) =>
    sql`INSERT INTO holter_verdicts ${sql.insert({ key, verdict })}
      ON CONFLICT (key) DO UPDATE SET verdict = excluded.verdict`.pipe(
      Effect.mapError(fromSqlError),
      Effect.asVoid
    )
})
