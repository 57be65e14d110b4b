/** Dumps a database in use: a copy, checked and counted while it is compressed. */
import * as fs from "node:fs"
import type { Dumped, DumpRequest } from "../Protocol.js"
import { orElse } from "../../../../Common/bracket.js"
import { type Compressed, compress } from "./Compress.js"
import { extract } from "./Extract.js"
import { about, fail, isWithoutLinks } from "./Fault.js"
import { createPrivate, sync, withTemporary, writeAll } from "./files.js"
import type { Facts } from "./Inspect.js"
import type { jobs } from "./jobs.js"
import * as Rights from "./Rights.js"
import type { Ask, OnProgress } from "./Thread.js"

/** @internal */
export const dump = async (
  request: DumpRequest,
  ask: Ask<typeof jobs>,
  onProgress: OnProgress
): Promise<Omit<Dumped, "_tag">> => {
  const { copyAt: target } = request
  return Rights.withDirectory(request.user, target, () =>
    withTemporary(target, () => dumped(request, ask, onProgress))
  )
}

const dumped = async (
  request: DumpRequest,
  ask: Ask<typeof jobs>,
  onProgress: OnProgress
): Promise<Omit<Dumped, "_tag">> => {
  const { busyTimeout, copy, copyAt: target, database, held } = request
  await about("place", target, () => {
    createPrivate(target)
  })
  const copied = await ask("copy", { database, target, busyTimeout, copy, held })
  // The check and the compression at the same time: they are of about the same weight on two cores.
  const [facts, written] = await Promise.all([
    checked(request, target, ask),
    compressed(request, target, onProgress)
  ])
  if (request.compression === "none") await publish(target, request.path)
  return {
    ...written,
    strategy: copied.strategy,
    journalMode: copied.journalMode,
    engineVersion: facts.engineVersion,
    tables: facts.tables,
    warnings: [...copied.warnings, ...facts.warnings]
  }
}

const checked = async (
  { database }: DumpRequest,
  target: string,
  ask: Ask<typeof jobs>
): Promise<Facts> => {
  const options = { role: "database", deep: false, stray: true } as const
  const facts = await ask("inspect", { path: target, subject: database, ...options })
  const [problem] = facts.problems
  return problem === undefined
    ? facts
    : fail({
        reason: "Damaged",
        subject: database,
        expected: "a database that passes quick_check",
        found: problem,
        advice: "Restore a backup of it with --replace-damaged"
      })
}

const compressed = (
  { compression, level, path }: DumpRequest,
  source: string,
  onProgress: OnProgress
): Promise<Compressed> =>
  about("place", path, async () => {
    const onBytes = (bytes: number, total: number) => {
      onProgress({ stage: "compress", bytes, total })
    }
    if (compression !== "none")
      return compress({ source, target: path, compression, level, onBytes })
    const payload = { path: source, compression, expected: undefined, scratch: "" }
    return extract({ payload, target: undefined, onBytes })
  })

const publish = (source: string, target: string): Promise<void> =>
  about("place", target, async () => {
    if (Rights.isHeld(target)) return copied(source, target)
    sync(source)
    // Unlike a rename, it never replaces what is there; some file systems have no links.
    orElse(
      () => {
        fs.linkSync(source, target)
      },
      (error) => !fs.existsSync(target) && isWithoutLinks(error),
      () => {
        fs.renameSync(source, target)
      }
    )
  })

/** A file of the database's owner does not become a backup: it may have another name. */
const copied = (source: string, target: string): Promise<void> =>
  Rights.withFileAsync(target, "new", async (to) => {
    const from = fs.createReadStream(source, { highWaterMark: 1 << 20 })
    for await (const chunk of from) writeAll(to, chunk as Buffer)
    fs.fsyncSync(to)
  })
