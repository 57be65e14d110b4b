/** Reads the request, does it, answers, and ends. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as readline from "node:readline"
import { performance } from "node:perf_hooks"
import type { Answer, Request } from "../Protocol.js"
import * as ScratchFiles from "../ScratchFiles.js"
import { outcome } from "../../../../Common/bracket.js"
import type { Carried } from "./carried.js"
import * as LockGate from "./LockGate.js"
import { dump } from "./Dump.js"
import { about, Fault, isUnsaveable, toReport } from "./Fault.js"
import { removeTemporary } from "./files.js"
import { measure } from "./Inspect.js"
import type { jobs } from "./jobs.js"
import { restore } from "./Restore.js"
import * as Rights from "./Rights.js"
import * as Thread from "./Thread.js"
import { drill, verify } from "./Verify.js"

/** @internal */
export const serve = (carried: Carried): void => {
  // Before any thread is started, which has the priority of the one that starts it.
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL)
  const lockGate = LockGate.make({
    prepared: () => {
      write({ _tag: "Prepared" })
    },
    locked: (replaces) => {
      write({ _tag: "Locked", replaces })
    }
  })
  const lines = readline.createInterface({ input: process.stdin })
  lines.once("line", (request) => {
    lines.on("line", lockGate.open)
    void work(JSON.parse(request) as Request, carried, lockGate)
  })
  // The parent has ended. A thread in a call of SQLite does not let the process exit: a signal does.
  process.stdin.on("end", () => {
    removeTemporary()
    process.kill(process.pid, "SIGKILL")
  })
}

const work = async (
  request: Request,
  carried: Carried,
  lockGate: LockGate.LockGate
): Promise<void> => {
  const onProgress = throttled()
  const { ask, end } = Thread.start<typeof jobs>(carried, (progress) => {
    if (progress.stage === LockGate.locked) lockGate.announce()
    else onProgress(progress)
  })
  const result = await outcome(async () => {
    if (request.user !== undefined) {
      // What its thread loads may lie where only this user can read it.
      await ask("load", {})
      Rights.become(request, request.user)
    }
    return answer({ request, ask, onProgress, lockGate })
  })
  const last: Answer = result.ok
    ? result.value
    : { _tag: "Failed", ...toReport(result.error, "place", "the child process for SQLite") }
  write(last)
  // A loop that has nothing to wait for any more ends.
  process.stdin.destroy()
  await end()
}

interface Asked {
  readonly request: Request
  readonly ask: Thread.Ask<typeof jobs>
  readonly onProgress: Thread.OnProgress
  readonly lockGate: LockGate.LockGate
}

const answer = async ({ ask, lockGate, onProgress, request }: Asked): Promise<Answer> => {
  switch (request._tag) {
    case "Present": {
      const { busyTimeout, database } = request
      const looked = await outcome(() => ask("look", { database, busyTimeout }))
      if (looked.ok) return { _tag: "Present", journal: looked.value.journal }
      const report = looked.error instanceof Fault ? looked.error.report : undefined
      if (report !== undefined && isUnsaveable(report)) {
        const advice = report.reason === "Damaged" ? undefined : report.advice
        return { _tag: "Present", damaged: report.found, advice }
      }
      throw looked.error
    }
    case "Clean": {
      for (const directory of request.directories) await ScratchFiles.remove(directory)
      for (const file of request.files) fs.rmSync(file, { force: true })
      return { _tag: "Cleaned" }
    }
    case "Measure": {
      const { database } = request
      return { _tag: "Measured", bytes: await about("database", database, () => measure(database)) }
    }
    case "Dump":
      return { _tag: "Dumped", ...(await dump(request, ask, onProgress)) }
    case "Verify":
      return { _tag: "Verified", ...(await verify(request, ask, onProgress)) }
    case "Drill":
      return { _tag: "Drilled", ...(await drill(request, ask, onProgress)) }
    case "Restore":
      return { _tag: "Restored", ...(await restore({ request, ask, onProgress, lockGate })) }
  }
}

/** A line now and then; the last one of each stage always. */
const throttled = (): Thread.OnProgress => {
  let next = 0
  return (progress) => {
    const now = performance.now()
    if (now < next && progress.bytes !== progress.total) return
    next = now + everyMillis
    write({ _tag: "Progress", ...progress })
  }
}

const everyMillis = 100

const write = (answer: Answer): void => {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
