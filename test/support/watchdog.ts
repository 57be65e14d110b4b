/**
 * Ends what a test run left behind, however the run ended. It waits for the end of its standard
 * input, which only the run's main process holds; a killed process closes it too. Then whatever
 * still works inside the run's folder is ended, and the folder is removed.
 *
 * Processes are known by their working folder: a fresh folder of this run cannot belong to
 * anybody else, while a remembered process id can.
 */
import * as fs from "node:fs"

const root = process.argv[2] ?? ""
const clean = /\/holter-test-\w+$/.test(root)

process.stdin.resume()
process.stdin.on("end", () => void sweep())
process.stdin.on("error", () => void sweep())

async function sweep(): Promise<void> {
  if (!clean) process.exit(2)
  const first = inside()
  if (first.length > 0) {
    process.stderr.write(
      `test support: ${first.length} left running: ${[...new Set(first.map(name))].join(", ")}\n`
    )
  }
  for (let round = 0; round < 200; round++) {
    const pids = inside()
    if (pids.length === 0) break
    for (const pid of pids) end(pid, round > 100)
    // eslint-disable-next-line no-restricted-syntax -- a program of its own, not a test.
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  fs.rmSync(root, { recursive: true, force: true })
  process.exit(0)
}

/** A killed postmaster leaves its shared memory segment: it gets two seconds to stop at once. */
function end(pid: number, force: boolean): void {
  try {
    if (name(pid) === "postgres" && !force) {
      process.kill(pid, "SIGQUIT")
      process.kill(pid, "SIGCONT")
    } else {
      process.kill(pid, "SIGKILL")
    }
  } catch {
    // It ended by itself meanwhile.
  }
}

function inside(): ReadonlyArray<number> {
  return entries().filter((pid) => {
    try {
      const folder = fs.readlinkSync(`/proc/${pid}/cwd`)
      return (
        pid !== process.pid &&
        (folder === root || folder.startsWith(`${root}/`)) &&
        state(pid) !== "Z"
      )
    } catch {
      return false
    }
  })
}

function entries(): ReadonlyArray<number> {
  try {
    return fs
      .readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0)
  } catch {
    return []
  }
}

function state(pid: number): string {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8")
  return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3)
}

function name(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim()
  } catch {
    return "?"
  }
}
