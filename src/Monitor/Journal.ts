/**
 * What happened: results, decisions, incidents, the state of the alert policy and the outbox, in
 * SQLite or PostgreSQL.
 *
 * What the policy decided is written in one transaction with its state and the alerts that it owes,
 * so that no crash leaves one without the other. A journal that is down stops nothing: what is to be
 * written is kept in memory and written when it is back.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Clock, Context, Duration, Effect, Layer, Option, Random, type Stream } from "effect"
import type { Alert } from "../Alert/Alert.js"
import type * as AlertPolicy from "../Alert/AlertPolicy.js"
import { Outbox } from "../Alert/Outbox.js"
import type { CheckResult } from "../Check/CheckResult.js"
import * as Changes from "./Journal/Changes.js"
import * as Earlier from "./Journal/Earlier.js"
import * as Entry from "./Journal/Entry.js"
import { type JournalError, unavailable } from "./Journal/JournalError.js"
import * as Lease from "./Journal/Lease.js"
import { type Holder, ofProcess } from "./Journal/Lease/Holder.js"
import * as Memory from "./Journal/memory.js"
import { open, openReading, reasonOf } from "./Journal/open.js"
import * as Read from "./Journal/read.js"
import * as Requests from "./Journal/Requests.js"
import * as ToChanges from "./Journal/ToChanges.js"
import { prune, write } from "./Journal/write.js"
import * as Writer from "./Journal/Writer.js"
import { codeOf } from "../Common/Errors.js"

export {
  type Commit,
  type Delivery,
  type Health,
  JournaledIncident,
  JournaledResult,
  type Query,
  type Request,
  type Requests,
  toEvent,
  type Unreadable
} from "./Journal/Entry.js"
export { JournalError } from "./Journal/JournalError.js"
export type { Holder } from "./Journal/Lease/Holder.js"

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
  /**
   * For a program that must be the only one on its journal, as two would both send. Where another
   * one lives this fails with `Held`, after 15 seconds in which that may end; the journal of one that is
   * dead is taken over. A text is the name of this process for people. Without it nobody looks.
   */
  readonly holder?: Holder | string
  /**
   * Looks whether the database is still the one that was opened, as the file of SQLite may be moved
   * away. It is run at each sign of life of the holder, and what it fails with comes as `lost`.
   */
  readonly intact?: Effect.Effect<void, JournalError>
  /**
   * Sets a connection that is the journal's alone, once its database was looked at: what is damaged or
   * newer is refused as it is. Without it nothing is set on the connection, which is the program's.
   */
  readonly prepare?: (sql: SqlClient) => Effect.Effect<void, SqlError>
}

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
    /**
     * The state of the alert policy, as it was written last. Until this run writes one it is what was
     * read when the journal was opened, and cannot fail.
     */
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
    /**
     * What other programs left and nobody has taken yet, oldest first. It is gone with the step that
     * takes it (`Commit.taken`), and not before.
     */
    readonly requests: Effect.Effect<Entry.Requests, JournalError>
    /** Puts requests that nobody can read where they are in nobody's way. */
    readonly setAside: (
      unreadable: ReadonlyArray<Entry.Unreadable>
    ) => Effect.Effect<void, JournalError>
    /** What became of these alerts, by key; nothing of those that nobody knows. */
    readonly deliveries: (
      alerts: ReadonlyArray<Pick<Alert, "channel" | "key">>
    ) => Effect.Effect<ReadonlyMap<string, Entry.Delivery>, JournalError>
    /**
     * Comes back when another program keeps the journal in the place of this one (`holder`), or when
     * its database is not the one that was opened (`intact`).
     */
    readonly lost: Effect.Effect<JournalError>
    readonly health: Effect.Effect<Entry.Health>
    /** Writes what waits, once. */
    readonly flush: Effect.Effect<void>
  }
>() {}

/**
 * A journal in the program's database. Its tables are made where they are missing; a database that
 * is damaged, or whose tables are newer, is refused as it is.
 *
 * Nothing is set on the program's connection, neither for good nor for a while: how it waits for locks,
 * when it syncs and in which mode its file is written stays as the program has it. Where its client is
 * that of @effect/sql-sqlite-node, give it a `prepareCacheTTL` of some seconds: the client keeps a
 * statement that could not be prepared, and its failure, for as long as that, which is ten minutes.
 */
export const layer = (
  options: Options = {}
): Layer.Layer<Journal | Outbox, JournalError, SqlClient> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const { holder, intact = Effect.void, prepare = () => Effect.void } = options
      const version = yield* options.reading === true ? openReading : open(prepare)
      // Before the writer, so that it is released after all is written.
      const lease =
        holder === undefined
          ? Lease.none
          : yield* Lease.acquire(
              sql,
              typeof holder === "string" ? yield* ofProcess(holder) : holder,
              intact
            )
      const reader = readerOf(sql, version, lease)
      if (options.reading === true) {
        const nobody = yield* Writer.make(storeOf(sql, 0, lease), writerOptions(options))
        return context(nobody, reader)
      }
      const earlier = yield* Earlier.read(sql, version, lease.check)
      const writer = yield* Writer.make(
        storeOf(sql, yield* numberOf(sql), lease),
        writerOptions(options)
      )
      yield* Effect.forkScoped(pruning(sql, options))
      return context(writer, reader, earlier)
    }).pipe(
      // What dies here must not keep the program from watching.
      Effect.catchAllDefect((defect) => unavailable(reasonOf(defect), defect))
    )
  )

