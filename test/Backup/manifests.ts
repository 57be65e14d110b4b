/** Manifests for tests: only what a test is about has to be said. */
import { DateTime, Option } from "effect"
import * as BackupName from "../../src/Backup/BackupName.js"
import type { Stored } from "../../src/Backup/Store.js"
import type * as Manifest from "../../src/Backup/Manifest.js"

const place = { engine: "sqlite", name: "bot.db", location: "/srv/bot" }

/** A database that tells what it is, by its name and place. */
const known = (of: Manifest.Database): Manifest.Database => ({
  identity: { id: `${of.location}/${of.name}` },
  ...of
})

export const database: Manifest.Database = known(place)

export const dump: Manifest.Dump = {
  database,
  strategy: "vacuum-into",
  engineVersion: "3.50.0",
  compression: "gzip",
  bytes: 100,
  contentBytes: 1000,
  sha256: "0".repeat(64),
  tables: [
    { name: "users", rows: 3 },
    { name: "orders", rows: 0 }
  ],
  warnings: []
}

interface Given {
  readonly startedAt: number
  readonly app?: string
  readonly purpose?: Manifest.Manifest["purpose"]
  readonly verified?: boolean
  readonly pinned?: boolean
  readonly suspect?: boolean
  readonly drilledAt?: number
  readonly database?: Partial<Manifest.Database>
}

export const manifest = (given: Given): Manifest.Manifest => {
  const startedAt = DateTime.unsafeMake(given.startedAt)
  const of = known({ ...place, ...given.database })
  return {
    version: 1,
    name: BackupName.format({
      app: given.app ?? "bot",
      preRestore: given.purpose === "pre_restore",
      engine: of.engine,
      startedAt,
      extension: "db.gz"
    }),
    app: given.app ?? "bot",
    purpose: given.purpose ?? "backup",
    startedAt,
    finishedAt: startedAt,
    holter: "0.1.0",
    dump: { ...dump, database: of },
    ...(given.suspect === true ? { suspect: ["Table users is gone"] } : {}),
    pinned: given.pinned ?? false,
    verified: given.verified === false ? null : { at: startedAt, depth: "quick" },
    drilled: given.drilledAt === undefined ? null : { at: DateTime.unsafeMake(given.drilledAt) }
  }
}

export const stored = (
  given: Given & { readonly foreign?: boolean; readonly problem?: string }
): Stored => {
  const known = manifest(given)
  return {
    name: known.name,
    parsed: Option.getOrThrow(BackupName.parse(known.name)),
    bytes: known.dump.bytes,
    manifest: given.foreign === true ? Option.none() : Option.some(known),
    problem: given.problem
  }
}
