/**
 * Finds the server binaries that the suites run: in PATH, and where Debian and Homebrew put
 * PostgreSQL. Of several PostgreSQL versions the newest is taken, the one in PATH on a tie.
 */
import { execFileSync } from "node:child_process"
import { accessSync, constants, readdirSync, realpathSync } from "node:fs"
import * as path from "node:path"

export type Service = "postgres" | "redis"

export interface Binaries {
  /** The folder of one PostgreSQL version: initdb, postgres, pg_dump and so on. */
  readonly postgres: string | undefined
  readonly redis: string | undefined
}

export interface Places {
  /** As PATH: folders separated by colons. */
  readonly path: string
  /** Folders that hold a folder for each PostgreSQL version, with a `bin` in it. */
  readonly versions: ReadonlyArray<string>
}

export const machine = (): Places => ({
  path: process.env.PATH ?? "",
  versions: ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"]
})

export const find = (places: Places = machine()): Binaries => ({
  postgres: findPostgres(places),
  redis: findInPath("redis-server", places.path)
})

/** The services of `wanted` that these binaries cannot run. */
export const missing = (
  binaries: Binaries,
  wanted: ReadonlyArray<Service>
): ReadonlyArray<Service> => wanted.filter((service) => binaries[service] === undefined)

export const findInPath = (name: string, searchPath: string): string | undefined =>
  searchPath
    .split(path.delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => path.join(folder, name))
    .find(isExecutable)

const findPostgres = (places: Places): string | undefined => {
  const linked = findInPath("initdb", places.path)
  const folders = [
    // The link in PATH may stand alone: its target has pg_dump and the rest beside it.
    ...(linked === undefined ? [] : [path.dirname(realpathSync(linked))]),
    ...places.versions.flatMap((root) => list(root).map((entry) => path.join(root, entry, "bin")))
  ]
  let best: { readonly folder: string; readonly version: number } | undefined
  for (const folder of new Set(folders)) {
    if (!isExecutable(path.join(folder, "initdb"))) continue
    const version = postgresVersion(folder)
    if (version !== undefined && (best === undefined || version > best.version)) {
      best = { folder, version }
    }
  }
  return best?.folder
}

/** 15.2 of "postgres (PostgreSQL) 15.2 (Debian 15.2-1)"; undefined if it does not run. */
const postgresVersion = (folder: string): number | undefined => {
  try {
    const printed = execFileSync(path.join(folder, "postgres"), ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"]
    })
    const version = Number.parseFloat(/(\d+(?:\.\d+)?)/.exec(printed)?.[1] ?? "")
    return Number.isNaN(version) ? undefined : version
  } catch {
    return undefined
  }
}

const list = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
