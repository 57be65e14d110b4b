/**
 * What one run of the suites has in common: a folder for everything temporary, the binaries, and
 * a watchdog that outlives the run just long enough to end what it left.
 *
 * `globalSetup` prepares it; it reaches the test processes as one environment variable. A program
 * outside vitest (a benchmark) calls `prepare` itself.
 */
import * as Effect from "effect/Effect"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdtempSync,
  rmSync,
  statfsSync
} from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as Binaries from "./Binaries.js"
import { ServerError } from "./ServerError.js"

export interface TestRun {
  readonly root: string
  readonly binaries: Binaries.Binaries
  /** The doubles as one file that plain Node runs. */
  readonly doubles: string
  /** `setpriv`, where it can tie a child's life to its parent's. */
  readonly setpriv: string | undefined
  /** Who runs the servers when the tests run as root: PostgreSQL refuses to be root. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined
}

const variable = "HOLTER_TEST_RUN"

/** The run that this process belongs to, if it was prepared. */
export const currentSync = (): TestRun | undefined => {
  const encoded = process.env[variable]
  return encoded === undefined ? undefined : (JSON.parse(encoded) as TestRun)
}

export const current: Effect.Effect<TestRun, ServerError> = Effect.suspend(() => {
  const run = currentSync()
  return run === undefined
    ? Effect.fail(
        new ServerError({
          server: "test run",
          operation: "current",
          detail: "not prepared: put test/support/globalSetup.ts into vitest's globalSetup"
        })
      )
    : Effect.succeed(run)
})

/** Where the test processes leave the names of skipped suites for the end of the run. */
export const skippedFile = (run: TestRun): string => path.join(run.root, "skipped")

export interface Prepared {
  readonly run: TestRun
  readonly dispose: () => Promise<void>
}

export const prepare = async (binaries: Binaries.Binaries): Promise<Prepared> => {
  const root = mkdtempSync(path.join(temporary(), "holter-test-"))
  // The servers run as another user: they may pass, and list nothing.
  chmodSync(root, 0o711)
  try {
    await bundle(root)
  } catch (cause) {
    rmSync(root, { recursive: true, force: true })
    throw cause
  }
  const run: TestRun = {
    root,
    binaries,
    doubles: path.join(root, "child.mjs"),
    setpriv: findSetpriv(),
    user: unprivilegedUser()
  }
  const endWatchdog = startWatchdog(root)
  process.env[variable] = JSON.stringify(run)
  return {
    run,
    dispose: async () => {
      delete process.env[variable]
      await endWatchdog()
    }
  }
}

/**
 * In memory where there is plenty: a cluster is a thousand files, and copying them took 50 ms
 * there and up to a second on a busy disk. Containers often have 64 MB only.
 */
const temporary = (): string => {
  const memory = "/dev/shm"
  try {
    const { bavail, bsize } = statfsSync(memory)
    accessSync(memory, constants.W_OK)
    return bavail * bsize >= 2 * 1024 ** 3 ? memory : os.tmpdir()
  } catch {
    return os.tmpdir()
  }
}

/** Children are plain Node processes, and Node 20 runs no TypeScript. */
const bundle = async (root: string): Promise<void> => {
  // Loaded here: every test process reads this module, and only one of them bundles.
  const esbuild = await import("esbuild")
  const source = (name: string) => {
    const beside = fileURLToPath(new URL(name, import.meta.url))
    // A benchmark may itself be bundled somewhere else; it runs in the project's folder.
    return existsSync(beside) ? beside : path.resolve("test/support", name)
  }
  await esbuild.build({
    entryPoints: [source("./doubles/child.ts"), source("./watchdog.ts")],
    entryNames: "[name]",
    outdir: root,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error"
  })
}

const startWatchdog = (root: string): (() => Promise<void>) => {
  const child = spawn(process.execPath, [path.join(root, "watchdog.mjs"), root], {
    // Its own session: Ctrl-C ends the run, and then the watchdog has work to do.
    detached: true,
    cwd: "/",
    stdio: ["pipe", "ignore", "inherit"]
  })
  child.unref()
  return async () => {
    child.ref()
    const ended = once(child, "exit")
    child.stdin?.end()
    await ended
  }
}

const findSetpriv = (): string | undefined => {
  const found = Binaries.findInPath("setpriv", process.env.PATH ?? "")
  if (found === undefined) return undefined
  try {
    execFileSync(found, ["--pdeathsig", "KILL", "true"], { stdio: "ignore" })
    return found
  } catch {
    return undefined
  }
}

const unprivilegedUser = (): TestRun["user"] => {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string, name: string): number =>
    Number(
      execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
    )
  for (const name of ["postgres", "nobody"]) {
    try {
      return { uid: id("-u", name), gid: id("-g", name) }
    } catch {
      // No such user here: the next one.
    }
  }
  throw new Error("neither a user postgres nor a user nobody: PostgreSQL cannot run as root")
}
