/** A whole copy of a database in use, taken from one moment, in a file that nobody else writes to. */
import type { Database } from "better-sqlite3"
import * as fs from "node:fs"
import * as path from "node:path"
import type { DumpRequest } from "../Protocol.js"
import { attempt, bracket, bracketAsync, orElse } from "../../../../Common/bracket.js"
import { isWal, number, open, withDatabase } from "./Database.js"
import { beyondSqlite, fail, isBusy } from "./Fault.js"
import { companions, firstBytes, setRollbackMode, writeAll } from "./files.js"
import * as Header from "./Header.js"
import { refuseOther } from "./Inspect.js"
import { pause } from "./pause.js"
import type { OnProgress } from "./Thread.js"

/** @internal */
export interface Copied {
  readonly strategy: "vacuum-into" | "frozen-copy" | "page-copy"
  /** Of the database; the copy itself is in rollback mode. */
  readonly journalMode: "wal" | "rollback"
  readonly warnings: ReadonlyArray<string>
}

/** @internal */
export interface CopyInput extends Pick<DumpRequest, "database" | "busyTimeout" | "copy" | "held"> {
  /** An empty file. */
  readonly target: string
}

interface Options extends CopyInput {
  readonly onProgress: OnProgress
}

/** @internal */
export const copy = async (input: CopyInput, onProgress: OnProgress): Promise<Copied> => {
  refuseOther(input.database)
  // Before there is any connection in this process, see `frozenCopy`.
  const isInWalMode = Header.isWalMode(firstBytes(input.database))
  const made = await copied({ ...input, onProgress }, isInWalMode)
  return { ...made, journalMode: isInWalMode ? "wal" : "rollback" }
}

type Made = Omit<Copied, "journalMode">

const copied = async (options: Options, isInWalMode: boolean): Promise<Made> => {
  if (isInWalMode && isClosed(options.database) && !isWritable(path.dirname(options.database))) {
    return restingCopy(options)
  }
  // Who holds the write lock in rollback mode keeps readers out too.
  if (options.held && !isInWalMode) return quietCopy(options)
  const vacuumed = (warnings: ReadonlyArray<string>): Promise<Made> => vacuumInto(options, warnings)
  const frozen = (): Made | undefined =>
    frozenCopy(options) ? { strategy: "frozen-copy", warnings: [] } : undefined
  switch (options.copy) {
    case "vacuum":
      return vacuumed([])
    case "auto":
      return (isInWal(options) ? frozen() : undefined) ?? vacuumed([])
    case "frozen":
      return frozen() ?? vacuumed([pinned])
  }
}

const pinned =
  "a long transaction kept the WAL from being written back, or the write lock from being had, so the copy was made by VACUUM INTO"

const isInWal = ({ busyTimeout, database }: Options): boolean =>
  withDatabase(() => open(database, busyTimeout), isWal)

/** `VACUUM INTO` runs the schema; where that cannot be done here, the pages are copied as they are. */
const vacuumInto = async (options: Options, warnings: ReadonlyArray<string>): Promise<Made> => {
  const { busyTimeout, database, target } = options
  const trouble = withDatabase(
    () => open(database, busyTimeout),
    (source) =>
      orElse(
        () => {
          source.prepare("VACUUM INTO ?").run(target)
          return undefined
        },
        beyondSqlite,
        (error) => error.message
      )
  )
  if (trouble === undefined) return { strategy: "vacuum-into", warnings }
  await pageCopy(options)
  return {
    strategy: "page-copy",
    warnings: [...warnings, `copied page by page, since VACUUM INTO could not: ${trouble}`]
  }
}

/**
 * By SQLite's backup API in a single step: one read transaction, as `VACUUM INTO` is. In many steps it
 * would start over whenever somebody commits.
 */
const pageCopy = ({ busyTimeout, database, onProgress, target }: Options): Promise<void> => {
  for (const file of companions(target)) fs.rmSync(file, { force: true })
  fs.truncateSync(target, 0)
  return bracketAsync(
    () => open(database, busyTimeout),
    async (source) => {
      const bytes = number(source, "page_count") * number(source, "page_size")
      const copied = await source.backup(target, { progress: () => allPages })
      if (copied.totalPages === 0) busy(database)
      onProgress({ stage: "dump", bytes, total: bytes })
    },
    (source) => {
      source.close()
    }
  ).then(() => {
    setRollbackMode(target)
  })
}

const allPages = 2 ** 31 - 1

const busy = (subject: string): never =>
  fail({
    reason: "Busy",
    subject,
    expected: "its locks to be free within the wait",
    found: "them held",
    advice: "Try again when no long transaction runs on it"
  })

/** Of a file that no program writes to, such as where another child has it to itself, and waits for this one. */
const quietCopy = (options: Options): Made => {
  const bytes = fs.statSync(options.database).size
  if (bytes === 0) emptyDatabase(options.target)
  else {
    bracket(
      () => fs.openSync(options.database, "r"),
      (file) => {
        copyBytes(file, bytes, options)
      },
      fs.closeSync
    )
  }
  return { strategy: "frozen-copy", warnings: [] }
}

