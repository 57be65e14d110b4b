/**
 * Puts a backup in the place of the present: into the database itself where one can be read, or in
 * its place where there is none.
 *
 * @since 0.1.0
 */
import * as fs from "node:fs"
import * as path from "node:path"
import type { Restored, RestoreRequest } from "../Protocol.js"
import { outcome } from "./bracket.js"
import type { Tables } from "./Database.js"
import { about, fail, Fault } from "./Fault.js"
import { createPrivate, remove, sync, withCompanions, withTemporary } from "./files.js"
import * as InUse from "./InUse.js"
import type { Present } from "./Inspect.js"
import { install } from "./Install.js"
import type { jobs } from "./jobs.js"
import type { Ask, OnProgress } from "./Thread.js"
import { differenceOf, type Unpacked, unpack } from "./Unpack.js"

type Done = Omit<Restored, "_tag">

/** @internal */
export const restore = async (
  request: RestoreRequest,
  ask: Ask<typeof jobs>,
  onProgress: OnProgress
): Promise<Done> => {
  const { expected, scratch } = request
  sweep(request)
  return withTemporary(scratch, async () => {
    room(request, expected?.contentBytes ?? 0)
    const unpacked = await unpack({ request, deep: false, ask, onProgress })
    const present = await presentOf(request, ask)
    return present === undefined
      ? replace(request, unpacked)
      : overwrite(request, unpacked, present, ask)
  })
}

/** Undefined where there is nothing, or nothing that can be read and may be replaced. */
const presentOf = async (
  { busyTimeout, database, replaceDamaged }: RestoreRequest,
  ask: Ask<typeof jobs>
): Promise<Present | undefined> => {
  if (!fs.existsSync(database)) return undefined
  const present = await outcome(() => ask("look", { database, busyTimeout }))
  if (present.ok) return present.value
  const isDamaged = present.error instanceof Fault && present.error.report.reason === "Damaged"
  if (isDamaged && replaceDamaged) return undefined
  throw present.error
}

const replace = (request: RestoreRequest, { content, facts, path: source, warnings }: Unpacked) =>
  about("database", request.database, (): Done => {
    const { aside, database } = request
    const { doubt, processes } = InUse.usersOf(withCompanions(database))
    if (processes.length > 0) {
      fail({
        reason: "InUse",
        subject: database,
        expected: "no process that has it open",
        found: processes.join(", "),
        advice: "Stop it, and try again"
      })
    }
    const isAside = install({ source, database, aside })
    return {
      method: `in its place, ${content.contentBytes} bytes`,
      setAside: isAside ? aside : undefined,
      tables: facts.tables,
      warnings: [...warnings, ...(doubt === undefined || !isAside ? [] : [doubt])]
    }
  })

const overwrite = async (
  request: RestoreRequest,
  { content, facts, path: scratch, warnings }: Unpacked,
  present: Present,
  ask: Ask<typeof jobs>
): Promise<Done> => {
  const { busyTimeout, database } = request
  const sized = `${scratch}.sized`
  return withTemporary(sized, async () => {
    const isOtherSize = present.pages > 0 && present.pageSize !== facts.pageSize
    // Before the change: a WAL of all pages, or a journal of those that are there; then the growth.
    const journal = present.wal ? content.contentBytes * 1.02 : present.pages * present.pageSize
    const growth = Math.max(0, content.contentBytes - present.pages * present.pageSize)
    room(request, (isOtherSize ? content.contentBytes : 0) + journal + growth)
    const isSized = isOtherSize && (await resized({ request, scratch, sized, present, ask }))
    const source = isSized ? sized : scratch
    const { tables } = await ask("write", { source, database, busyTimeout })
    await about("database", database, () => {
      for (const file of withCompanions(database)) if (fs.existsSync(file)) sync(file)
    })
    return {
      method: "through SQLite's backup API",
      setAside: undefined,
      tables,
      warnings: [...warnings, ...compared(database, facts.tables, tables)]
    }
  })
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

/** Others may have written since: who has it open explains a difference, and nobody does not. */
const compared = (
  database: string,
  expected: ReadonlyArray<Tables>,
  found: ReadonlyArray<Tables>
): ReadonlyArray<string> => {
  const difference = differenceOf(expected, found)
  if (difference === undefined) return []
  const { processes } = InUse.usersOf(withCompanions(database))
  if (processes.length > 0) return [`written to by others since it was restored: ${difference}`]
  return fail({
    reason: "Mismatch",
    subject: database,
    expected: "the tables of the backup",
    found: difference,
    advice: "Restore the pre-restore backup, and report this"
  })
}

const room = ({ database }: RestoreRequest, bytes: number): void => {
  const { bavail, bsize } = fs.statfsSync(path.dirname(database))
  if (bavail * bsize >= bytes) return
  fail({
    reason: "DiskFull",
    subject: path.dirname(database),
    expected: `${Math.ceil(bytes)} bytes free, for the content and SQLite's journal`,
    found: `${bavail * bsize}`,
    advice: "Free some space; nothing was changed"
  })
}

/** What a restore left that was killed together with its parent; nobody has it open. */
const sweep = ({ database, scratch }: RestoreRequest): void => {
  const start = path.basename(scratch).replace(/[0-9a-f]+$/, "")
  const directory = path.dirname(database)
  for (const name of fs.readdirSync(directory)) {
    const file = path.join(directory, name)
    if (name.startsWith(start) && InUse.usersOf([file]).processes.length === 0) remove(file)
  }
}
