/**
 * A backup's content into a database in use, through SQLite's own backup API: one transaction, so that
 * other connections see the old content or the new one, and a crash leaves the old one.
 *
 * better-sqlite3 opens the destination itself, without a wait for locks, and takes a destination that
 * is locked for a finished backup of no pages: that is told apart here, and tried again. Only the
 * first step can find it locked, since from then on the backup holds the lock.
 */
import type { BackupMetadata, Database } from "better-sqlite3"
import * as fs from "node:fs"
import { performance } from "node:perf_hooks"
import { bracketAsync, orElse } from "../../../../Common/bracket.js"
import { isWal, number, open, openCopy, type Tables, tablesOf, withDatabase } from "./Database.js"
import { type Gate, locked, wait } from "./LockGate.js"
import { beyondSqlite, fail } from "./Fault.js"
import * as Kept from "./Kept.js"
import { pause } from "./pause.js"
import type { OnProgress } from "./Thread.js"

/** @internal */
export interface ResizeInput {
  readonly source: string
  /** An empty file. */
  readonly target: string
  readonly pageSize: number
}

/**
 * The same content in pages of another size: a database in WAL mode keeps its own. `VACUUM INTO` keeps
 * the row ids of tables without a key, which `VACUUM` does not. Gives what kept SQLite from it.
 *
 * @internal
 */
export const resize = ({ pageSize, source, target }: ResizeInput): string | undefined =>
  withDatabase(
    () => openCopy(source),
    (database) =>
      orElse(
        () => {
          database.pragma(`page_size = ${pageSize}`)
          database.prepare("VACUUM INTO ?").run(target)
          return undefined
        },
        beyondSqlite,
        (error) => error.message
      )
  )

/** @internal */
export interface WriteInput {
  readonly source: string
  readonly database: string
  readonly busyTimeout: number
  /** What is waited for with the write lock in hand, before anything is changed. */
  readonly gate: Gate | undefined
  /** Holter's journal of the present stays: in WAL mode it is read there, else from a copy in this file. */
  readonly keep: { readonly copy: string | undefined } | undefined
}

/** @internal */
export interface Written {
  /** What the database holds afterwards, with what others have written since. */
  readonly tables: ReadonlyArray<Tables> | undefined
  /** The tables of the present that it holds still. */
  readonly kept: ReadonlyArray<Tables>
  /** What went wrong when it was done already. */
  readonly doubts: ReadonlyArray<string>
}

type Settled = Omit<Written, "kept">

/** @internal */
export const write = (input: WriteInput, onProgress: OnProgress): Promise<Written> =>
  withDescriptor(input, (descriptor) =>
    bracketAsync(
      () => openCopy(input.source),
      async (source) => {
        const kept = await transfer(source, input, descriptor, onProgress)
        const { doubts, tables } = settle(input)
        return { tables, kept: kept.tables, doubts: [...kept.doubts, ...doubts] }
      },
      (source) => {
        source.close()
      }
    )
  )

/** Closed after all connections, as closing it drops the locks that this process has on the file. */
const withDescriptor = <A>(
  { database, keep }: WriteInput,
  use: (descriptor: number | undefined) => Promise<A>
): Promise<A> =>
  keep?.copy === undefined
    ? use(undefined)
    : bracketAsync(() => fs.openSync(database, "r"), use, fs.closeSync)

const transfer = async (
  source: Database,
  { busyTimeout, database, gate, keep, source: into }: WriteInput,
  descriptor: number | undefined,
  onProgress: OnProgress
): Promise<Kept.Kept> => {
  const pageSize = number(source, "page_size")
  const deadline = performance.now() + busyTimeout
  const closed =
    keep?.copy === undefined || descriptor === undefined
      ? undefined
      : { descriptor, copy: keep.copy }
  let kept: Kept.Kept | undefined
  const progress = ({ remainingPages, totalPages }: BackupMetadata): number => {
    // The first call comes with the lock, and before the first page: what is read is what is written now.
    if (kept === undefined) {
      kept = keep === undefined ? nothingKept : Kept.keep({ into, database, busyTimeout, closed })
      if (gate !== undefined) {
        onProgress({ stage: locked, bytes: 0, total: undefined })
        wait(gate)
      }
    }
    const bytes = (totalPages - remainingPages) * pageSize
    onProgress({ stage: "restore", bytes, total: totalPages * pageSize })
    return pagesAtOnce
  }
  for (;;) {
    const { totalPages } = await source.backup(database, { progress })
    if (totalPages > 0) return kept ?? nothingKept
    if (performance.now() > deadline) return refused(database, busyTimeout)
    pause(retryMillis)
  }
}

const nothingKept: Kept.Kept = { tables: [], doubts: [] }

/**
 * Brings it to the disk, out of the WAL where others let it; gives back the room of the WAL. The restore
 * is done by then, so whatever fails here is only told.
 */
const settle = ({ busyTimeout, database }: WriteInput): Settled =>
  orElse(
    () =>
      withDatabase(
        () => open(database, busyTimeout),
        (live) => {
          const doubt = orElse(
            () => writeBack(live, busyTimeout),
            () => true,
            ({ message }) => `its WAL was not written back: ${message}`
          )
          const doubts = doubt === undefined ? [] : [doubt]
          return orElse<Settled>(
            () => ({ tables: tablesOf(live), doubts }),
            () => true,
            (error) => ({ tables: undefined, doubts: [...doubts, uncounted(error)] })
          )
        }
      ),
    () => true,
    (error) => ({ tables: undefined, doubts: [uncounted(error)] })
  )

const uncounted = ({ message }: Error): string =>
  `what the database holds now could not be counted: ${message}`

const writeBack = (live: Database, busyTimeout: number): undefined => {
  if (!isWal(live)) return undefined
  live.pragma("wal_checkpoint(PASSIVE)")
  live.pragma("busy_timeout = 0")
  live.pragma("wal_checkpoint(TRUNCATE)")
  live.pragma(`busy_timeout = ${busyTimeout}`)
  return undefined
}

const refused = (subject: string, busyTimeout: number): never =>
  fail({
    reason: "Busy",
    subject,
    expected: "its locks to be free",
    found: `them held for ${Math.round(busyTimeout / 1000)} seconds`,
    advice: "End the programs that hold it open, or their long transactions, and try again"
  })

const retryMillis = 10
const pagesAtOnce = 2000