/** A program that works in WAL mode has a `-wal`, which the last one that closes it deletes. */
const isClosed = (database: string): boolean =>
  (fs.statSync(`${database}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0

const isWritable = (directory: string): boolean =>
  attempt(() => {
    fs.accessSync(directory, fs.constants.W_OK)
    return true
  }) === true

/**
 * Of a database in WAL mode that no program has open, where SQLite cannot make the `-shm` that it wants
 * for reading it. Somebody may write to it over another mount meanwhile: that shows.
 */
const restingCopy = (options: Options): Made => {
  const before = fs.statSync(options.database, { bigint: true })
  const made = quietCopy(options)
  const after = fs.statSync(options.database, { bigint: true })
  const isSame = before.mtimeNs === after.mtimeNs && before.ino === after.ino
  return isSame && isClosed(options.database) ? made : changed(options.database)
}

/** An empty file is a database without tables; a backup has to have a header. */
const emptyDatabase = (target: string): void =>
  withDatabase(
    () => open(target, 0),
    (database) => {
      database.pragma("user_version = 0")
    }
  )

/**
 * The descriptor is opened before the connections and closed after them: closing any descriptor of
 * a file drops the POSIX locks that this process has on it.
 */
const frozenCopy = (options: Options): boolean => {
  const connect = () => open(options.database, options.busyTimeout)
  return bracket(
    () => fs.openSync(options.database, "r"),
    (file) =>
      withDatabase(connect, (writer) =>
        withDatabase(connect, (reader) => {
          if (!isSame(file, options.database)) return changed(options.database)
          if (isWal(reader)) {
            if (!(options.held ? pinHeld(reader) : pin(writer, reader))) return false
          } else beginRead(reader)
          const bytes = number(reader, "page_count") * number(reader, "page_size")
          copyBytes(file, bytes, options)
          reader.exec("COMMIT")
          return true
        })
      ),
    fs.closeSync
  )
}

/** Whether it is still the file of that name. @internal */
export const isSame = (file: number, path: string): boolean => {
  const [one, other] = [fs.fstatSync(file), fs.statSync(path)]
  return one.ino === other.ino && one.dev === other.dev
}

const changed = (subject: string): never =>
  fail({
    reason: "Busy",
    subject,
    expected: "a file that stays as it is, in its place",
    found: "one that was changed or replaced meanwhile",
    advice: "Try again"
  })

/**
 * Starts a read that all of it is in the main file for, so that no checkpoint can write there. Most of
 * the WAL is written back before the lock is taken, so that it is held for a moment only.
 */
const pin = (writer: Database, reader: Database): boolean => {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    writtenBack(reader)
    if (!hasWriteLock(writer)) return false
    const isPinned = bracket(
      () => writer,
      () => {
        if (!writtenBack(reader)) return false
        beginRead(reader)
        return true
      },
      () => writer.exec("ROLLBACK")
    )
    if (isPinned) return true
    pause(attempt * 10)
  }
  return false
}

/** Nobody commits, so there is nothing to keep them from. */
const pinHeld = (reader: Database): boolean => {
  if (!writtenBack(reader)) return false
  beginRead(reader)
  return true
}

/** Somebody who writes for long does not keep others from reading: there is another way to copy. */
const hasWriteLock = (writer: Database): boolean =>
  orElse(
    () => {
      writer.exec("BEGIN IMMEDIATE")
      return true
    },
    isBusy,
    () => false
  )

const attempts = 8

const writtenBack = (database: Database): boolean => {
  const [state] = database.pragma("wal_checkpoint(PASSIVE)") as ReadonlyArray<{
    readonly busy: number
    readonly log: number
    readonly checkpointed: number
  }>
  return state !== undefined && state.busy === 0 && state.log === state.checkpointed
}

const beginRead = (database: Database): void => {
  database.exec("BEGIN")
  database.prepare("SELECT count(*) FROM sqlite_schema").get()
}

/** @internal */
export const copyBytes = (
  source: number,
  bytes: number,
  { database, onProgress, target }: Pick<Options, "database" | "onProgress" | "target">
): void =>
  bracket(
    () => fs.openSync(target, "r+"),
    (file) => {
      const buffer = Buffer.allocUnsafe(Math.min(chunk, Math.max(bytes, 1)))
      for (let at = 0; at < bytes; ) {
        const read = fs.readSync(source, buffer, 0, Math.min(chunk, bytes - at), at)
        if (read === 0) {
          fail({
            reason: "Damaged",
            subject: database,
            expected: `${bytes} bytes, by its header`,
            found: `${at}`
          })
        }
        // Without its WAL the copy is a database that needs none.
        if (at === 0) Header.setRollbackMode(buffer)
        writeAll(file, buffer.subarray(0, read))
        at += read
        onProgress({ stage: "dump", bytes: at, total: bytes })
      }
    },
    fs.closeSync
  )

const chunk = 1 << 20
