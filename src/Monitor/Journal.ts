/**
 * What happened: results, decisions, incidents, the state of the alert policy and the outbox, in
 * SQLite or PostgreSQL.
 *
 * What the policy decided is written in one transaction with its state and the alerts that it owes,
 * so that no crash leaves one without the other. A journal that is down stops nothing: what is to be
 * written is kept in memory and written when it is back.
 */
import { SqlClient, TransactionConnection } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Clock, Context, Duration, Effect, Layer, Option, Random, type Scope } from "effect"
import { Outbox } from "../Alert/Outbox.js"
import * as BufferedJournal from "./Journal/BufferedJournal.js"
import type { Writing } from "./Journal/BufferedJournal.js"
import * as Earlier from "./Journal/Earlier.js"
import type * as Entry from "./Journal/Entry.js"
import { inTransaction, type JournalError, unavailable } from "./Journal/JournalError.js"
import * as Lease from "./Journal/Lease.js"
import { type Holder, ofProcess } from "./Journal/Lease/Holder.js"
import * as Memory from "./Journal/memory.js"
import { open, openReading, reasonOf } from "./Journal/open.js"
import * as Read from "./Journal/read.js"
import * as Requests from "./Journal/Requests.js"
import type { Reading, Store } from "./Journal/Store.js"
import { prune, write } from "./Journal/write.js"
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
  readonly retain?: Duration.DurationInput | undefined
  /** How long results wait to be written together. A quarter of a second by default. */
  readonly gather?: Duration.DurationInput | undefined
  /**
   * For a program that looks at the journal of another: no tables are made, nothing is pruned, and
   * where nothing was recorded yet this fails with `Missing`. Requests can be left all the same.
   */
  readonly reading?: boolean | undefined
  /**
   * For a program that must be the only one on its journal, as two would both send. Where another
   * one lives this fails with `Held`, after 15 seconds in which that may end; the journal of one that is
   * dead is taken over. A text is the name of this process for people. Without it nobody looks.
   */
  readonly holder?: Holder | string | undefined
  /**
   * Looks whether the database is still the one that was opened, as the file of SQLite may be moved
   * away. It is run at each sign of life of the holder, and what it fails with comes as `lost`.
   */
  readonly intact?: Effect.Effect<void, JournalError> | undefined
  /**
   * Sets a connection that is the journal's alone, once its database was looked at: what is damaged or
   * newer is refused as it is. Without it nothing is set on the connection, which is the program's.
   */
  readonly prepare?: ((sql: SqlClient) => Effect.Effect<void, SqlError>) | undefined
}

export class Journal extends Context.Tag("holter/Monitor/Journal")<
  Journal,
  Reading &
    Writing & {
      /**
       * Comes back when another program keeps the journal in the place of this one (`holder`), or when
       * its database is not the one that was opened (`intact`).
       */
      readonly lost: Effect.Effect<JournalError>
      /**
       * Past the buffer, for `PatientJournal`, which has one that outlives this journal.
       *
       * @internal
       */
      readonly store?: Store
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
      if (Option.isSome(yield* Effect.serviceOption(TransactionConnection))) {
        return yield* inTransaction
      }
      // Columns are named by the journal, whatever the program makes of those of its own.
      const sql = (yield* SqlClient).withoutTransforms()
      const { holder, intact = Effect.void, prepare } = options
      const version = yield* options.reading === true
        ? openReading(sql, prepare)
        : open(sql, prepare)
      // Before the buffer, so that it is released after all is written.
      const lease =
        holder === undefined
          ? Lease.none
          : yield* Lease.acquire(
              sql,
              typeof holder === "string" ? yield* ofProcess(holder) : holder,
              intact
            )
      const isReading = options.reading === true
      const earlier = isReading ? undefined : yield* Earlier.read(sql, version, lease.check)
      const run = isReading ? 0 : yield* numberOf(sql)
      const store = storeOf(sql, { ...options, version, run, lease })
      const context = yield* buffered({ store, earlier }, lease)
      if (!isReading) yield* Effect.forkScoped(pruning(sql, options))
      return context
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

/** A journal in memory, of bounded size, for programs that keep nothing over a restart. */
export const layerMemory: Layer.Layer<Journal | Outbox> = Layer.scopedContext(
  Effect.suspend(() => buffered({ store: Memory.make(), earlier: undefined }, Lease.none))
)

/** A store that is there, with the buffer before it. */
const buffered = (
  connection: BufferedJournal.Connection,
  { lost, turn }: Pick<Lease.Lease, "lost" | "turn">
): Effect.Effect<Context.Context<Journal | Outbox>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { begin, journal, outbox } = yield* BufferedJournal.make
    yield* begin(connection)
    return Context.make(Journal, { ...journal, lost, store: connection.store }).pipe(
      Context.add(Outbox, { ...outbox, turn })
    )
  })

const nothing = Effect.succeed(new Map<string, Entry.Delivery>())

/** A store that does not answer for so long is down. */
const longestWrite = Duration.seconds(10)

interface StoreOptions extends Options {
  readonly version: number
  readonly run: number
  readonly lease: Lease.Lease
}

const storeOf = (sql: SqlClient, { gather, lease, run, version }: StoreOptions): Store => ({
  gather: gather ?? "250 millis",
  write: (changes) =>
    write(sql, run, changes, lease.fence).pipe(
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
    ),
  state: Read.state(sql),
  pending: Read.pending(sql, version),
  results: (query) => Read.results(sql, query),
  decisions: (query) => Read.decisions(sql, query),
  incidents: (query) => Read.incidents(sql, query),
  history: (since) => Read.history(sql, since),
  deliveries: (alerts) => (version < 2 ? nothing : Read.deliveries(sql, alerts)),
  ...Requests.make(sql)
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