/**
 * The number of this run. It is greater than any before, whatever the clock was set to meanwhile, as
 * the order of arrival is what everything is told in. Two programs that start in the same
 * millisecond would write the same rows.
 */
const numberOf = (sql: SqlClient): Effect.Effect<number, JournalError> =>
  Effect.gen(function* () {
    const now = (yield* Clock.currentTimeMillis) + (yield* Random.nextIntBetween(0, 1000)) / 1000
    const latest = yield* Read.latestRun(sql)
    return now > latest ? now : latest + 1
  })

const readerOf = (sql: SqlClient, version: number, { lost, turn }: Lease.Lease): Reader => ({
  state: Read.state(sql),
  pending: Read.pending(sql, version),
  results: (query) => Read.results(sql, query),
  decisions: (query) => Read.decisions(sql, query),
  incidents: (query) => Read.incidents(sql, query),
  history: (since) => Read.history(sql, since),
  deliveries: (alerts) => (version < 2 ? nothing : Read.deliveries(sql, alerts)),
  lost,
  turn,
  ...Requests.make(sql)
})

/** A journal in memory, of bounded size, for programs that keep nothing over a restart. */
export const layerMemory: Layer.Layer<Journal | Outbox> = Layer.scopedContext(
  Effect.gen(function* () {
    const memory = Memory.make()
    const writer = yield* Writer.make({ write: memory.write }, writerOptions({ gather: 0 }))
    return context(writer, { ...memory, lost: Effect.never, turn: Effect.void })
  })
)

const writerOptions = ({ gather = "250 millis" }: Options): Writer.Options => ({
  gather,
  patience: "2 seconds"
})

/** The reading side, and what goes past the writer. */
type Reader = Omit<Journal["Type"], "record" | "commit" | "health" | "flush"> & {
  readonly pending: Effect.Effect<ReadonlyArray<Alert>, JournalError>
  readonly turn: Effect.Effect<void>
}

const context = (
  writer: Writer.Writer,
  reader: Reader,
  earlier?: Earlier.Earlier
): Context.Context<Journal | Outbox> => {
  let seq = 0
  const numbered = <A>(value: A): Changes.Numbered<A> => ({ seq: ++seq, value })
  const { pending, turn, ...rest } = reader
  // What an earlier run left was read once. It is true until this run changes it.
  let state = earlier?.state
  let owed = earlier?.pending
  const changing = <A>(write: Effect.Effect<A>): Effect.Effect<A> =>
    Effect.suspend(() => {
      owed = undefined
      return write
    })
  return Context.make(Journal, {
    ...rest,
    state: Effect.suspend(() => (state === undefined ? rest.state : Effect.succeed(state))),
    record: (result) =>
      Effect.suspend(() =>
        writer.add({ ...Changes.none, results: [numbered(Entry.fromResult(result))] })
      ),
    commit: (commit) =>
      Effect.suspend(() => {
        state = undefined
        return changing(writer.commit(ToChanges.ofCommit(commit, numbered)))
      }),
    health: writer.health,
    flush: writer.flush
  }).pipe(
    Context.add(Outbox, {
      pending: Effect.suspend(() =>
        owed === undefined
          ? Effect.catchAll(pending, (error) =>
              Effect.as(
                Effect.logError(`Alerts of an earlier run are not sent: ${error.message}`),
                []
              )
            )
          : Effect.succeed(owed)
      ),
      attempting: (keys, delivery) => {
        const attempts = new Map(keys.map((key) => [key, delivery ?? null]))
        const changes = { ...Changes.none, attempts }
        return delivery === undefined ? writer.add(changes) : writer.commit(changes)
      },
      turn,
      acknowledge: (keys, at) =>
        // What is not written when Holter is killed is sent a second time.
        keys.length === 0
          ? Effect.void
          : changing(writer.hasten(ToChanges.left(keys, "delivered", at))),
      discard: (keys, outcome, at) =>
        keys.length === 0
          ? Effect.void
          : changing(writer.hasten(ToChanges.left(keys, outcome, at))),
      note: (channel, trouble) =>
        writer.add({ ...Changes.none, troubles: new Map([[channel, trouble]]) })
    })
  )
}

const nothing = Effect.succeed(new Map<string, Entry.Delivery>())

/** A store that does not answer for so long is down. */
const longestWrite = Duration.seconds(10)

const storeOf = (sql: SqlClient, run: number, { fence }: Lease.Lease): Writer.Store => ({
  write: (changes) =>
    write(sql, run, changes, fence).pipe(
      Effect.mapError((error) =>
        error._tag === "JournalError"
          ? { why: `now it is that of ${error.found}`, busy: false }
          : { why: reasonOf(error), busy: codeOf(error)?.startsWith("SQLITE_BUSY") === true }
      ),
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
