/**
 * Puts a backup in the place of the present: into the database itself where one can be read, or in
 * its place where there is none.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as JournalTables from "../../../../Common/JournalTables.js"
import type { Restored, RestoreRequest } from "../Protocol.js"
import { outcome } from "../../../../Common/bracket.js"
import type { Tables } from "./Database.js"
import type { LockGate } from "./LockGate.js"
import { about, fail, Fault, isUnsaveable } from "./Fault.js"
import { createPrivate, setWalMode, sync, withCompanions, withTemporary } from "./files.js"
import type { Present } from "./Inspect.js"
import { install } from "./Install.js"
import type { jobs } from "./jobs.js"
import * as Rights from "./Rights.js"
import { freeOf } from "./Space.js"
import type { Ask, OnProgress } from "./Thread.js"
import { differenceOf, type Unpacked, unpack } from "./Unpack.js"
import * as Format from "../../../../Common/Format.js"

type Done = Omit<Restored, "_tag">

/** @internal */
export interface Work {
  readonly request: RestoreRequest
  readonly ask: Ask<typeof jobs>
  readonly onProgress: OnProgress
  readonly lockGate: LockGate
}

/** @internal */
export const restore = async (work: Work): Promise<Done> => {
  const { ask, onProgress, request } = work
  const { expected, scratch } = request
  return Rights.withDirectory(request.user, scratch, () =>
    withTemporary(scratch, async () => {
      room(request, expected?.contentBytes ?? 0)
      const unpacked = await unpack({ request, deep: false, ask, onProgress })
      const present = await presentOf(request, ask)
      return present === undefined ? replace(work, unpacked) : overwrite(work, unpacked, present)
    })
  )
}

/** Undefined where there is nothing, or nothing that can be read and may be replaced. */
const presentOf = async (
  { busyTimeout, database, replaceDamaged }: RestoreRequest,
  ask: Ask<typeof jobs>
): Promise<Present | undefined> => {
  if (!fs.existsSync(database)) return undefined
  const present = await outcome(() => ask("look", { database, busyTimeout }))
  if (present.ok) return present.value
  const isDamaged = present.error instanceof Fault && isUnsaveable(present.error.report)
  if (isDamaged && replaceDamaged) return undefined
  throw present.error
}

const replace = async (
  { lockGate, request }: Work,
  { content, facts, path: source, warnings }: Unpacked
): Promise<Done> => {
  if (request.quiesces) await lockGate.approach()
  await lockGate.pass()
  return about("database", request.database, (): Done => {
    const { aside, database } = request
    // Nothing is left that could tell but the record of the backup.
    if (request.expected?.journalMode === "wal") setWalMode(source)
    const { doubts, isAside } = install({ source, database, aside })
    return {
      method: `in its place, ${content.contentBytes} bytes`,
      setAside: isAside ? aside : undefined,
      tables: facts.tables,
      kept: [],
      warnings: [...warnings, ...doubts]
    }
  })
}

const overwrite = async (
  { ask, lockGate, request }: Work,
  { content, facts, path: scratch, warnings }: Unpacked,
  present: Present
): Promise<Done> => {
  const { busyTimeout, database } = request
  const [sized, copy] = [`${scratch}.sized`, `${scratch}.present`]
  const hasJournal = request.keepJournal && present.journal.length > 0
  const isCopied = hasJournal && !present.wal
  return withTemporary(copy, () =>
    withTemporary(sized, async () => {
      const isOtherSize = present.pages > 0 && present.pageSize !== facts.pageSize
      // Before the change: a WAL of all pages, or a journal of those that are there; then the growth.
      const journal = present.wal ? content.contentBytes * 1.02 : present.pages * present.pageSize
      const growth = Math.max(0, content.contentBytes - present.pages * present.pageSize)
      const copied = isCopied ? present.pages * present.pageSize : 0
      room(request, (isOtherSize ? content.contentBytes : 0) + copied + journal + growth)
      if (isCopied) createPrivate(copy)
      const isSized = isOtherSize && (await resized({ request, scratch, sized, present, ask }))
      const source = isSized ? sized : scratch
      const keep = hasJournal ? { copy: isCopied ? copy : undefined } : undefined
      if (request.quiesces) await lockGate.approach()
      const { doubts, kept, tables } = await ask("write", {
        ...{ source, database, busyTimeout, keep },
        gate: lockGate.gate
      })
      const names = kept.map(({ name }) => name)
      return {
        method: "through SQLite's backup API",
        setAside: undefined,
        tables: tables ?? facts.tables,
        kept: names,
        warnings: [
          ...warnings,
          ...doubts,
          ...(await synced(database)),
          ...(tables === undefined
            ? []
            : compared(without(facts.tables, kept), without(tables, kept)))
        ]
      }
    })
  )
}

/** The program that watches goes on writing its journal at once. */
const without = (
  tables: ReadonlyArray<Tables>,
  kept: ReadonlyArray<Tables>
): ReadonlyArray<Tables> =>
  kept.length === 0 ? tables : tables.filter(({ name }) => !JournalTables.isOne(name))

/** The restore is done: what fails from here on is only told. */
const synced = async (database: string): Promise<ReadonlyArray<string>> => {
  const result = await outcome(() => {
    for (const file of withCompanions(database)) if (fs.existsSync(file)) sync(file)
  })
  return result.ok ? [] : [`it is not certain that it reached the disk: ${String(result.error)}`]
}

interface Sizes {
  readonly request: RestoreRequest
  readonly scratch: string
  readonly sized: string
  readonly present: Present
  readonly ask: Ask<typeof jobs>
}

/** In rollback mode a database can change the size of its pages, in WAL mode it cannot. */
const resized = async ({ ask, present, request, scratch, sized }: Sizes): Promise<boolean> => {
  createPrivate(sized)
  const trouble = await ask("resize", {
    source: scratch,
    target: sized,
    pageSize: present.pageSize
  })
  if (trouble !== undefined && present.wal) {
    fail({
      reason: "Mismatch",
      subject: request.database,
      expected: `a backup whose pages can be made ${present.pageSize} bytes long`,
      found: `pages of another length, and a schema that only its program knows (${trouble})`,
      advice: "Stop the program, move the database with its -wal and -shm away, and restore again"
    })
  }
  return trouble === undefined
}

/** Others may have written since, and closed it again. */
const compared = (
  expected: ReadonlyArray<Tables>,
  found: ReadonlyArray<Tables>
): ReadonlyArray<string> => {
  const difference = differenceOf(expected, found)
  return difference === undefined
    ? []
    : [
        `written to by others since it was restored (${difference}); where no program could, restore the pre-restore backup, and report this`
      ]
}

const room = ({ database }: RestoreRequest, bytes: number): void => {
  const free = freeOf(path.dirname(database))
  if (free === undefined || free >= bytes) return
  fail({
    reason: "DiskFull",
    subject: path.dirname(database),
    expected: `${Format.bytes(bytes)} free, for the content and SQLite's journal`,
    found: Format.bytes(free),
    advice: "Free some space; nothing was changed"
  })
}
