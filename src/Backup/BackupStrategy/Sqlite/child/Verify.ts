/** Reads a backup to its end, or restores it into a scratch database, and leaves nothing behind. */
import type { Drilled, DrillRequest, Verified, VerifyRequest } from "../Protocol.js"
import { createPrivate, withTemporary } from "./files.js"
import type { jobs } from "./jobs.js"
import type { Ask, OnProgress } from "./Thread.js"
import { differenceOf, look, read, unpack } from "./Unpack.js"
import { fail } from "./Fault.js"

/** @internal */
export const verify = (
  request: VerifyRequest,
  ask: Ask<typeof jobs>,
  onProgress: OnProgress
): Promise<Omit<Verified, "_tag">> => {
  const { deep, expected, readBack } = request
  return readBack && !deep && expected?.contentSha256 !== undefined
    ? readAgain(request, onProgress)
    : withTemporary(request.scratch, async () => {
        const { warnings } = await look({ request, deep, ask, onProgress })
        return { warnings }
      })
}

const readAgain = async (
  request: VerifyRequest,
  onProgress: OnProgress
): Promise<Omit<Verified, "_tag">> => {
  await read({ request, onProgress }, undefined)
  return { warnings: [] }
}

/**
 * Into an empty database, by the way that a restore into one in use goes: what is compared is what
 * came out of it.
 *
 * @internal
 */
export const drill = (
  request: DrillRequest,
  ask: Ask<typeof jobs>,
  onProgress: OnProgress
): Promise<Omit<Drilled, "_tag">> => {
  const target = `${request.scratch}.drill`
  return withTemporary(request.scratch, () =>
    withTemporary(target, async () => {
      const { facts, path, warnings } = await unpack({ request, deep: false, ask, onProgress })
      createPrivate(target)
      const given = {
        source: path,
        database: target,
        busyTimeout: 0,
        gate: undefined,
        keep: undefined
      }
      const { doubts, tables } = await ask("write", given)
      const difference =
        tables === undefined ? doubts.join("; ") : differenceOf(facts.tables, tables)
      return difference === undefined
        ? { tables: facts.tables, warnings }
        : fail({
            reason: "Mismatch",
            subject: request.path,
            expected: "the tables of the backup in the scratch database",
            found: difference,
            advice: "Use another backup, and report this"
          })
    })
  )
}
