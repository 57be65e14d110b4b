/** Backups as a store lists them, for pages and plugins that look at lists. */
import { DateTime, Option } from "effect"
import * as BackupName from "../../../src/Backup/BackupName.js"
import type { Stored } from "../../../src/Backup/BackupStore.js"
import type { Manifest } from "../../../src/Backup/Manifest.js"

export const now = DateTime.unsafeMake("2025-12-11T08:15:00Z")

interface Sample {
  readonly startedAt: string
  readonly preRestore?: boolean
  readonly app?: string
  readonly bytes?: number
  readonly problem?: string
  /** Without a manifest, as the Python script leaves them. */
  readonly bare?: boolean
  readonly verifiedAt?: string | null
  readonly drilledAt?: string
  readonly pinned?: boolean
  readonly suspect?: ReadonlyArray<string>
}

export const stored = (sample: Sample): Stored => {
  const parsed: BackupName.BackupName = {
    app: sample.app ?? "dmarket_bot",
    preRestore: sample.preRestore ?? false,
    engine: "sqlite",
    startedAt: DateTime.unsafeMake(sample.startedAt),
    extension: "db.gz"
  }
  const name = BackupName.format(parsed)
  const bytes = sample.bytes ?? 41_000_000
  return {
    name,
    parsed,
    bytes,
    manifest:
      sample.bare === true ? Option.none() : Option.some(manifestOf(name, parsed, bytes, sample)),
    problem: sample.problem
  }
}

const manifestOf = (
  name: string,
  parsed: BackupName.BackupName,
  bytes: number,
  sample: Sample
): Manifest => ({
  version: 1,
  name,
  app: parsed.app,
  purpose: parsed.preRestore ? "pre_restore" : "backup",
  startedAt: parsed.startedAt,
  finishedAt: parsed.startedAt,
  holter: "0.1.0",
  dump: {
    database: { engine: "sqlite", name: "dmarket_bot.db", location: "/app/data" },
    strategy: "vacuum-into",
    engineVersion: "3.50.0",
    compression: "gzip",
    bytes,
    contentBytes: 173_000_000,
    sha256: "0".repeat(64),
    contentSha256: undefined,
    parts: undefined,
    tables: [
      { name: "users", rows: 48_000 },
      { name: "trades", rows: 210 }
    ],
    warnings: []
  },
  suspect: sample.suspect,
  pinned: sample.pinned ?? false,
  verified:
    sample.verifiedAt === null
      ? null
      : { at: DateTime.unsafeMake(sample.verifiedAt ?? sample.startedAt), depth: "quick" },
  drilled: sample.drilledAt === undefined ? null : { at: DateTime.unsafeMake(sample.drilledAt) }
})
